/** The `archive` commands with their options. */
import type { Command } from 'commander'
import { closeArchive, copyToFolder, rotateArchiveKey, verifyArchive } from './archive.ts'
import type { Terminal } from './commands.ts'

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
  command('close', 'close and sign what waits now; days are closed by themselves once they have ended', 'newswire archive close')
    .option('--timeout <seconds>', 'how long it is waited for', toSeconds, 120)
    .action(options => ends(closeArchive(terminal(options), options)))
  command('rotate-key', 'sign with a new key from the next manifest on; old ones stay published', 'newswire archive rotate-key')
    .option('--timeout <seconds>', 'how long it is waited for', toSeconds, 60)
    .action(options => ends(rotateArchiveKey(terminal(options), options)))
}
