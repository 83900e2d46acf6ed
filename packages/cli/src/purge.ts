/** `newswire purge ID --reason R`: an article out of everything, also of the archive, because a law says so. */
import { userInfo } from 'node:os'
import { isArticleId } from '@newswire/events/ids'
import type { Command } from 'commander'
import { createClient } from './client.ts'
import { splitId } from './commands.ts'
import type { Accepted } from './send-article.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'
import { waitForSinks } from './wait.ts'

type Options = Readonly<{ reason: string; by?: string; wait: boolean; timeout: number }>

/** The name on this machine; a container may have none. */
const nameHere = (): string | undefined => {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}

/** True when it was accepted; with `wait`, when it is gone everywhere. */
export const purge = async (terminal: Terminal, id: string, { reason, by = nameHere(), wait, timeout }: Options): Promise<boolean> => {
  const { environment, settings, json, print, say } = terminal
  const using = await createClient(environment, settings.dataDir)
  const { articleId } = splitId(id, using.publisher)
  if (!isArticleId(articleId)) throw new UsageError(`${id} is no article id; the whole one is <publisher>.<local id>`)
  const body = JSON.stringify({ reason, ...(by === undefined ? {} : { by }) })
  const accepted = (await using.console('POST', `/v1/articles/${encodeURIComponent(articleId)}/purge`, body)) as Accepted
  if (!wait) {
    print(json ? JSON.stringify(accepted) : `purge of ${articleId} accepted (submission ${accepted.submissionId}); --wait follows one`)
    return true
  }
  const waited = await waitForSinks(using, accepted.submissionId, articleId, { timeoutMs: timeout * 1000, report: say })
  print(
    json
      ? JSON.stringify({ ...accepted, ...waited })
      : `${articleId}: ${waited.ok ? 'purged' : waited.state}${waited.detail === '' ? '' : `, ${waited.detail}`}`,
  )
  return waited.ok
}

type Needs = Readonly<{
  terminal: (options: { json?: boolean; data?: string }) => Terminal
  ends: (work: Promise<boolean>) => Promise<void>
  toSeconds: (value: string) => number
}>

export const addPurgeCommand = (program: Command, { terminal, ends, toSeconds }: Needs): void => {
  program
    .command('purge')
    .description('remove an article by law: from every exit, and what was kept of it from the archive; cannot be taken back')
    .argument('<id>')
    .requiredOption('--reason <text>', 'kept for good with the record of the purge: name the order, not what was purged')
    .option('--by <name>', 'who decided it (default: your name on this machine)')
    .option('--wait', 'follow it until it is gone everywhere; exit 1 if it is not')
    .option('--timeout <seconds>', 'how long --wait waits', toSeconds, 120)
    .option('--json', 'one JSON document on standard output')
    .option('--data <dir>', 'data folder of the system that `up` started')
    .addHelpText('after', '\nExample:\n  newswire purge my-story --reason "court order 12/2026" --wait')
    .action((id: string, options) => ends(purge(terminal(options), id, { ...options, wait: options.wait === true })))
}
