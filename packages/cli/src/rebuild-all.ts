/**
 * `newswire rebuild all`: the broker is lost. Everything that is derived is made again from the archive, onto a log that is empty: `current/`, and one
 * record of each article's newest version, from which feeds, pages and search build themselves at the next start. Partners are told nothing: what they
 * have is in the routes, if the store still has those. Nothing else may run meanwhile.
 *
 * The new log begins above all positions of the old one (architecture §6.19). Safe to repeat: a mark in the store says that one is under way.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { newestManifest, readManifest } from '@newswire/archive/finish'
import { holdKey } from '@newswire/desk/handle'
import { factEvent } from '@newswire/desk/outcomes'
import { restoredEvent } from '@newswire/desk/restore'
import { dueTimes, type State, state } from '@newswire/desk/state'
import { UnavailableError } from '@newswire/events/errors'
import { type EventRecord, toRecord } from '@newswire/events/events'
import { topicSpecs, topics } from '@newswire/events/topics'
import { daysOf } from '@newswire/objects/archived-days'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import type { Settings } from '@newswire/runtime/settings'
import { z } from 'zod'
import { openPorts, type Ports } from './compose.ts'
import { findOtherLog, hasRecords, keepMark, type LogSide, raiseEpoch, readMarkEnds, sideOf, sideOfFile } from './log-mark.ts'
import { openObjects, openReader } from './open-objects.ts'
import { type Restorer, startRestorer } from './restore-days.ts'
import type { PreparedArticle } from './restore-prepare.ts'
import { printResult, sayNowAndThen, type Terminal } from './terminal.ts'
import { FailedError } from './usage-error.ts'

/**
 * Groups that must not take what is restored for news: partners have it, and so has the archive, unless the store knew of a newer version. Feeds need
 * no intent an article: they compare themselves with all articles when they start (architecture §6.7), and look at what their windows hold alone.
 */
const GROUPS = ['outlets-route', 'feeds'] as const
const ARCHIVE = 'archive'
/** Above the highest position that is known by so much: deliveries and milestones may have had more records since it was written down. */
const FLOOR_GAP = 2 ** 30
/** Batches under way: one is written to the log while the states of another are put. */
const AHEAD = 3
const READY_MS = 30_000
const READY_TICK_MS = 250

const underWay = z.object({ n: z.int(), floor: z.int() })

/** The newest closing of the archive; `null` when there was none. */
const lastClosing = async (objects: Objects) => {
  const newest = await newestManifest(objects)
  return newest === 0 ? null : ((await readManifest(objects, newest))?.head ?? null)
}

/** The highest position of the lost log that the store knows of. */
const floorFor = async (objects: Objects): Promise<number> => {
  const cut = (await lastClosing(objects))?.cut
  const known = [...Object.values(cut?.articles ?? {}), ...Object.values(cut?.milestones ?? {}), ...(await readMarkEnds(objects))]
  return Math.max(0, ...known) + FLOOR_GAP
}

/** Topics that were made just now have no leader on every broker yet, and groups no coordinator. */
const untilReady = async <T>(work: () => Promise<T>): Promise<T> => {
  for (const giveUpMs = performance.now() + READY_MS; ; await setTimeout(READY_TICK_MS))
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof UnavailableError) || performance.now() > giveUpMs) throw error
    }
}

const refuseFull = async (log: LogSide, objects: Objects): Promise<void> => {
  if (!(await untilReady(() => hasRecords(log, topics.articles.name)))) return
  if (log.kind === 'embedded' && (await findOtherLog(log, objects)) !== null)
    throw new FailedError(
      'The log has articles in it, and is another one than the store knows. If the one that belongs to the store is lost, move log.db, log.db-wal and log.db-shm out of the data folder and run this again: it is for an empty log.',
    )
  throw new FailedError(
    'The log has articles in it, so it is not lost: `newswire rebuild articles` makes right again what the store has lost of articles, `newswire rebuild feeds` makes feeds again, local views are made again when their files are deleted. This is for an empty log.',
  )
}

/** Asked of the log as it is: opened for a rebuild, one that is in use would go on above what runs on it. */
const refuseUsed = async (settings: Settings, objects: Objects): Promise<void> => {
  if (settings.kafkaBrokers.length === 0) return refuseFull(sideOfFile(settings), objects)
  const ports = await openPorts(settings, 'rebuild')
  try {
    await ports.log.topics(topicSpecs, { apply: true })
    await refuseFull(sideOf(ports.log), objects)
  } finally {
    await ports.close()
  }
}

/** What is decided before the log is opened; a repeat goes on with what was. Throws `FailedError` when the log is in use. */
const begin = async (settings: Settings, objects: Objects): Promise<{ floor: number; isRepeat: boolean }> => {
  const found = await getDocument(objects, keys.rebuildMark(), underWay)
  if (found !== null) return { floor: found.value.floor, isRepeat: true }
  await refuseUsed(settings, objects)
  if (settings.kafkaBrokers.length === 0) return { floor: await floorFor(objects), isRepeat: false }
  await raiseEpoch(objects)
  return { floor: 0, isRepeat: false }
}

const putHolds = async (objects: Objects, dueTimes: readonly number[], articleId: string): Promise<void> => {
  for (const dueMs of dueTimes) await objects.put(holdKey(dueMs, articleId), new Uint8Array(), { ifNoneMatch: '*' })
}

