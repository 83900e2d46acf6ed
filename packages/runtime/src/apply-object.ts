/** One object of the configuration, changed as `apply` would change it: checked within the whole, swapped in against what was read, announced. */
import type { NewswireConfig } from '@newswire/events/config'
import { RejectError } from '@newswire/events/errors'
import { type ApplyOptions, type Change, change, checkSite, heal, planOne, readHeld } from './apply-config.ts'
import { type Complaint, checkConfig } from './check-config.ts'
import { type Entry, nameOf } from './config-entries.ts'
import { type FileKind, isSingle, splitPath, toConfigFile, withObject } from './config-in-force.ts'

type WantedObject = Readonly<{ kind: FileKind; id: string; value: unknown }>

/** `path`: within the object; `object`: of another one, which the change would leave wrong. */
export type ObjectComplaint = Complaint & Readonly<{ object?: string }>

type AppliedObject =
  /** `n`: of the state that stands then, `value`: what is in it. */
  | Readonly<{ ok: true; change: Change; config: NewswireConfig; n: number; value: unknown }>
  | Readonly<{ ok: false; why: 'condition'; held: Entry | null }>
  | Readonly<{ ok: false; why: 'complaints'; complaints: readonly ObjectComplaint[] }>

type ApplyObjectOptions = Omit<ApplyOptions, 'config' | 'prune'> &
  Readonly<{
    /** Whether what is in force may be replaced; `null` when there is none. Asked of the very state that is swapped out. */
    condition?: (held: Entry | null) => boolean
  }>

const inForce = (held: Entry | null): Entry | null => (held === null || held.retired ? null : held)

const findValue = (config: NewswireConfig, { kind, id }: WantedObject): unknown =>
  isSingle(kind) ? config[kind] : config[kind].find(one => one.id === id)

const withId = ({ kind, id, value }: WantedObject): unknown =>
  isSingle(kind) || typeof value !== 'object' || value === null || Array.isArray(value) ? value : { id, ...value }

/** An object is known by the place it is put to. */
const findOtherId = ({ kind, id, value }: WantedObject): readonly ObjectComplaint[] => {
  const named = isSingle(kind) ? undefined : (value as { id?: unknown } | null)?.id
  return named === undefined || named === id
    ? []
    : [{ path: 'id', expected: `${JSON.stringify(id)}, as in the address`, found: JSON.stringify(named) ?? 'nothing' }]
}

/** Every complaint about the whole configuration with this object in it. */
const check = (entries: readonly Entry[], wanted: WantedObject) => {
  const { file, path } = withObject(toConfigFile(entries), wanted, withId(wanted))
  const [otherId, checked] = [findOtherId(wanted), checkConfig(file)]
  if (checked.ok && otherId.length === 0) return checked
  const isMine = (one: Complaint) => one.path === path || one.path.startsWith(`${path}.`)
  const complaints = (checked.ok ? [] : checked.complaints).map(one => {
    const { name, within } = splitPath(file, one.path)
    return isMine(one) ? { ...one, path: within } : { ...one, path: within, object: name }
  })
  return { ok: false as const, complaints: [...otherId, ...complaints] }
}

/**
 * Throws as `applyConfiguration` does: `NEWSWIRE_CONFIG_SITE_ID` when the site's identity would change without `force`, `NEWSWIRE_CONFIG_RACE` when
 * somebody else changes the object at the same time and no condition says what that means. Safe to repeat.
 */
export const applyObject = async (options: ApplyObjectOptions, wanted: WantedObject): Promise<AppliedObject> => {
  const { objects, condition, dryRun = false, force = false } = options
  const entries = await readHeld(objects)
  const held = entries.find(one => nameOf(one) === nameOf(wanted)) ?? null
  if (condition !== undefined && !condition(inForce(held))) return { ok: false, why: 'condition', held: inForce(held) }
  const checked = check(entries, wanted)
  if (!checked.ok) return { ok: false, why: 'complaints', complaints: checked.complaints }
  const { config } = checked
  checkSite(entries, config, force)
  const value = findValue(config, wanted)
  const step = planOne({ kind: wanted.kind, id: wanted.id, value }, held)
  const isUnchanged = step.change.change === 'unchanged'
  const applied = { ok: true, change: step.change, config, n: (held?.n ?? 0) + (isUnchanged ? 0 : 1), value } as const
  if (dryRun) return applied
  if (isUnchanged) {
    await heal(objects, [step])
    return applied
  }
  try {
    await change(options, step)
  } catch (error) {
    if (condition === undefined || !(error instanceof RejectError) || error.code !== 'NEWSWIRE_CONFIG_RACE') throw error
    const winner = (await readHeld(objects)).find(one => nameOf(one) === nameOf(wanted)) ?? null
    return { ok: false, why: 'condition', held: inForce(winner) }
  }
  return applied
}
