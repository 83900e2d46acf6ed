/** `newswire purge ID --reason R`: an article out of everything, also of the archive, because a law says so. */
import { userInfo } from 'node:os'
import { isArticleId } from '@newswire/events/ids'
import { createClient } from './client.ts'
import { type CommandTree, type WaitOptions, withWait } from './command-tree.ts'
import { wholeId } from './commands.ts'
import type { Accepted } from './send-article.ts'
import { printResult, sayProgress, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'
import { waitForSinks } from './wait.ts'

type Options = WaitOptions & Readonly<{ reason: string; by?: string }>

/** The name on this machine; a container may have none. */
const nameHere = (): string | undefined => {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}

/** True when it was accepted; with `wait`, when it is gone everywhere. */
const purge = async (terminal: Terminal, id: string, { reason, by = nameHere(), wait, timeout }: Options): Promise<boolean> => {
  const using = await createClient(terminal)
  const articleId = await wholeId(using, id)
  if (!isArticleId(articleId)) throw new UsageError(`${id} is no article id; the whole one is <publisher>.<local id>`)
  const body = JSON.stringify({ reason, ...(by === undefined ? {} : { by }) })
  const accepted = (await using.console('POST', `/v1/articles/${encodeURIComponent(articleId)}/purge`, body)) as Accepted
  if (!wait) {
    printResult(terminal, accepted, `purge of ${articleId} accepted (submission ${accepted.submissionId}); --wait follows one`)
    return true
  }
  const waited = await waitForSinks(using, accepted.submissionId, articleId, {
    timeoutMs: timeout * 1000,
    report: line => sayProgress(terminal, line),
  })
  const words = `${articleId}: ${waited.ok ? 'purged' : waited.state}${waited.detail === '' ? '' : `, ${waited.detail}`}`
  printResult(terminal, { ...accepted, ...waited }, words)
  return waited.ok
}

export const addPurgeCommand = (program: CommandTree): void => {
  withWait(
    program.add(
      'purge <id>',
      'remove an article by law: from every exit, and what was kept of it from the archive; cannot be taken back',
      'newswire purge my-story --reason "court order 12/2026" --wait',
      purge,
    ),
    'follow it until it is gone everywhere; exit 1 if it is not',
    120,
  )
    .requiredOption('--reason <text>', 'kept for good with the record of the purge: name the order, not what was purged')
    .option('--by <name>', 'who decided it (default: your name on this machine)')
}