type Restored = Readonly<{ records: readonly EventRecord[]; isArchived: boolean }>

const decoder = new TextDecoder('utf-8', { fatal: true })
/** What the archive has, counted on from what the store had. */
const countedOn = ({ state }: PreparedArticle, held: State): State => ({ ...(JSON.parse(decoder.decode(state)) as State), n: held.n + 1 })

/** The state in the store when it is at least as new; else the one made from the archive. Gives the fact to publish, and what says that it is in force again. */
const restoreOne = async (objects: Objects, prepared: PreparedArticle): Promise<Restored> => {
  const { articleId, version, dueMs, record, restored } = prepared
  const key = keys.current(articleId)
  const held = await getDocument(objects, key, state)
  const released = held?.value.released ?? null
  if (held !== null && released !== null && released.fact.version >= version) {
    await putHolds(objects, dueTimes(held.value), articleId)
    const isArchived = released.fact.version === version
    const told = restoredEvent(released, { at: new Date().toISOString(), isArchived })
    return { records: [factEvent(released), told].map(toRecord), isArchived }
  }
  const swapped = await (held === null
    ? objects.put(key, prepared.state, { ifNoneMatch: '*' })
    : swapDocument(objects, key, countedOn(prepared, held.value), held.etag))
  if (!swapped.ok) throw new FailedError(`${articleId} is changed at the same moment: stop every service first`)
  await putHolds(objects, dueMs, articleId)
  return { records: [record, restored], isArchived: true }
}

const restoreAll = async (
  { objects, log }: Ports,
  restorer: Restorer,
  report: (day: string, done: number, of: number, articles: number) => void,
): Promise<Readonly<{ articles: number; allArchived: boolean }>> => {
  const days = await daysOf(objects)
  let articles = 0
  let allArchived = true
  let done = 0
  /** In the order of the archive, whichever batch is put first. */
  const finish = async (restoring: Promise<readonly Restored[]>, before: Promise<void> | undefined): Promise<void> => {
    const [ready] = await Promise.all([restoring, before])
    await log.publish(
      ready.flatMap(one => one.records),
      { synced: true },
    )
    articles += ready.length
    allArchived &&= ready.every(one => one.isArchived)
  }
  const underWay: Promise<void>[] = []
  for await (const { folder, articles: some, isLast } of restorer.read(objects, days)) {
    if (isLast) {
      done += 1
      report(folder.replaceAll('/', '-'), done, days.length, articles)
      continue
    }
    const mine = finish(Promise.all(some.map(one => restoreOne(objects, one))), underWay.at(-1))
    mine.catch(() => undefined) // thrown where it is waited for, also when something else fails first
    underWay.push(mine)
    if (underWay.length >= AHEAD) await underWay.shift()
  }
  await Promise.all(underWay)
  return { articles, allArchived }
}

export const rebuildAll = async (terminal: Terminal): Promise<boolean> => {
  const { settings } = terminal
  // Opened for writing one would be made, and lie in the way of the one that is put back.
  await (await openReader(settings)).close()
  const objects = await openObjects(settings)
  let begun: Awaited<ReturnType<typeof begin>>
  try {
    if ((await daysOf(objects)).length === 0) throw new FailedError('The archive of this store is empty: there is nothing to rebuild from.')
    begun = await begin(settings, objects)
  } finally {
    await objects.close()
  }
  const restorer = startRestorer()
  const ports = await openPorts(settings, 'rebuild', { floor: begun.floor }).catch(async error => {
    await restorer.stop()
    throw error
  })
  try {
    await ports.log.topics(topicSpecs, { apply: true })
    if (!begun.isRepeat) await swapDocument(ports.objects, keys.rebuildMark(), { n: 1, floor: begun.floor }, null)
    const tell = sayNowAndThen(terminal)
    const { articles, allArchived } = await restoreAll(ports, restorer, (day, done, of, count) =>
      tell(() => `${day}: ${done} of ${of} days, ${count} articles`, done === of),
    )
    for (const group of [...GROUPS, ...(allArchived ? [ARCHIVE] : [])])
      await untilReady(() => ports.log.replay(group, topics.articles.name, 'end'))
    // Views of the lost log, which this one's positions would look like a continuation of.
    await rm(join(settings.dataDir, 'views'), { recursive: true, force: true })
    // What images knew of who has which picture was of the articles from before.
    for await (const page of listPages(ports.objects, keys.pictureMarksPrefix)) for (const { key } of page) await ports.objects.delete(key)
    // The store knows this log from now on, also where it knew none before.
    await keepMark(ports.log, ports.objects)
    await ports.objects.delete(keys.rebuildMark())
    const closedAt = (await lastClosing(ports.objects))?.closedAt ?? null
    const since = closedAt === null ? 'at all, because no day was closed yet' : `since the archive was closed last (${closedAt})`
    const words = [
      `${articles} articles restored. Start the services; on other machines delete their folders \`views\` first.`,
      'Not back, because it was in the log alone: submissions that were held or on their way, and dead letters (submit them again);',
      `and for the archive's ledger what was told of articles ${since}.`,
    ].join('\n')
    printResult(terminal, { articles, ledgerUntil: closedAt }, words)
    return true
  } finally {
    await restorer.stop()
    await ports.close()
  }
}
