/**
 * Applying a configuration: a plan first, then each object by compare-and-swap against what the plan saw, then the notes that they changed.
 * A crash in between leaves a part applied: applying again does the rest, and processes that missed a note see the change within a minute.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ConfigKind, IssuedToken, NewswireConfig } from '@newswire/events/config'
import { RejectError } from '@newswire/events/errors'
import type { NewswireEvent } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { Publish } from '@newswire/log/events'
import { swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { type Entry, nameOf, readEntries, readEntry } from './config-entries.ts'
import { sideBySide } from './side-by-side.ts'

export type Change = Readonly<{
  kind: ConfigKind
  id: string
  /** `unnamed`: in force and no longer in the file; it stays, because only `prune` retires. */
  change: 'create' | 'update' | 'retire' | 'unchanged' | 'unnamed'
  /** What changes, for a person: `limit: 50 → 20`. Empty when there is nothing to say. */
  detail: string
}>

export type ApplyOptions = Readonly<{
  objects: Objects
  publish: Publish
  config: NewswireConfig
  /** Retires what the file no longer names; without it that stays as it is. */
  prune?: boolean
  /** Only says what would change. */
  dryRun?: boolean
  /** Lets `site.id` change, which changes the identity of every item ever published. */
  force?: boolean
  /** Throws when what is in force may not be replaced; asked of the very states that are swapped out. What changes meanwhile in objects that stay as they are is not seen. */
  checkHeld?: (held: readonly Entry[]) => void
  now: () => number
}>

type Wanted = Readonly<{ kind: ConfigKind; id: string; value: unknown }>
type StoredDocument = Readonly<{ n: number; retired: boolean; changedAt: string; value: unknown }>
type Step = Readonly<{ change: Change; value: unknown; held: Entry | null }>

const toWanted = ({ site, network, pictures, publishers, categories, feeds, outlets }: NewswireConfig): readonly Wanted[] => {
  const all = (kind: ConfigKind, values: readonly { id: string }[]) => values.map(value => ({ kind, id: value.id, value }))
  return [
    { kind: 'site', id: 'main', value: site },
    { kind: 'network', id: 'main', value: network },
    ...(pictures === undefined ? [] : [{ kind: 'pictures' as const, id: 'main', value: pictures }]),
    ...all('publishers', publishers),
    ...all('categories', categories),
    ...all('feeds', feeds),
    ...all('outlets', outlets),
  ]
}

/** Through JSON, so that what is stored and what is wanted compare alike. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null))

const MAX_SHOWN = 60
const show = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

/** Field by field at the top level; lists and objects by name alone. */
const toDetail = (before: unknown, after: unknown): string => {
  const [from, to] = [plain(before), plain(after)] as Record<string, unknown>[]
  const fields = [...new Set([...Object.keys(from ?? {}), ...Object.keys(to ?? {})])]
  return fields
    .filter(field => !isDeepStrictEqual(from?.[field], to?.[field]))
    .map(field => {
      const values = [from?.[field], to?.[field]]
      return values.some(value => typeof value === 'object') ? field : `${field}: ${values.map(show).join(' → ')}`
    })
    .join(', ')
}

export const planOne = ({ kind, id, value }: Wanted, held: Entry | null): Step => {
  if (held === null) return { change: { kind, id, change: 'create', detail: '' }, value, held }
  const detail = toDetail(held.stored, value)
  if (held.retired) {
    // As far as a replay reaches (`outlet-control.ts`).
    const missed = kind === 'outlets' ? ` (newswire replay outlet ${id} --from 0 sends what came for it within 14 days, as it is now)` : ''
    const again = `in force again${missed}`
    return { change: { kind, id, change: 'update', detail: [again, detail].filter(Boolean).join(', ') }, value, held }
  }
  return { change: { kind, id, change: detail === '' ? 'unchanged' : 'update', detail }, value, held }
}

