/** What is said once something was accepted, and with `--wait` once it has come to its end. */
import { styleText } from 'node:util'
import type { Command } from 'commander'
import type { Client } from './client.ts'
import { type WaitOptions, withWait } from './command-tree.ts'
import type { Accepted } from './send-article.ts'
import { printResult, sayProgress, type Terminal } from './terminal.ts'
import { waitForSinks } from './wait.ts'

/** To a command that ends with `finish`. */
export const withFinish = (command: Command): Command =>
  withWait(command, 'follow it until every feed, archive and outlet has it; exit 1 if one has not', 60)

/** Shown of one answer; `--json` has all of them. */
const SHOWN = 5

/** A line that is not to be read over: on standard error, where no result stands. */
export const warn = ({ say }: Pick<Terminal, 'say'>, line: string): void =>
  say(styleText('yellow', `! ${line}`, { stream: process.stderr }))

export const sayWarnings = (terminal: Pick<Terminal, 'say'>, articleId: string, warnings: Accepted['warnings'] = []): void => {
  for (const one of warnings.slice(0, SHOWN)) warn(terminal, `${articleId}${one.pointer === '' ? '' : ` ${one.pointer}`}: ${one.detail}`)
  if (warnings.length > SHOWN) warn(terminal, `${articleId}: and ${warnings.length - SHOWN} more`)
}

/** False when it did not come to a good end. */
export const finish = async (terminal: Terminal, using: Client, accepted: Accepted, { wait, timeout }: WaitOptions): Promise<boolean> => {
  const { json } = terminal
  if (!json) sayWarnings(terminal, accepted.articleId, accepted.warnings)
  if (!wait) {
    printResult(terminal, accepted, `accepted ${accepted.articleId} (submission ${accepted.submissionId})`)
    return true
  }
  const waited = await waitForSinks(using, accepted.submissionId, accepted.articleId, {
    timeoutMs: timeout * 1000,
    report: line => sayProgress(terminal, line),
  })
  if (waited.warning !== undefined && !json) warn(terminal, `${accepted.articleId}: ${waited.warning}`)
  const words = `${accepted.articleId}: ${waited.state}${waited.detail === '' ? '' : `, ${waited.detail}`}`
  printResult(terminal, { ...accepted, ...waited }, words)
  return waited.ok
}
