/** The commands that speak to a running system, and those that set up its topics. */
import { existsSync } from 'node:fs'
import type { NewswireConfig } from '@newswire/events/config'
import { parseArticleId, toArticleId } from '@newswire/events/ids'
import { topicSpecs } from '@newswire/events/topics'
import { publishEvents } from '@newswire/log/events'
import type { TopicReport } from '@newswire/log/log'
import { applyConfiguration, type Change } from '@newswire/runtime/apply-config'
import type { ArticleSummary, ArticleTrace } from '@newswire/trace/queries'
import { type Client, createClient, readClientFile } from './client.ts'
import { openPorts } from './compose.ts'
import { readConfigFile } from './config-file.ts'
import { warn } from './finish.ts'
import { raiseEpoch } from './log-mark.ts'
import { printable } from './printable.ts'
import { showTable, showTrace } from './show.ts'
import { siteTimes } from './site-times.ts'
import { printDocument, printResult, type Terminal } from './terminal.ts'
import { FailedError, UnreachableError, UsageError } from './usage-error.ts'

/**
 * `ID` on the command line: the local id, or the whole article id. What begins with another publisher's name would otherwise become a
 * local id of ours, and a retraction of the wrong article would be accepted.
 */
export const splitId = (id: string, publisher: string | null): { localId: string; articleId: string } => {
  const whole = parseArticleId(id)
  if (publisher === null) return { localId: whole?.localId ?? id, articleId: id }
  if (whole?.publisher === publisher) return { localId: whole.localId, articleId: id }
  return { localId: id, articleId: toArticleId(publisher, id) }
}

const isKnown = async ({ console }: Pick<Client, 'console'>, articleId: string): Promise<boolean> => {
  try {
    await console('GET', `/v1/articles/${encodeURIComponent(articleId)}/versions`)
    return true
  } catch (error) {
    if (error instanceof FailedError && error.code === 'NEWSWIRE_NOT_FOUND') return false
    throw error
  }
}

/**
 * The whole id of an article, for what the console does: an operator's article may be of any publisher, also of one that is retired, so an id that
 * anything was ever submitted under is whole, whoever's token this is. Throws `UsageError` when it is a local id of ours as well: a purge
 * takes what cannot be brought back.
 */
export const wholeId = async (using: Pick<Client, 'console' | 'whose'>, id: string): Promise<string> => {
  const { articleId } = splitId(id, await using.whose())
  if (articleId === id || parseArticleId(id) === null) return articleId
  if (!(await isKnown(using, id))) return articleId
  if (!(await isKnown(using, articleId))) return id
  throw new UsageError(
    `${id} may be meant for two articles, ${articleId} and ${id} of another publisher. Write ${articleId} for the first; for the second set NEWSWIRE_TOKEN to a token of its publisher.`,
  )
}

export const trace = async (terminal: Terminal, id: string): Promise<boolean> => {
  const using = await createClient(terminal)
  const found = (await using.console('GET', `/v1/articles/${encodeURIComponent(await wholeId(using, id))}/trace`)) as ArticleTrace
  const say = await siteTimes(using, terminal)
  printResult(terminal, found, say(showTrace(found)))
  return true
}

type OverviewAnswer = {
  healthy: boolean
  sentence: string
  articles: number
  releasedLastMinute: number
  deadLetters: number
  submissions?: Readonly<{ held?: number }>
  stages: { group: string; topic: string; lag: number; oldestMs: number | null }[]
  /** Of secrets that the process that delivers was not started with. */
  warnings?: readonly string[]
}

/** Of what is held, so many are named. */
const HELD_NAMED = 5

/** Why each is held ends with until when, so by their words the next to go out comes first. */
const readHeld = async ({ console }: Pick<Client, 'console'>, count: number, say: (text: string) => string): Promise<readonly string[]> => {
  const held = (await console('GET', '/v1/articles?state=held&limit=500')) as readonly ArticleSummary[]
  const rows = held.map(one => [one.articleId, one.detail ?? '']).sort(([, a = ''], [, b = '']) => (a < b ? -1 : 1))
  const table = say(showTable(rows.slice(0, HELD_NAMED))).split('\n')
  const lines = count > HELD_NAMED ? [...table, `and ${count - HELD_NAMED} more`] : table
  return [`${count} held:`, ...lines.map(line => `  ${line}`)]
}

