/** The configuration in force, kept current by following `config-changes`; the objects under `config/` are the truth. */
import { setTimeout as sleep } from 'node:timers/promises'
import type {
  CategoryConfig,
  ConfigKind,
  FeedConfig,
  IssuedToken,
  NetworkConfig,
  OutletConfig,
  PublisherConfig,
  SiteConfig,
} from '@newswire/events/config'
import { fromRecord } from '@newswire/events/events'
import { type PicturesConfig, picturesConfig } from '@newswire/events/picture-config'
import { topics } from '@newswire/events/topics'
import type { Log, LogRecord } from '@newswire/log/log'
import type { Objects } from '@newswire/objects/objects'
import { type Entries, type Entry, nameOf, readEntries, readEntry } from './config-entries.ts'
import type { Logger } from './logger.ts'
import { createRounds } from './rounds.ts'

export type ConfigSnapshot = Readonly<{
  site: SiteConfig
  network: NetworkConfig
  /** Absent: the defaults (`picturesOf`). */
  pictures?: PicturesConfig
  /** With the tokens of the file and those that the system made. */
  publishers: ReadonlyMap<string, PublisherConfig>
  /** With retired ones, which still name what was filed under them. */
  categories: ReadonlyMap<string, CategoryConfig>
  /** Feeds in force; retired ones are not here. */
  feeds: ReadonlyMap<string, FeedConfig>
  /** Outlets with retired ones (`retired: true`), because kills still go to them. */
  outlets: ReadonlyMap<string, OutletConfig>
}>

/** What is made of pictures; the defaults where a configuration is older than the table. */
export const picturesOf = ({ pictures }: Pick<ConfigSnapshot, 'pictures'>): PicturesConfig => pictures ?? picturesConfig.parse({})

export type Configuration = Readonly<{
  current(): ConfigSnapshot
  /** Called after every change with the kinds that changed; returns how to stop being called. What it throws is logged. */
  onChange(listener: (changed: ReadonlySet<ConfigKind>) => void): () => void
  close(): Promise<void>
}>

export type ConfigurationOptions = Readonly<{
  objects: Pick<Objects, 'get' | 'list'>
  log: Pick<Log, 'whenThere' | 'follow'>
  logger: Logger
  /** How long to wait for a first configuration, in ms (default 0: fail at once when there is none). */
  waitMs?: number
  /** How often everything is looked at again, in ms (default 60 000): it heals a change whose note was lost. */
  relistEveryMs?: number
}>

const RELIST_EVERY_MS = 60_000
/** After a failure it is tried again so soon. */
const AGAIN_AFTER_MS = 1_000

class NoConfigurationError extends Error {
  override readonly name = 'NoConfigurationError'
  readonly code = 'NEWSWIRE_CONFIG_NONE'
}

const withRetired = ({ value, retired }: Entry): object => ({
  ...(value as object),
  retired: retired || (value as { retired?: boolean }).retired === true,
})

const withIssuedTokens = (
  publishers: ReadonlyMap<string, PublisherConfig>,
  issued: readonly IssuedToken[],
): ReadonlyMap<string, PublisherConfig> =>
  new Map(
    [...publishers].map(([id, publisher]) => [
      id,
      {
        ...publisher,
        tokens: [...publisher.tokens, ...issued.filter(one => one.publisher === id).map(({ publisher: _, ...token }) => token)],
      },
    ]),
  )

const toSnapshot = (entries: readonly Entry[]): ConfigSnapshot | null => {
  const only = (kind: ConfigKind) => entries.filter(entry => entry.kind === kind)
  const inForce = <T>(kind: ConfigKind) =>
    new Map(
      only(kind)
        .filter(entry => !entry.retired)
        .map(entry => [entry.id, entry.value as T]),
    )
  const [site] = only('site')
  const [network] = only('network')
  const pictures = inForce<PicturesConfig>('pictures').get('main')
  if (site === undefined) return null
  return {
    site: site.value as SiteConfig,
    network: (network?.value as NetworkConfig | undefined) ?? { allow: [], allowHttp: false },
    ...(pictures === undefined ? {} : { pictures }),
    publishers: withIssuedTokens(inForce('publishers'), [...inForce<IssuedToken>('tokens').values()]),
    categories: new Map(only('categories').map(entry => [entry.id, entry.value as CategoryConfig])),
    feeds: inForce('feeds'),
    outlets: new Map(only('outlets').map(entry => [entry.id, withRetired(entry) as OutletConfig])),
  }
}

