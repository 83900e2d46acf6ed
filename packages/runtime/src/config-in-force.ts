/** The configuration as a file would say it, made of its stored objects: what GET answers, and what one changed object is checked within. Pure. */
import { type ConfigKind, configKinds } from '@newswire/events/config'
import { type Entry, type EntryName, nameOf } from './config-entries.ts'

/** Kinds of which there is one object, `main`; in the file a section of its own. */
const singleKinds = ['site', 'network', 'pictures'] as const
const listKinds = ['publishers', 'categories', 'feeds', 'outlets'] as const
export type FileKind = (typeof singleKinds)[number] | (typeof listKinds)[number]

export const isSingle = (kind: ConfigKind): kind is (typeof singleKinds)[number] => (singleKinds as readonly string[]).includes(kind)
/** Whether a file has such objects. Tokens that the system made are none of its. */
export const isFileKind = (kind: string): kind is FileKind => Object.hasOwn(configKinds, kind) && kind !== 'tokens'

type ConfigFile = Readonly<Record<string, unknown>>

/** As it is used; what cannot be used as it lies there. */
export const shownOf = ({ value, stored }: Entry): unknown => value ?? stored

/** Without what is retired, and without tokens that the system made, so that applying it changes nothing. */
export const toConfigFile = (entries: readonly Entry[]): ConfigFile => {
  const inForce = entries.filter(one => !one.retired).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  const only = (kind: FileKind) => inForce.filter(one => one.kind === kind)
  return {
    ...Object.fromEntries(singleKinds.flatMap(kind => only(kind).map(one => [kind, shownOf(one)]))),
    ...Object.fromEntries(listKinds.map(kind => [kind, only(kind).map(shownOf)])),
  }
}

/** The file with one object in the place of the one of its name, or behind the others, and the path that complaints about it begin with. */
export const withObject = (file: ConfigFile, { kind, id }: EntryName, value: unknown): Readonly<{ file: ConfigFile; path: string }> => {
  if (isSingle(kind)) return { file: { ...file, [kind]: value }, path: kind }
  const list = (file[kind] ?? []) as readonly Readonly<{ id?: unknown }>[]
  const found = list.findIndex(one => one.id === id)
  const place = found === -1 ? list.length : found
  return { file: { ...file, [kind]: list.toSpliced(place, 1, value as object) }, path: `${kind}[${place}]` }
}

/** Which object of the file a path leads to, and where in it. `the file` itself is none. */
export const splitPath = (file: ConfigFile, path: string): Readonly<{ name: string; within: string }> => {
  const [, kind = '', place, within = ''] = /^([a-z]+)(?:\[(\d+)\])?\.?(.*)$/.exec(path) ?? []
  const list = file[kind]
  const id = place !== undefined && Array.isArray(list) ? (list[Number(place)] as { id?: unknown } | null)?.id : undefined
  return { name: id === undefined ? kind : `${kind}/${id}`, within }
}
