/** `newswire config show`: the configuration in force, as `apply` takes it. */
import type { NewswireConfig } from '@newswire/events/config'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { createClient } from './client.ts'
import type { Terminal } from './commands.ts'

type Token = Readonly<{ publisher: string; id: string; from: 'issued' | 'file' }>

/** As a file would say it: without what is retired, and without tokens that the system made, which applying a file leaves as they are. */
const toFile = (config: NewswireConfig, tokens: readonly Token[]): NewswireConfig => {
  const issued = new Set(tokens.filter(one => one.from === 'issued').map(one => `${one.publisher} ${one.id}`))
  return {
    ...config,
    publishers: config.publishers.map(one => ({ ...one, tokens: one.tokens.filter(({ id }) => !issued.has(`${one.id} ${id}`)) })),
    outlets: config.outlets.filter(one => !one.retired),
  }
}

const showConfig = async ({ environment, settings, json, print }: Terminal): Promise<boolean> => {
  const using = await createClient(environment, settings.dataDir)
  const [config, tokens] = await Promise.all([using.console('GET', '/v1/config'), using.console('GET', '/v1/tokens')])
  const file = toFile(config as NewswireConfig, tokens as readonly Token[])
  print(json ? JSON.stringify(file) : stringify(file).trimEnd())
  return true
}

export const addConfigCommands = (
  program: Command,
  terminal: (options: { json?: boolean; data?: string }) => Terminal,
  ends: (work: Promise<boolean>) => Promise<void>,
): void => {
  program
    .command('config')
    .description('the configuration in force')
    .addHelpText('after', '\nExample:\n  newswire config show')
    .command('show')
    .description('as YAML that `newswire apply` takes; tokens by their hash, secrets by their names')
    .option('--json', 'one JSON document on standard output')
    .option('--data <dir>', 'data folder of the system that `up` started')
    .addHelpText('after', '\nExample:\n  newswire config show > newswire.yaml')
    .action(options => ends(showConfig(terminal(options))))
}
