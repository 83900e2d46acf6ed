/** The options of `newswire rebuild …`. */
import type { Command } from 'commander'
import { rebuildFeeds } from './rebuild.ts'
import { rebuildAll } from './rebuild-all.ts'
import { rebuildArchiveIndex } from './rebuild-archive-index.ts'
import { rebuildSearch } from './rebuild-search.ts'
import type { Terminal } from './terminal.ts'

type Needs = Readonly<{
  terminal: (options: { json?: boolean; data?: string }) => Terminal
  ends: (work: Promise<boolean>) => Promise<void>
  toSeconds: (value: string) => number
}>

export const addRebuildCommands = (program: Command, { terminal, ends, toSeconds }: Needs): void => {
  const rebuild = program
    .command('rebuild')
    .description('make what is derived again from state')
    .addHelpText('after', '\nExample:\n  newswire rebuild feeds --wait')
  const one = (usage: string, description: string, example: string) =>
    rebuild
      .command(usage)
      .description(description)
      .option('--json', 'one JSON document on standard output')
      .option('--data <dir>', 'data folder of the system')
      .addHelpText('after', `\nExample:\n  ${example}`)
  const followed = (usage: string, description: string, example: string, failure = 'it does not come to one') =>
    one(usage, description, example)
      .option('--wait', `follow it to the end; exit 1 if ${failure}`)
      .option('--timeout <seconds>', 'how long --wait waits', toSeconds, 600)

  followed(
    'search',
    'the search index of every gateway; the one that is there answers until the new one is whole',
    'newswire rebuild search --from archive --wait',
  )
    .option('--from <source>', 'log, or archive: first everything that is archived, then the log', 'log')
    .action(options =>
      ends(rebuildSearch(terminal(options), { source: options.from, wait: options.wait === true, timeout: options.timeout })),
    )
  followed(
    'archive-index',
    'which pack of the archive holds what, from the manifests and what lies there; what is as it should be is left',
    'newswire rebuild archive-index --wait',
    'something that was signed is lost',
  ).action(options => ends(rebuildArchiveIndex(terminal(options), { wait: options.wait === true, timeout: options.timeout })))
  followed(
    'feeds [id...]',
    'these feeds, or all: files and archive pages; what is as it should be is not written',
    'newswire rebuild feeds thoi-su --wait',
  ).action((ids: string[], options) =>
    ends(rebuildFeeds(terminal(options), ids, { wait: options.wait === true, timeout: options.timeout })),
  )
  one(
    'all',
    'the log is lost: everything from the archive alone, onto an empty log, while nothing else runs',
    'newswire rebuild all --data ./data',
  ).action(options => ends(rebuildAll(terminal(options))))
}
