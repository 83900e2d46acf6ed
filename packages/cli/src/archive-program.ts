/** The `archive` commands with their options. */
import { exportFormats } from '@newswire/archive/export'
import { Option } from 'commander'
import { closeArchive, copyToFolder, rotateArchiveKey, verifyArchive } from './archive.ts'
import { exportToFile } from './archive-export.ts'
import { type CommandTree, toSeconds } from './command-tree.ts'

export const addArchiveCommands = (program: CommandTree): void => {
  const archive = program.group('archive', 'everything ever released, for good: proved, copied, taken out', 'newswire archive verify')
  archive
    .add(
      'verify [day...]',
      'prove that the archive is as it was signed; exit 1 and the first thing that is wrong if not',
      'newswire archive verify 2026-03-01',
      verifyArchive,
    )
    .option('--copy <dir>', 'a copy that `archive copy` made, instead of the store')
    .option('--keys <file>', 'public keys, a file or an address (default: those beside the archive)')
  archive.add(
    'copy <dir>',
    'what is closed as plain files, with the verifier; made again it fetches what is new',
    'newswire archive copy /mnt/backup/archive',
    copyToFolder,
  )
  archive
    .add(
      'export',
      'articles as they stand, out of the archive',
      'newswire archive export --from 2026-01-01 --category thoi-su --out news.jsonl',
      exportToFile,
    )
    .addOption(new Option('--format <format>', 'JSON lines, ninjs lines, or a folder of HTML').choices(exportFormats).default('jsonl'))
    .option('--from <day>', 'first released on this day or later, yyyy-mm-dd')
    .option('--to <day>', 'first released on this day or earlier')
    .option('--category <id>', 'with its children')
    .option('--publisher <id>', 'of this publisher alone')
    .option('--all-versions', 'every version, and not only how it stands; for jsonl')
    .option('--everything', 'for html: also what the public may not see, articles for editors and pictures for some or of an ended right')
    .requiredOption('--out <path>', 'a file, - for standard output, or the folder for html')
  archive
    .add(
      'close',
      'close and sign what waits now; days are closed by themselves once they have ended',
      'newswire archive close',
      closeArchive,
    )
    .option('--timeout <seconds>', 'how long it is waited for', toSeconds, 120)
  archive
    .add(
      'rotate-key',
      'sign with a new key from the next manifest on; old ones stay published',
      'newswire archive rotate-key',
      rotateArchiveKey,
    )
    .option('--timeout <seconds>', 'how long it is waited for', toSeconds, 60)
}
