/**
 * `newswire rebuild articles [ID…]`: the store has lost what an article stands at, or was put back from a copy that is older than the log. The log keeps the
 * newest version of every article for good, so `current/` is made again from it wherever the store has less. Of named articles that is all, and on Kafka it
 * is done beside what runs. Of all of them, the groups handle again what they had handled with the store that is lost: feeds and pages are built anew,
 * versions are archived, routes are written. A partner may get a version once more, under the same `webhook-id`.
 *
 * Safe to repeat, and killed it begins anew: what was said last is made last, so a start is refused until all of it is done.
 */

import { holdKey } from '@newswire/desk/handle'
import { stateFromLog } from '@newswire/desk/restore'
import { dueTimes } from '@newswire/desk/state'
import { type ArticleEvent, fromRecord, isArticleEvent } from '@newswire/events/events'
import { type Fact, isLive } from '@newswire/events/fact'
import { isArticleId } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import type { Log, Position } from '@newswire/log/log'
import { parseArchivedVersion, readArchived } from '@newswire/objects/archived'
import { swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { openPorts, type Ports } from './compose.ts'
import { checkLogMark, checkLogMarkBeforeOpening, findOtherLog, findReplacedLog, keepMark, newerOf, readFact, sideOf } from './log-mark.ts'
import { eachRecord, type Held, type Lost, lookAtHeld, readState, tellLost } from './rebuild-held.ts'
import { replayGroup, stopFirst } from './replay-topic.ts'
import { printResult, sayNowAndThen, type Terminal } from './terminal.ts'
import { FailedError, UsageError } from './usage-error.ts'

const TOPIC = topics.articles.name
const GROUPS = ['feeds', 'archive', 'outlets-route'] as const
/** Records before the first that the store lacks: when the copy was made, handlers may have been this far behind the desk. */
const MARGIN = 1_000
const AT_ONCE = 16

type Place = Readonly<{ partition: number; position: Position }>
/** `at`: when the log took it, ms since 1970. */
type Told = Place & Readonly<{ version: number; isLive: boolean; at: number }>

/** `null` when it is no longer there. */
const readArticle = async (log: Pick<Log, 'read'>, { partition, position }: Place): Promise<ArticleEvent | null> => {
  const [record] = (await log.read({ topic: TOPIC, partition, from: { positions: { [partition]: position } }, limit: 1 })).records
  const event = record?.position === position ? fromRecord(record) : null
  return isArticleEvent(event) ? event : null
}

/** What the log says of each article, in the order of its partition. `wanted`: of these alone; of all when it is empty. */
const readLog = async (log: Pick<Log, 'ends' | 'read' | 'partitionOf'>, wanted: ReadonlySet<string>, report: (records: number) => void) => {
  const told = new Map<string, Told[]>()
  const partitions = new Set([...wanted].map(id => log.partitionOf(TOPIC, id)))
  let count = 0
  const isWanted = (partition: number) => wanted.size === 0 || partitions.has(partition)
  await eachRecord(log, TOPIC, isWanted, record => {
    count += 1
    report(count)
    if (wanted.size > 0 && !wanted.has(record.key ?? '')) return
    const fact = readFact(record)
    if (fact === null) return
    const known = told.get(fact.articleId) ?? []
    const { partition, position, timestamp: at } = record
    known.push({ partition, position, version: fact.version, isLive: isLive(fact), at })
    told.set(fact.articleId, known)
  })
  return told
}

type Lacking = Readonly<{ articleId: string; held: Held; newest: Told; first: Told; live: Told | null }>

/** `null` when the store has as much. */
const findLacking = async (objects: Pick<Objects, 'get'>, articleId: string, told: readonly Told[]): Promise<Lacking | null> => {
  const newest = told.reduce((one, other) => newerOf(one, other))
  const held = await readState(objects, articleId)
  const stored = held.value?.released?.fact.version ?? 0
  const first = told.find(one => one.version > stored)
  if (newest.version <= stored || first === undefined) return null
  const live = told.findLast(one => one.isLive && one.version <= newest.version) ?? null
  return { articleId, held, newest, first, live }
}

/** In the order in which they were said, as a start asks for what was said last. */
const lackingOf = async (objects: Pick<Objects, 'get'>, told: ReadonlyMap<string, readonly Told[]>): Promise<readonly Lacking[]> => {
  const all = [...told]
  const found: Lacking[] = []
  for (let at = 0; at < all.length; at += AT_ONCE) {
    const some = all.slice(at, at + AT_ONCE)
    found.push(...(await Promise.all(some.map(([id, versions]) => findLacking(objects, id, versions)))).filter(one => one !== null))
  }
  return found.sort(({ newest: a }, { newest: b }) => a.at - b.at || a.position - b.position)
}

/** What the store lacks, in the order in which it is made again: until the last is there a start is refused. `wanted`: as `readLog` has it. */
export const findAllLacking = async (
  { log, objects }: Readonly<{ log: Pick<Log, 'ends' | 'read' | 'partitionOf'>; objects: Pick<Objects, 'get'> }>,
  wanted: ReadonlySet<string>,
  report: (records: number) => void,
): Promise<readonly Lacking[]> => {
  const told = await readLog(log, wanted, report)
  const unknown = [...wanted].filter(id => !told.has(id))
  if (unknown.length > 0) throw new FailedError(`the log knows nothing of ${unknown.join(', ')}`)
  return lackingOf(objects, told)
}

/** The newest content from before an article's end: a republish brings it back. The log has it for 30 days, the archive for good. */
const readLive = async ({ log, objects }: Ports, { live, newest, articleId }: Lacking, fact: Fact): Promise<Fact | null> => {
  if (isLive(fact)) return fact
  if (live !== null) return (await readArticle(log, live))?.data ?? null
  for (let version = newest.version - 1; version > 0; version--) {
    const key = keys.archive(fact.firstReleasedAt, articleId, version)
    const bytes = await readArchived(objects, key)
    const archived = bytes === null ? null : parseArchivedVersion(bytes, key).fact
    if (archived !== null && isLive(archived)) return archived
  }
  return null
}

type Healed = Readonly<{ articleId: string; version: number; lacksPictures: boolean }>
/** `withdrawn`: held articles that wait no more; `outdated`: that wait as they were, and were submitted again; `lost`: submissions that waited, and are nowhere. `isOlder`: the whole store was put back, and not a named article lost. */
type Done = Readonly<{ healed: readonly Healed[]; withdrawn: number; outdated: readonly string[]; lost: readonly Lost[]; isOlder: boolean }>

const healOne = async (ports: Ports, lacking: Lacking): Promise<Healed> => {
  const { objects, log } = ports
  const { articleId, held, newest } = lacking
  const event = await readArticle(log, newest)
  if (event === null) throw new FailedError(`version ${newest.version} of ${articleId} is no longer in the log; run this again`)
  const next = { ...stateFromLog(event, await readLive(ports, lacking, event.data)), n: (held.value?.n ?? 0) + 1 }
  for (const dueMs of dueTimes(next)) await objects.put(holdKey(dueMs, articleId), new Uint8Array(), { ifNoneMatch: '*' })
  if (!(await swapDocument(objects, keys.current(articleId), next, held.etag)).ok)
    throw new FailedError(`${articleId} is changed at the same moment: run this again`)
  const pictures = isLive(event.data) ? event.data.article.images.filter(one => one.state === 'ready') : []
  const there = await Promise.all(
    pictures.map(async ({ sha256 }) => sha256 === undefined || (await objects.head(keys.original(sha256))) !== null),
  )
  return { articleId, version: newest.version, lacksPictures: there.includes(false) }
}

/** Groups go back to before the first record that the store lacks. */
const replayGroups = async ({ log }: Ports, lacking: readonly Lacking[]): Promise<void> => {
  const places = new Map<number, Position>()
  for (const { partition, start, end } of await log.ends(TOPIC)) {
    const lacked = lacking.filter(({ first }) => first.partition === partition).map(({ first }) => first.position)
    places.set(partition, Math.max(start, Math.min(end, ...lacked) - MARGIN))
  }
  for (const group of GROUPS) {
    const { refused } = await replayGroup(log, TOPIC, group, places, false)
    if (refused !== null) throw new FailedError(`${group}: ${refused}`)
  }
}

const heal = async (terminal: Terminal, ports: Ports, ids: readonly string[]): Promise<Done> => {
  const { log, objects } = ports
  const report = sayNowAndThen(terminal)
  const lacking = await findAllLacking(ports, new Set(ids), count => report(() => `${count} records of the log read`))
  const isOlder = ids.length === 0 && (lacking.length > 0 || (await findReplacedLog(sideOf(log), objects)) !== null)
  if (isOlder) await replayGroups(ports, lacking)
  const made = new Set(lacking.map(one => one.articleId))
  const held = isOlder ? await lookAtHeld(ports, made) : { withdrawn: 0, outdated: [] }
  // Before articles are made again, so that killed in between it is told all the same. Of a named one that lacks nothing, the desk may be telling just now.
  const lost = ids.length > 0 && made.size === 0 ? [] : await tellLost(ports, { wanted: ids.length > 0 ? made : new Set(), healed: made })
  // What images knew of who has which picture was of an earlier time.
  if (isOlder) for await (const page of listPages(objects, keys.pictureMarksPrefix)) for (const { key } of page) await objects.delete(key)
  const healed: Healed[] = []
  // The last alone, when all others are there: until then a start is refused.
  const stop = lacking.length - 1
  for (let next = 0; next <= stop; ) {
    const end = next < stop ? Math.min(next + AT_ONCE, stop) : stop + 1
    healed.push(...(await Promise.all(lacking.slice(next, end).map(one => healOne(ports, one)))))
    report(() => `${healed.length} of ${lacking.length} articles`)
    next = end
  }
  if (isOlder) await keepMark(log, objects, { begins: true })
  return { healed, ...held, lost, isOlder }
}

const MOST_NAMED = 10
const named = (ids: readonly string[]): string =>
  ids.length > MOST_NAMED ? `${ids.slice(0, MOST_NAMED).join(', ')} and ${ids.length - MOST_NAMED} more` : ids.join(', ')

const wordsFor = ({ healed, withdrawn, outdated, lost, isOlder }: Done): string => {
  if (healed.length === 0 && lost.length === 0 && !isOlder) return 'Nothing to do: the store has all that the log says of articles.'
  const lacking = healed.filter(one => one.lacksPictures).map(one => one.articleId)
  const follow = isOlder
    ? 'Start the services: feeds, pages, the archive and routes follow. A partner may get a version once more, under the same id.'
    : 'What was refused meanwhile: `newswire dead-letters list`, and redrive it.'
  return [
    ...(healed.length === 0 && !isOlder
      ? []
      : [`${healed.length} ${healed.length === 1 ? 'article' : 'articles'} made right again. ${follow}`]),
    ...(withdrawn === 0
      ? []
      : [
          `${withdrawn} that ${withdrawn === 1 ? 'was' : 'were'} held, and withdrawn since, ${withdrawn === 1 ? 'waits' : 'wait'} no more.`,
        ]),
    ...(outdated.length === 0
      ? []
      : [
          `Held as it was when the copy was made, and submitted again since: ${named(outdated)}. Send it again before its time, or retract it.`,
        ]),
    ...(lost.length === 0
      ? []
      : [
          `Lost with the store while it waited, and told as refused: ${named([...new Set(lost.map(one => one.articleId))])}. Submit it again.`,
        ]),
    ...(isOlder
      ? [
          'Not back, because it was in the store alone, since the copy: settings and tokens (apply, make and revoke them again), keys that were rotated, and what publishers sent, as it came.',
        ]
      : []),
    ...(lacking.length === 0 ? [] : [`Pictures are lost of ${named(lacking)}: send these articles again with their pictures.`]),
  ].join('\n')
}

export const rebuildArticles = async (terminal: Terminal, ids: readonly string[]): Promise<boolean> => {
  const { settings } = terminal
  const wrong = ids.find(id => !isArticleId(id))
  if (wrong !== undefined)
    throw new UsageError(`${wrong} is no id of an article: it is <publisher>.<local id>, as \`newswire trace\` shows it`)
  if (settings.kafkaBrokers.length === 0) await checkLogMarkBeforeOpening(settings, findOtherLog)
  const ports = await openPorts(settings, 'rebuild', { floor: 0 }).catch(stopFirst(settings))
  try {
    await checkLogMark(sideOf(ports.log), ports.objects, findOtherLog)
    const done = await heal(terminal, ports, ids)
    printResult(terminal, { articles: done.healed, withdrawn: done.withdrawn, outdated: done.outdated, lost: done.lost }, wordsFor(done))
    return true
  } finally {
    await ports.close()
  }
}
