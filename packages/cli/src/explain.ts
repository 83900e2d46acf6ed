/** `newswire explain`: why an article was sent to an outlet, or was not. */
import { createClient } from './client.ts'
import { wholeId } from './commands.ts'
import { siteTimes } from './site-times.ts'
import { printResult, type Terminal } from './terminal.ts'

export const explain = async (terminal: Terminal, id: string, outlet: string, { version }: { version?: string }): Promise<boolean> => {
  const using = await createClient(terminal)
  const articleId = await wholeId(using, id)
  const question = new URLSearchParams({ article: articleId, outlet, ...(version === undefined ? {} : { version }) })
  const found = (await using.console('GET', `/v1/explain?${question}`)) as { words: readonly string[] }
  const say = await siteTimes(using, terminal)
  printResult(terminal, found, say(found.words.join('\n')))
  return true
}
