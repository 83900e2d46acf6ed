/** `newswire config show`: the configuration in force, as `apply` takes it. */
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { createClient } from './client.ts'
import type { Terminal } from './terminal.ts'

const showConfig = async ({ environment, settings, json, print }: Terminal): Promise<boolean> => {
  const config = await (await createClient(environment, settings.dataDir)).console('GET', '/v1/config')
  print(json ? JSON.stringify(config) : stringify(config).trimEnd())
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