export const status = async (terminal: Terminal): Promise<boolean> => {
  const using = await createClient(terminal)
  const overview = (await using.console('GET', '/v1/overview')) as OverviewAnswer
  const held = overview.submissions?.held ?? 0
  const say = await siteTimes(using, terminal)
  const rows = overview.stages.map(stage => [
    stage.group,
    stage.topic,
    String(stage.lag),
    stage.oldestMs === null ? '–' : `${Math.round(stage.oldestMs / 1000)} s`,
  ])
  const words = [
    `${overview.healthy ? '✔' : '✖'} ${say(overview.sentence)}`,
    `${overview.articles} articles, ${overview.releasedLastMinute} released in the last minute, ${overview.deadLetters} dead letters open`,
    ...(held === 0 || terminal.json ? [] : await readHeld(using, held, say)),
    showTable([['group', 'topic', 'waiting', 'oldest'], ...rows]),
  ]
  if (!terminal.json) for (const line of overview.warnings ?? []) warn(terminal, line)
  printResult(terminal, overview, words.join('\n'))
  return overview.healthy
}

/** `warnings`: of what a running system can see and a file cannot. */
type Applied = Readonly<{ changes: readonly Change[]; warnings?: readonly string[] }>

export const showChanges = (changes: readonly Change[], dryRun: boolean): string => {
  const unnamed = changes.filter(one => one.change === 'unnamed').map(one => `${one.kind}/${one.id}`)
  const moved = changes.filter(one => one.change !== 'unchanged' && one.change !== 'unnamed')
  const still = changes.length - moved.length - unnamed.length
  return [
    ...moved.map(one => `  ${one.change.padEnd(7)} ${one.kind}/${one.id}${one.detail === '' ? '' : `  ${one.detail}`}`),
    ...(moved.length === 0 ? ['Nothing to change.'] : []),
    ...(moved.length > 0 && dryRun ? ['Nothing was applied (--dry-run).'] : []),
    ...(moved.length > 0 && !dryRun ? [`${moved.length} applied, ${still} unchanged.`] : []),
    ...(unnamed.length === 0 ? [] : [`${unnamed.length} no longer named and still in force: ${unnamed.join(', ')} (retire with --prune)`]),
  ].join('\n')
}

type ApplyFlags = Readonly<{ prune: boolean; dryRun: boolean; force: boolean }>

const applyThroughConsole = async (terminal: Terminal, config: NewswireConfig, { prune, dryRun, force }: ApplyFlags): Promise<Applied> => {
  const using = await createClient(terminal)
  return (await using.console('PUT', `/v1/config?prune=${prune}&dryRun=${dryRun}&force=${force}`, JSON.stringify(config))) as Applied
}

const applyDirectly = async ({ settings }: Terminal, config: NewswireConfig, flags: ApplyFlags): Promise<Applied> => {
  const ports = await openPorts(settings, 'apply')
  try {
    return {
      changes: await applyConfiguration({ objects: ports.objects, publish: publishEvents(ports.log), config, ...flags, now: Date.now }),
    }
  } finally {
    await ports.close()
  }
}

/** Whether a console to speak to is known: from the environment, or left by a system that was started from the data folder. */
const knowsConsole = async ({ environment, settings }: Terminal): Promise<boolean> =>
  environment.NEWSWIRE_CONSOLE_URL !== undefined || (await readClientFile(settings.dataDir)) !== null

/**
 * Through the console of a running system; else straight into log and store, because the first configuration comes before the first
 * service. The log and the disk store have one owner, so this cannot go behind the back of a system that runs on them.
 */