const makePlan = (config: NewswireConfig, held: ReadonlyMap<string, Entry>, prune: boolean): readonly Step[] => {
  const wanted = toWanted(config)
  const named = new Set(wanted.map(nameOf))
  const gone = [...held.values()].filter(entry => entry.kind !== 'tokens' && !entry.retired && !named.has(nameOf(entry)))
  return [
    ...wanted.map(one => planOne(one, held.get(nameOf(one)) ?? null)),
    ...gone.map(entry => ({
      change: { kind: entry.kind, id: entry.id, change: prune ? ('retire' as const) : ('unnamed' as const), detail: 'no longer named' },
      value: entry.stored,
      held: entry,
    })),
  ]
}

/** Every state an object ever had is kept, so that what was done under it can be explained. Repeating writes the same bytes. */
const keepHistory = (objects: Objects, { kind, id }: Pick<Wanted, 'kind' | 'id'>, document: StoredDocument) =>
  swapDocument(objects, keys.configHistory(kind, id, document.n), document, null)

const toStored = ({ n, retired, changedAt, stored }: Entry): StoredDocument => ({ n, retired, changedAt, value: stored })

/** The same for a state, however often it is made. */
const noteOf = ({ kind, id, n, changedAt }: Pick<Entry, 'kind' | 'id' | 'n' | 'changedAt'>): NewswireEvent => {
  const eventId = deriveId('config', kind, id, n)
  return {
    id: eventId,
    type: 'config.changed',
    source: '/services/console',
    subject: `${kind}/${id}`,
    time: changedAt,
    correlationid: eventId,
    data: { kind, id, n },
  }
}

/** Swaps one step in; the note of it is for the caller to publish. Throws `NEWSWIRE_CONFIG_RACE` when the object is not the one that was planned for. */
const write = async (objects: Objects, { change: { kind, id, change }, value, held }: Step, now: () => number): Promise<NewswireEvent> => {
  // A process that died between the two writes below has not kept the state that now goes.
  if (held) await keepHistory(objects, held, toStored(held))
  const document = { n: (held?.n ?? 0) + 1, retired: change === 'retire', changedAt: new Date(now()).toISOString(), value }
  const swapped = await swapDocument(objects, keys.config(kind, id), document, held?.etag ?? null)
  if (!swapped.ok)
    throw new RejectError(
      'NEWSWIRE_CONFIG_RACE',
      `${kind}/${id} was changed by somebody else since the plan was made; look at the plan again and apply once more`,
    )
  await keepHistory(objects, { kind, id }, document)
  return noteOf({ kind, id, ...document })
}

/** Small objects; the store refuses those that it has. */
const HEALED_AT_ONCE = 16

/**
 * What stays as it is was perhaps written by a process that died before it kept it: kept now. History comes after the swap, because one written
 * before it would be kept for good also when somebody else wins the race.
 */
export const heal = async (objects: Objects, steps: readonly Step[]): Promise<void> => {
  const all = steps.flatMap(({ held }) => held ?? [])
  await sideBySide(all, HEALED_AT_ONCE, held => keepHistory(objects, held, toStored(held)))
}

/** So many of what was written are named. */
const MAX_NAMED = 5

/** Also when a later one could not be written: what was written is in force, and who applies is told what that is. */
const writeAll = async ({ objects, publish, now }: ApplyOptions, steps: readonly Step[]): Promise<void> => {
  const events: NewswireEvent[] = []
  try {
    for (const step of steps) events.push(await write(objects, step, now))
  } catch (error) {
    if (!(error instanceof RejectError) || events.length === 0) throw error
    const names = events.map(({ subject }) => subject)
    const shown = [...names.slice(0, MAX_NAMED), ...(names.length > MAX_NAMED ? [`${names.length - MAX_NAMED} more`] : [])]
    throw new RejectError(error.code, `${error.message} (in force already, of this plan: ${shown.join(', ')})`)
  } finally {
    if (events.length > 0) await publish(events, { synced: true })
  }
}

/** All that is stored. Throws `RejectError` `NEWSWIRE_CONFIG_OBJECT` when something there is no configuration. */
export const readHeld = async (objects: Pick<Objects, 'get' | 'list'>): Promise<readonly Entry[]> => {
  const { entries, unreadable } = await readEntries(objects)
  const [bad] = unreadable
  if (bad) throw new RejectError('NEWSWIRE_CONFIG_OBJECT', `${bad.offence}; restore ${bad.key} from config-history/, or delete it`)
  return entries
}

