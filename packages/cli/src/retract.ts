/** `newswire retract ID` and `newswire republish ID`. */
import { parseArticleId } from '@newswire/events/ids'
import { Option } from 'commander'
import { type Client, createClient } from './client.ts'
import type { CommandTree, WaitOptions } from './command-tree.ts'
import { splitId } from './commands.ts'
import { finish, withFinish } from './finish.ts'
import type { Accepted } from './send-article.ts'
import type { Terminal } from './terminal.ts'
import { FailedError } from './usage-error.ts'

type RetractOptions = WaitOptions &
  Readonly<{ mode: string; reason: string; redirectTo?: string; notice?: string; legal?: boolean; force?: boolean }>

/** The part of the trace that tells whether anything was ever to come out of this id. */
type Known = Readonly<{ articleId?: string; versions?: readonly unknown[]; submissions?: readonly { command?: string | null }[] }>

const isNotFound = (error: unknown): boolean => error instanceof FailedError && error.code === 'NEWSWIRE_ARTICLE_UNKNOWN'

/** `articleId`: as the front door says it; absent where it cannot be asked. */
type Asked = Readonly<{ known: boolean; articleId?: string | undefined }>

/**
 * Whether an article was ever submitted under the id. Only two clear answers make it unknown: a token that may not read, or a trace that cannot be
 * asked, must not stand in the way of a retraction.
 */
const askArticle = async (using: Client, path: string): Promise<Asked> => {
  try {
    const { id: articleId } = (await using.ingest('GET', path)) as { id?: string }
    return { known: true, articleId }
  } catch (error) {
    if (!isNotFound(error)) return { known: true }
  }
  try {
    const { articleId, versions = [], submissions = [] } = (await using.ingest('GET', `${path}/trace`)) as Known
    return { known: versions.length > 0 || submissions.some(one => one.command !== 'retract' && one.command !== 'republish'), articleId }
  } catch (error) {
    return { known: !isNotFound(error) }
  }
}

/** A name that looks like another publisher's article is one of ours with a dot in it: said, because it may not be what was meant. */
const sayMeant = (id: string, articleId: string, { say }: Terminal): void => {
  if (id !== articleId && parseArticleId(id) !== null)
    say(`${id} is ${articleId} here: a token is good for the articles of its own publisher`)
}

/** Where the article is asked for. Throws `FailedError` `NEWSWIRE_ARTICLE_UNKNOWN` for an id that nothing was ever submitted under; `onward`: what could be done all the same. */
const pathOf = async (
  terminal: Terminal,
  using: Client,
  id: string,
  { done, onward, force }: Readonly<{ done: string; onward: string; force?: boolean | undefined }>,
): Promise<string> => {
  const publisher = await using.whose()
  const { localId, articleId } = splitId(id, publisher)
  sayMeant(id, articleId, terminal)
  const path = `/v1/articles/${encodeURIComponent(localId)}`
  if (force) return path
  const asked = await askArticle(using, path)
  // Whose the token is was not known, so the publisher in the id was taken for its own.
  if (publisher === null && localId !== id && asked.articleId !== undefined && asked.articleId !== id)
    throw new FailedError(`${id} is no article of this token's publisher, whose ${localId} is ${asked.articleId}: nothing was ${done}`, {
      code: 'NEWSWIRE_ARTICLE_UNKNOWN',
    })
  if (asked.known) return path
  throw new FailedError(
    `nothing was ever submitted as ${articleId}, so nothing was ${done}. \`newswire status\` and the console's list of articles show what is there${onward}`,
    { code: 'NEWSWIRE_ARTICLE_UNKNOWN' },
  )
}

export const retract = async (terminal: Terminal, id: string, options: RetractOptions): Promise<boolean> => {
  const using = await createClient(terminal)
  const { mode, reason, redirectTo, notice, legal, force } = options
  const onward = '; --force retracts it all the same, and what is submitted under this id later stays in until it is republished.'
  const path = await pathOf(terminal, using, id, { done: 'taken back', onward, force })
  const body = JSON.stringify({
    mode,
    reason,
    ...(redirectTo === undefined ? {} : { redirectTo }),
    ...(notice === undefined ? {} : { notice }),
    ...(legal ? { legal } : {}),
  })
  return finish(terminal, using, (await using.ingest('POST', `${path}/retract`, body)) as Accepted, options)
}

export const republish = async (terminal: Terminal, id: string, options: WaitOptions): Promise<boolean> => {
  const using = await createClient(terminal)
  const path = await pathOf(terminal, using, id, { done: 'brought back', onward: '.' })
  return finish(terminal, using, (await using.ingest('POST', `${path}/republish`, '{}')) as Accepted, options)
}

const MODES = `
What readers and partners get in its place:
  withdraw   410 and a notice; out of feeds, pages, search and pictures
  gone       the same, for what is over rather than wrong
  redirect   readers are sent to an address: --redirect-to https://… is required
  replace    readers are sent to another article: --redirect-to <id> is required
A reason is always required; it is kept, and partners are told. --notice is what readers see.`

export const addRetractCommands = (program: CommandTree): void => {
  withFinish(
    program.add(
      'retract <id>',
      'take an article back from everywhere',
      'newswire retract my-story --mode withdraw --reason "wrong names"',
      retract,
    ),
  )
    .addOption(
      new Option('--mode <mode>', 'what is in its place; see below')
        .choices(['withdraw', 'gone', 'redirect', 'replace'])
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'kept with the retraction')
    .option('--redirect-to <target>', 'an address for redirect, an article id for replace')
    .option('--notice <text>', 'shown to readers')
    .option('--legal', 'a law or a court asks for it')
    .option('--force', 'also when nothing was ever submitted under this id')
    .addHelpText('after', MODES)
  withFinish(program.add('republish <id>', 'bring a retracted article back', 'newswire republish my-story', republish))
}
