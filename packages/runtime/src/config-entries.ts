/** The objects under `config/`, read and checked one by one: one that cannot be used takes nothing else with it. */
import { toComplaints } from '@newswire/events/complaints'
import { type ConfigKind, configKinds, configObject } from '@newswire/events/config'
import { messageOf, RejectError } from '@newswire/events/errors'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { sideBySide } from './side-by-side.ts'

export type EntryName = Readonly<{ kind: ConfigKind; id: string }>

/** A stored configuration object. */
export type Entry = EntryName &
  Readonly<{
    /** Rises with every change. */
    n: number
    retired: boolean
    changedAt: string
    etag: string
    /** As it lies there. */
    stored: unknown
    /** As its kind's schema makes it; `undefined` when it is not as that says. */
    value: unknown
    /** Why it cannot be used; `null` when it can. */
    offence: string | null
  }>

export type Entries = Readonly<{
  entries: readonly Entry[]
  /** Objects that are no configuration objects at all. */
  unreadable: readonly Readonly<{ key: string; offence: string }>[]
}>

export const nameOf = ({ kind, id }: EntryName): string => `${kind}/${id}`

/** Reads in flight at once: hundreds of outlets must not take a round trip each. */
const CONCURRENCY = 16

const parseKey = (key: string): EntryName | null => {
  const [, kind = '', id = ''] = /^config\/([a-z-]+)\/([a-z0-9-]+)\.json$/.exec(key) ?? []
  return Object.hasOwn(configKinds, kind) ? { kind: kind as ConfigKind, id } : null
}

/** `null` when there is none. Throws `RejectError` when it is no configuration object. */
export const readEntry = async (objects: Pick<Objects, 'get'>, { kind, id }: EntryName): Promise<Entry | null> => {
  const found = await getDocument(objects, keys.config(kind, id), configObject)
  if (found === null) return null
  const { value: stored, ...envelope } = found.value
  const result = configKinds[kind].safeParse(stored)
  return {
    kind,
    id,
    ...envelope,
    etag: found.etag,
    stored,
    value: result.data,
    offence: result.success
      ? null
      : toComplaints(result.error, stored)
          .map(one => `${one.path.join('.')}: expected ${one.expected}, found ${one.found}`)
          .join('; '),
  }
}

const listNames = async (objects: Pick<Objects, 'list'>): Promise<ReadonlyArray<EntryName & { etag: string }>> => {
  const names: (EntryName & { etag: string })[] = []
  for await (const page of listPages(objects, keys.configPrefix))
    for (const { key, etag } of page) {
      const named = parseKey(key)
      if (named) names.push({ ...named, etag })
    }
  return names
}

/** All that is stored, but for what `isKnown` says is held already. Throws `UnavailableError` when the store is away. */
export const readEntries = async (
  objects: Pick<Objects, 'get' | 'list'>,
  isKnown: (name: EntryName, etag: string) => boolean = () => false,
): Promise<Entries> => {
  const wanted = (await listNames(objects)).filter(one => !isKnown(one, one.etag))
  const entries: Entry[] = []
  const unreadable: { key: string; offence: string }[] = []
  await sideBySide(wanted, CONCURRENCY, async name => {
    try {
      const entry = await readEntry(objects, name)
      if (entry) entries.push(entry)
    } catch (error) {
      if (!(error instanceof RejectError)) throw error
      unreadable.push({ key: keys.config(name.kind, name.id), offence: messageOf(error) })
    }
  })
  return { entries, unreadable }
}