/** What is held, and who wants to know when it changes. An object that cannot be used never replaces one that could. */
const createHolding = (logger: Logger) => {
  const held = new Map<string, Entry>()
  const listeners = new Set<(changed: ReadonlySet<ConfigKind>) => void>()
  let snapshot: ConfigSnapshot | null = null

  const tell = (changed: ReadonlySet<ConfigKind>) => {
    for (const listener of listeners)
      try {
        listener(changed)
      } catch (error) {
        logger.error({ err: error }, 'configuration.listener-failed')
      }
  }
  return {
    listeners,
    current: () => snapshot,
    isHeld: (entry: Pick<Entry, 'kind' | 'id' | 'n'>) => (held.get(nameOf(entry))?.n ?? 0) >= entry.n,
    isKnown: (name: Pick<Entry, 'kind' | 'id'>, etag: string) => held.get(nameOf(name))?.etag === etag,
    take: ({ entries, unreadable }: Entries) => {
      for (const { key, offence } of unreadable) logger.error({ key, offence }, 'configuration.object-unreadable')
      const newer = entries.filter(entry => (held.get(nameOf(entry))?.n ?? 0) < entry.n)
      for (const entry of newer)
        if (entry.offence === null) held.set(nameOf(entry), entry)
        else logger.error({ object: nameOf(entry), n: entry.n, offence: entry.offence }, 'configuration.object-refused')
      const changed = new Set(newer.filter(entry => entry.offence === null).map(entry => entry.kind))
      if (changed.size === 0) return
      // By id: they come in the order in which the store answered, which is another one in every process.
      snapshot = toSnapshot([...held.values()].sort((a, b) => (a.id < b.id ? -1 : 1)))
      tell(changed)
    },
  }
}

/**
 * Reads everything, then follows changes. Throws `NoConfigurationError` when nothing was ever applied and nothing comes within `waitMs`,
 * `UnavailableError` when the store is away at the start.
 */
export const createConfiguration = async ({
  objects,
  log,
  logger,
  waitMs = 0,
  relistEveryMs = RELIST_EVERY_MS,
}: ConfigurationOptions): Promise<Configuration> => {
  const holding = createHolding(logger)
  const relist = async () => holding.take(await readEntries(objects, holding.isKnown))
  const rounds = createRounds({
    run: relist,
    everyMs: relistEveryMs,
    retryMs: Math.min(relistEveryMs, AGAIN_AFTER_MS),
    onError: error => logger.warn({ err: error }, 'configuration.unread'),
  })

  const onRecord = async (record: LogRecord) => {
    const event = fromRecord(record)
    if (event?.type !== 'config.changed' || holding.isHeld(event.data)) return
    const entry = await readEntry(objects, event.data)
    if (entry) holding.take({ entries: [entry], unreadable: [] })
  }
  const onRecords = async (records: readonly LogRecord[]) => {
    for (const record of records)
      try {
        await onRecord(record)
      } catch (error) {
        // Everything is read again now. A record that is no event of ours ends in the dead letters by way of the console.
        logger.warn({ err: error, position: record.position }, 'configuration.change-unread')
        rounds.request()
      }
  }
  // Following begins before the list is read, so nothing falls between the two.
  const following = await log.follow({ topic: topics.configChanges.name, from: 'end', onRecords })
  const close = async () => {
    await following.stop()
    await rounds.stop()
  }
  try {
    await relist()
    const deadline = performance.now() + waitMs
    while (holding.current() === null && performance.now() < deadline) {
      await sleep(Math.min(AGAIN_AFTER_MS, relistEveryMs))
      await relist()
    }
    if (holding.current() === null)
      throw new NoConfigurationError(
        'There is no configuration yet. Start with `newswire up --config newswire.yaml`, or on Kafka run `newswire apply newswire.yaml` first; there is one to begin with in packages/cli/demo.',
      )
  } catch (error) {
    await close()
    throw error
  }
  rounds.later()
  // What was changed before a log that comes late could be followed is in the list alone.
  if (log.whenThere !== undefined) following.ready.then(rounds.request, () => undefined)
  return {
    current: () => {
      const snapshot = holding.current()
      if (snapshot === null) throw new NoConfigurationError('The configuration is gone.')
      return snapshot
    },
    onChange: listener => {
      holding.listeners.add(listener)
      return () => holding.listeners.delete(listener)
    },
    close,
  }
}
