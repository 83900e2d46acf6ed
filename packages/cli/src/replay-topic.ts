/**
 * `newswire replay topic`: groups handle again what a topic still keeps. Handling twice is handling once (`test/replay.e2e.test.ts`), so it changes
 * nothing that is as it should be, and mends what a handler missed. The groups must stand still: the log has one place for each, and a member
 * that runs would write its own over it.
 */
import { isInstant } from '@newswire/events/article'
import { codeOf } from '@newswire/events/errors'
import { topicSpecs, topics } from '@newswire/events/topics'
import type { Lag, Log, Position, Start } from '@newswire/log/log'
import type { Settings } from '@newswire/runtime/settings'
import { openPorts } from './compose.ts'
import { showTable } from './show.ts'
import { printResult, type Terminal } from './terminal.ts'
import { FailedError, UsageError } from './usage-error.ts'

/** Who may handle a topic again. What is not here has its own way, or would tell somebody outside the same once more. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  [topics.submissions.name]: ['images'],
  [topics.submissionsBackfill.name]: ['images-backfill'],
  [topics.prepared.name]: ['desk'],
  [topics.articles.name]: ['feeds', 'archive', 'outlets-route'],
  [topics.feedChanges.name]: ['feeds-build'],
}

const OTHERWISE: Readonly<Record<string, string>> = {
  [topics.deliveries.name]: 'partners would get everything again; `newswire replay outlet ID --from …` replays one, as fast as it takes it',
  [topics.deadLetters.name]: 'give them back one by one: `newswire dead-letters redrive ID`',
  [topics.milestones.name]: 'the trace is a view, made again when its file under `views` is deleted; publishers are called back once',
  [topics.feeds.name]: 'subscribers would get every feed again; `newswire rebuild feeds` makes feeds again from state',
}

/** A time with an offset, a position of one partition, or all that is kept. */
type ReplayPlace = 'start' | Readonly<{ time: string }> | Readonly<{ partition: number; position: Position }>

/** Where a group goes on in one partition. `to` is never after `from`: what waits is never passed over. */
type Move = Readonly<{ group: string; partition: number; from: Position; to: Position }>

/** Throws `UsageError`. */
export const parsePlace = (from: string, partition: string | undefined): ReplayPlace => {
  if (/^\d{1,16}$/.test(from)) {
    if (partition !== undefined && /^\d{1,4}$/.test(partition)) return { partition: Number(partition), position: Number(from) }
    throw new UsageError(
      `${from} is a position, and each partition has its own: name it with --partition N (\`newswire dead-letters show\` says both)`,
    )
  }
  if (partition !== undefined) throw new UsageError('--partition goes with a position; a time and `start` are for all partitions')
  if (from === 'start') return 'start'
  if (isInstant(from)) return { time: from }
  throw new UsageError(
    `--from must be start, a time with an offset (2026-01-31T08:00:00+07:00), or a position with --partition; got ${from}`,
  )
}

/** Throws `UsageError` for a topic or a group that is none of those that may. */
export const groupsFor = (topic: string, wanted: readonly string[]): readonly string[] => {
  const known = GROUPS[topic]
  if (known === undefined) {
    const instead = OTHERWISE[topic]
    const there = `topics that can be: ${Object.keys(GROUPS).join(', ')}`
    if (instead !== undefined) throw new UsageError(`${topic} is not replayed: ${instead}`)
    throw new UsageError(
      topicSpecs.some(({ name }) => name === topic) ? `${topic} is not replayed; ${there}` : `there is no topic ${topic}; ${there}`,
    )
  }
  const unknown = wanted.filter(group => !known.includes(group))
  if (unknown.length > 0)
    throw new UsageError(`${unknown.join(', ')} does not handle ${topic}; ${known.join(', ')} ${known.length === 1 ? 'does' : 'do'}`)
  return wanted.length === 0 ? known : wanted
}

/** The first kept position at a place, by partition; where nothing is, the end. */
const resolvePlace = async (log: Pick<Log, 'ends' | 'read'>, topic: string, place: ReplayPlace): Promise<ReadonlyMap<number, Position>> => {
  const ends = await log.ends(topic)
  if (place !== 'start' && 'partition' in place) {
    const found = ends.find(one => one.partition === place.partition)
    if (found === undefined) throw new UsageError(`${topic} has no partition ${place.partition}; it has ${ends.length}, from 0 on`)
    return new Map([[place.partition, Math.max(place.position, found.start)]])
  }
  const places = await Promise.all(
    ends.map(async ({ partition, start, end }): Promise<[number, Position]> => {
      if (place === 'start') return [partition, start]
      const from: Start = { timeMs: Date.parse(place.time) }
      const [first] = (await log.read({ topic, partition, from, limit: 1 })).records
      return [partition, first?.position ?? end]
    }),
  )
  return new Map(places)
}