export const apply = async (
  terminal: Terminal,
  file: string,
  { prune = false, dryRun = false, force = false }: Partial<ApplyFlags>,
): Promise<boolean> => {
  const flags = { prune, dryRun, force }
  const config = await readConfigFile(file)
  const direct = terminal.settings.kafkaBrokers.length > 0 || !(await knowsConsole(terminal))
  if (direct && terminal.settings.kafkaBrokers.length === 0 && !existsSync(terminal.settings.dataDir))
    throw new UsageError(
      `there is no system in ${terminal.settings.dataDir}: name its folder with --data, or start one with \`newswire up --config ${file}\``,
    )
  const applied = direct
    ? await applyDirectly(terminal, config, flags)
    : await applyThroughConsole(terminal, config, flags).catch(error => {
        if (error instanceof UnreachableError) return applyDirectly(terminal, config, flags)
        throw error
      })
  if (!terminal.json) for (const line of applied.warnings ?? []) warn(terminal, line)
  printResult(terminal, applied, showChanges(applied.changes, dryRun))
  return true
}

const showTopics = (reports: readonly TopicReport[]): string =>
  showTable(reports.map(report => [report.topic, report.state, report.differences.join('; ')]))

export const topics = async (terminal: Terminal, action: 'check' | 'apply', { newEpoch }: { newEpoch?: boolean }): Promise<boolean> => {
  const { settings } = terminal
  if (settings.kafkaBrokers.length === 0)
    throw new UsageError('KAFKA_BROKERS is not set. The embedded log makes its own topics; there is nothing to apply.')
  const ports = await openPorts(settings, 'topics')
  try {
    if (newEpoch) terminal.say(`The epoch is now ${await raiseEpoch(ports.objects)}; start every service again.`)
    const reports = await ports.log.topics(topicSpecs, { apply: action === 'apply' })
    printResult(terminal, { topics: reports }, showTopics(reports))
    return reports.every(report => report.state === 'created' || report.state === 'as-wanted')
  } finally {
    await ports.close()
  }
}

type Letter = { id: string; at: string; service: string; topic: string; code: string; message: string; state: string }

/** The most that the console gives at once. */
const LETTERS_AT_ONCE = 500

/** All of them, a page after the other. */
export const readLetters = async (ask: (path: string) => Promise<unknown>, openOnly: boolean): Promise<Letter[]> => {
  const all: Letter[] = []
  for (;;) {
    const last = all.at(-1)
    const after = last === undefined ? '' : `&after=${encodeURIComponent(last.id)}`
    const page = (await ask(`/v1/dead-letters?limit=${LETTERS_AT_ONCE}${openOnly ? '&state=open' : ''}${after}`)) as Letter[]
    all.push(...page)
    if (page.length < LETTERS_AT_ONCE) return all
  }
}

export const listDeadLetters = async (terminal: Terminal, { open = false }: { open?: boolean }): Promise<boolean> => {
  const client = await createClient(terminal)
  const letters = await readLetters(path => client.console('GET', path), open)
  const rows = letters.map(one => [one.id, one.at, one.service, one.topic, one.state, `${one.code}: ${one.message}`.slice(0, 120)])
  const table = showTable([['id', 'when', 'service', 'topic', 'state', 'why'], ...rows])
  printResult(terminal, letters, letters.length === 0 ? 'No dead letters.' : table)
  return true
}

export const showDeadLetter = async (terminal: Terminal, id: string): Promise<boolean> => {
  const letter = await (await createClient(terminal)).console('GET', `/v1/dead-letters/${encodeURIComponent(id)}`)
  printDocument(terminal, letter, printable(JSON.stringify(letter, null, 2)))
  return true
}

/** One after the other: the first that cannot be ends it, and those before it are done. */
export const endDeadLetters = async (terminal: Terminal, act: 'redrive' | 'discard', ids: readonly string[]): Promise<boolean> => {
  const client = await createClient(terminal)
  const done: unknown[] = []
  for (const id of ids) {
    done.push(await client.console('POST', `/v1/dead-letters/${encodeURIComponent(id)}/${act}`))
    if (!terminal.json) terminal.print(`${id} ${act === 'redrive' ? 'redriven' : 'discarded'}`)
  }
  if (terminal.json) terminal.print(JSON.stringify(done.length === 1 ? done[0] : done))
  return true
}
