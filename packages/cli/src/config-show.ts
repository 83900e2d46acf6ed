/** `newswire config show`: the configuration in force, as `apply` takes it. */
import { stringify } from 'yaml'
import { createClient } from './client.ts'
import type { CommandTree } from './command-tree.ts'
import { printDocument, type Terminal } from './terminal.ts'

const showConfig = async (terminal: Terminal): Promise<boolean> => {
  const config = await (await createClient(terminal)).console('GET', '/v1/config')
  printDocument(terminal, config, stringify(config).trimEnd())
  return true
}

export const addConfigCommands = (program: CommandTree): void => {
  program
    .group('config', 'the configuration in force', 'newswire config show')
    .add(
      'show',
      'as YAML that `newswire apply` takes; tokens by their hash, secrets by their names',
      'newswire config show > newswire.yaml',
      showConfig,
    )
}