/** Only backwards. A partition that a group never committed in is read from its start anyway. Pure. */
export const planMoves = (group: string, lags: readonly Lag[], places: ReadonlyMap<number, Position>): readonly Move[] =>
  lags.flatMap(({ partition, committed }) => {
    const to = places.get(partition)
    return committed === null || to === undefined || to >= committed ? [] : [{ group, partition, from: committed, to }]
  })

/** Partitions that are not named would begin at their start, so all of them are. */
const move = async (log: Pick<Log, 'replay'>, topic: string, lags: readonly Lag[], moves: readonly Move[]): Promise<void> => {
  const [first] = moves
  if (first === undefined) return
  const positions = Object.fromEntries(
    lags.flatMap(({ partition, committed }) => {
      const to = moves.find(one => one.partition === partition)?.to ?? committed
      return to === null ? [] : [[partition, to]]
    }),
  )
  await log.replay(first.group, topic, { positions })
}

type TopicReplay = Readonly<{ group: readonly string[]; from: string; partition?: string; dryRun?: boolean }>

type Done = Readonly<{ group: string; moves: readonly Move[]; records: number; refused: string | null }>

const ofTopic = (lags: readonly Lag[], topic: string) => lags.filter(one => one.topic === topic)

export const replayGroup = async (
  log: Log,
  topic: string,
  group: string,
  places: ReadonlyMap<number, Position>,
  dryRun: boolean,
): Promise<Done> => {
  const lags = ofTopic(await log.lag(group), topic)
  const moves = planMoves(group, lags, places)
  try {
    if (!dryRun) await move(log, topic, lags, moves)
  } catch (error) {
    if (codeOf(error) !== 'NEWSWIRE_LOG_GROUP_ACTIVE') throw error
    return { group, moves: [], records: 0, refused: `the services that handle it run; stop every one of them first` }
  }
  const after = dryRun ? lags : ofTopic(await log.lag(group), topic)
  return { group, moves, records: after.reduce((sum, one) => sum + one.records, 0), refused: null }
}

const toRow = ({ group, moves, records, refused }: Done): readonly string[] => {
  if (refused !== null) return [group, '✖', refused]
  if (moves.length === 0) return [group, '·', 'nothing to go back to: it never ran, or nothing was kept before where it is']
  return [group, '✔', `back in ${moves.length} ${moves.length === 1 ? 'partition' : 'partitions'}; ${records} records wait`]
}

/** For what opens a log that a running Newswire has for itself. */
export const stopFirst =
  ({ dataDir }: Pick<Settings, 'dataDir'>) =>
  (error: unknown): never => {
    const code = codeOf(error)
    if (code !== 'NEWSWIRE_OBJECTS_IN_USE' && code !== 'NEWSWIRE_LOG_OWNED') throw error
    throw new FailedError(`Newswire runs on ${dataDir}. Stop it, run this again, then start it: what is handled again is handled then.`, {
      cause: error,
    })
  }

/** False when a group could not be set. The log is opened directly, so on this machine's own log nothing else may run. */
export const replayTopic = async (
  terminal: Terminal,
  topic: string,
  { group: groups, from, partition, dryRun = false }: TopicReplay,
): Promise<boolean> => {
  const { settings, json, say } = terminal
  const place = parsePlace(from, partition)
  const wanted = groupsFor(topic, groups)
  const ports = await openPorts(settings, 'replay').catch(stopFirst(settings))
  try {
    const places = await resolvePlace(ports.log, topic, place)
    const done: Done[] = []
    for (const group of wanted) done.push(await replayGroup(ports.log, topic, group, places, dryRun))
    printResult(terminal, { topic, dryRun, groups: done }, showTable(done.map(toRow)))
    if (!json && dryRun) say('Nothing was set (--dry-run).')
    if (!json && !dryRun && done.some(one => one.moves.length > 0)) say('Start the services: they handle it again from there.')
    return done.every(one => one.refused === null)
  } finally {
    await ports.close()
  }
}
