/** The `archive` commands with their options. */
import { exportFormats } from '@newswire/archive/export'
import { type Command, Option } from 'commander'
import { closeArchive, copyToFolder, rotateArchiveKey, verifyArchive } from './archive.ts'
import { exportToFile } from './archive-export.ts'
import type { Terminal } from './terminal.ts'

type Needs = Readonly<{
  terminal: (options: { json?: boolean; data?: string }) => Terminal
  ends: (work: Promise<boolean>) => Promise<void>
  toSeconds: (value: string) => number
}>

export const addArchiveCommands = (program: Command, { terminal, ends, toSeconds }: Needs): void => {
  const archive = program
    .command('archive')
    .description('everything ever released, for good: proved, copied, taken out')
    .addHelpText('after', '\nExample:\n  newswire archive verify')
  const command = (usage: string, description: string, example: string) =>
    archive
      .command(usage)
      .description(description)
      .option('--json', 'one JSON document on standard output')
      .option('--data <dir>', 'data folder of the system')
      .addHelpText('after', `\nExample:\n  ${example}`)

  command(
    'verify [day...]',
    'prove that the archive is as it was signed; exit 1 and the first thing that is wrong if not',
    'newswire archive verify 2026-03-01',
  )
    .option('--copy <dir>', 'a copy that `archive copy` made, instead of the store')
    .option('--keys <file>', 'public keys, a file or an address (default: those beside the archive)')
    .action((days: string[], options) => ends(verifyArchive(terminal(options), days, options)))
  command(
    'copy <dir>',
    'what is closed as plain files, with the verifier; made again it fetches what is new',
    'newswire archive copy /mnt/backup/archive',
  ).action((folder: string, options) => ends(copyToFolder(terminal(options), folder)))
  command(
    'export',
    'articles as they stand, out of the archive',
    'newswire archive export --from 2026-01-01 --category thoi-su --out news.jsonl',
  )
    .addOption(new Option('--format <format>', 'JSON lines, ninjs lines, or a folder of HTML').choices(exportFormats).default('jsonl'))
    .option('--from <day>', 'first released on this day or later, yyyy-mm-dd')
    .option('--to <day>', 'first released on this day or earlier')
    .option('--category <id>', 'with its children')
    .option('--publisher <id>', 'of this publisher alone')
    .option('--all-versions', 'every version, and not only how it stands; for jsonl')
    .requiredOption('--out <path>', 'a file, - for standard output, or the folder for html')
    .action(options => ends(exportToFile(terminal(options), options)))
  command('close', 'close and sign what waits now; days are closed by themselves once they have ended', 'newswire archive close')
    .option('--timeout <seconds>', 'how long it is waited for', toSeconds, 120)
    .action(options => ends(closeArchive(terminal(options), options)))
  command('rotate-key', 'sign with a new key from the next manifest on; old ones stay published', 'newswire archive rotate-key')
    .option('--timeout <seconds>', 'how long it is waited for', toSeconds, 60)
    .action(options => ends(rotateArchiveKey(terminal(options), options)))
}
