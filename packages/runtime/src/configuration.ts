/** The configuration in force, kept current by following `config-changes`; the objects under `config/` are the truth. */
import {
  type CategoryConfig,
  type ConfigKind,
  configKinds,
  configObject,
  type FeedConfig,
  type NetworkConfig,
  type OutletConfig,
  type PublisherConfig,
  type SiteConfig,
} from '@newswire/events/config'
import { fromRecord } from '@newswire/events/events'
import { topics } from '@newswire/events/topics'
import type { Log, LogRecord } from '@newswire/log/log'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Logger } from './logger.ts'

export type ConfigSnapshot = Readonly<{
  site: SiteConfig
  network: NetworkConfig
  publishers: ReadonlyMap<string, PublisherConfig>
  categories: ReadonlyMap<string, CategoryConfig>
  /** Feeds in force; retired ones are not here. */
  feeds: ReadonlyMap<string, FeedConfig>
  /** Outlets with retired ones (`retired: true`), because kills still go to them. */
  outlets: ReadonlyMap<string, OutletConfig>
}>

export type Configuration = Readonly<{
  current(): ConfigSnapshot
  /** Called after every change with the kinds that changed; returns how to stop being called. */
  onChange(listener: (changed: ReadonlySet<ConfigKind>) => void): () => void
  close(): Promise<void>
}>

/** One stored object: its kind, id and value, as its kind's schema has it. */
type Entry = Readonly<{ kind: ConfigKind; id: string; n: number; retired: boolean; value: unknown }>

const RELIST_EVERY_MS = 60_000

const parseKey = (key: string): { kind: ConfigKind; id: string } | null => {
  const [, kind = '', id = ''] = /^config\/([a-z-]+)\/([a-z0-9-]+)\.json$/.exec(key) ?? []
  return Object.hasOwn(configKinds, kind) ? { kind: kind as ConfigKind, id } : null
}

const readEntry = async (objects: Objects, kind: ConfigKind, id: string): Promise<Entry | null> => {
  const found = await getDocument(objects, keys.config(kind, id), configObject)
  if (found === null) return null
  return { kind, id, n: found.value.n, retired: found.value.retired, value: configKinds[kind].parse(found.value.value) }
}

/** All objects under `config/`. */
export const readEntries = async (objects: Objects): Promise<readonly Entry[]> => {
  const entries: Entry[] = []
  for (let startAfter: string | undefined; ; ) {
    const page = await objects.list(keys.configPrefix, startAfter === undefined ? {} : { startAfter })
    for (const { key } of page) {
      const named = parseKey(key)
      const entry = named && (await readEntry(objects, named.kind, named.id))
      if (entry) entries.push(entry)
    }
    startAfter = page.at(-1)?.key
    if (startAfter === undefined || page.length < 1000) return entries
  }
}

const toSnapshot = (entries: Iterable<Entry>): ConfigSnapshot | null => {
  const all = [...entries]
  const site = all.find(one => one.kind === 'site')?.value as SiteConfig | undefined
  if (site === undefined) return null
  const byId = <T>(kind: ConfigKind, withRetired = false) =>
    new Map(
      all
        .filter(one => one.kind === kind && (withRetired || !one.retired))
        .map(one => [
          one.id,
          (withRetired
            ? { ...(one.value as object), retired: one.retired || (one.value as { retired?: boolean }).retired === true }
            : one.value) as T,
        ]),
    )
  return {
    site,
    network: (all.find(one => one.kind === 'network')?.value as NetworkConfig | undefined) ?? { allow: [], allowHttp: false },
    publishers: byId('publishers'),
    // A retired category still names what was filed under it.
    categories: byId('categories', true),
    feeds: byId('feeds'),
    outlets: byId('outlets', true),
  }
}

export class NoConfigurationError extends Error {
  readonly code = 'NEWSWIRE_CONFIG_NONE'
}

/** Reads everything, then follows changes. Throws `NoConfigurationError` when nothing was ever applied. */
export const createConfiguration = async ({
  objects,
  log,
  logger,
}: {
  objects: Objects
  log: Log
  logger: Logger
}): Promise<Configuration> => {
  const listeners = new Set<(changed: ReadonlySet<ConfigKind>) => void>()
  const held = new Map<string, Entry>()
  const nameOf = (entry: { kind: ConfigKind; id: string }) => `${entry.kind}/${entry.id}`
  let snapshot: ConfigSnapshot | null = null

  const take = (entries: readonly Entry[]) => {
    const newer = entries.filter(entry => (held.get(nameOf(entry))?.n ?? 0) < entry.n)
    if (newer.length === 0) return
    for (const entry of newer) held.set(nameOf(entry), entry)
    snapshot = toSnapshot(held.values())
    const changed = new Set(newer.map(entry => entry.kind))
    for (const listener of listeners) listener(changed)
  }
  const onRecords = async (records: readonly LogRecord[]) => {
    for (const record of records) {
      try {
        const event = fromRecord(record)
        if (event?.type !== 'config.changed' || (held.get(nameOf(event.data))?.n ?? 0) >= event.data.n) continue
        const entry = await readEntry(objects, event.data.kind, event.data.id)
        if (entry) take([entry])
      } catch (error) {
        // The list below reads it again; a record that is none of ours is the console's guard's business.
        logger.warn({ err: error, position: record.position }, 'configuration.change-unread')
      }
    }
  }

  // Following begins before the list is read, so nothing falls between the two.
  const following = await log.follow({ topic: topics.configChanges.name, from: 'end', onRecords })
  take(await readEntries(objects))
  const relist = setInterval(() => {
    readEntries(objects).then(take, error => logger.warn({ err: error }, 'configuration.unread'))
  }, RELIST_EVERY_MS)
  relist.unref()
  const close = async () => {
    clearInterval(relist)
    await following.stop()
  }
  if (snapshot === null) {
    await close()
    throw new NoConfigurationError(
      'There is no configuration yet. Run `newswire apply newswire.yaml` first; examples are in packages/cli/demo.',
    )
  }
  const current = (): ConfigSnapshot => {
    if (snapshot === null) throw new NoConfigurationError('The configuration is gone.')
    return snapshot
  }
  return {
    current,
    onChange: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close,
  }
}