/** Throws `RejectError` `NEWSWIRE_CONFIG_SITE_ID` when the site's identity would change without `force`. */
export const checkSite = (entries: readonly Entry[], config: NewswireConfig, force: boolean): void => {
  const before = entries.find(one => nameOf(one) === 'site/main')?.stored as { id?: unknown } | undefined
  if (before === undefined || before.id === config.site.id || force) return
  throw new RejectError(
    'NEWSWIRE_CONFIG_SITE_ID',
    `site.id is ${JSON.stringify(before.id)} and every published item is named after it; ${JSON.stringify(config.site.id)} would make them all new ones. Apply with --force if that is meant.`,
  )
}

/**
 * The plan, carried out unless `dryRun`. Throws `RejectError` `NEWSWIRE_CONFIG_SITE_ID` when the site's identity would change without
 * `force`, `NEWSWIRE_CONFIG_RACE` when somebody else applies at the same time, `NEWSWIRE_CONFIG_OBJECT` when what is stored is no
 * configuration. Safe to repeat: the second time finds nothing to do.
 */
export const applyConfiguration = async (options: ApplyOptions): Promise<readonly Change[]> => {
  const { objects, config, prune = false, dryRun = false, force = false } = options
  const entries = await readHeld(objects)
  options.checkHeld?.(entries)
  checkSite(entries, config, force)
  const held = new Map(entries.map(entry => [nameOf(entry), entry]))
  const plan = makePlan(config, held, prune)
  if (!dryRun) {
    const isUnchanged = ({ change }: Step) => change.change === 'unchanged' || change.change === 'unnamed'
    await writeAll(
      options,
      plan.filter(step => !isUnchanged(step)),
    )
    await heal(objects, plan.filter(isUnchanged))
  }
  return plan.map(step => step.change)
}

type Changing = Pick<ApplyOptions, 'objects' | 'publish' | 'now'>

/** One step that is not part of a plan. Throws as `write` does. */
export const change = async ({ objects, publish, now }: Changing, step: Step): Promise<void> =>
  void (await publish([await write(objects, step, now)], { synced: true }))

const nameToken = ({ publisher, id }: Pick<IssuedToken, 'publisher' | 'id'>) => ({ kind: 'tokens' as const, id: `${publisher}-${id}` })

/** Lets a token in that no file names. Applying a file leaves it; doing it again changes nothing. */
export const issueToken = async (options: Changing, token: IssuedToken): Promise<void> => {
  const wanted: Wanted = { ...nameToken(token), value: token }
  const step = planOne(wanted, await readEntry(options.objects, wanted))
  if (step.change.change === 'unchanged') return heal(options.objects, [step])
  await change(options, step)
}

const isRace = (error: unknown): boolean => error instanceof RejectError && error.code === 'NEWSWIRE_CONFIG_RACE'

/**
 * Makes a token that no file names. `false`, and nothing is written, when the publisher has or had one of this name, or somebody else makes it at this
 * moment: a revoked name stays taken, so that what was done with it can be told.
 */
export const createToken = async (options: Changing, token: IssuedToken): Promise<boolean> => {
  const wanted: Wanted = { ...nameToken(token), value: token }
  if ((await readEntry(options.objects, wanted)) !== null) return false
  try {
    await change(options, planOne(wanted, null))
  } catch (error) {
    if (isRace(error)) return false
    throw error
  }
  return true
}

/** Takes an issued token back: from the note on, within a second everywhere. `false` when there is none of this name. Safe to repeat, also at once. */
export const revokeToken = async (options: Changing, token: Pick<IssuedToken, 'publisher' | 'id'>): Promise<boolean> => {
  const name = nameToken(token)
  const held = await readEntry(options.objects, name)
  if (held === null || (held.value as IssuedToken | undefined)?.publisher !== token.publisher) return false
  if (held.retired) {
    // Whoever did it may have died before the note, or found the log away; until then the token would be good for a minute.
    await options.publish([noteOf(held)], { synced: true })
    return true
  }
  try {
    await change(options, { change: { ...name, change: 'retire', detail: 'revoked' }, value: held.stored, held })
  } catch (error) {
    // Nothing but another revocation changes a token.
    if (isRace(error)) return revokeToken(options, token)
    throw error
  }
  return true
}
