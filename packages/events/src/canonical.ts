/**
 * Canonical JSON (RFC 8785): equal values give equal bytes, whatever the order of their keys. What hashes and the archive are made of. Held by a test to
 * the package `canonicalize`, which joins: that copies a long text once for each level around it.
 */
import { sha256Hex } from './ids.ts'

/** §3.2.2: numbers and strings are written as `JSON.stringify` does. `undefined` for what JSON cannot hold. */
const write = (value: unknown): string | undefined => {
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON())
  return Array.isArray(value) ? writeList(value) : writeObject(value as Readonly<Record<string, unknown>>)
}

/** Throws for what JSON cannot hold (`undefined` alone, functions, non-finite numbers). */
export const canonicalJson = (value: unknown): string => {
  const written = write(value)
  if (written === undefined) throw new TypeError(`${typeof value === 'number' ? value : typeof value} has no JSON form`)
  return written
}

const writeList = (values: readonly unknown[]): string => {
  let text = ''
  for (const value of values) text += `${text === '' ? '' : ','}${value === undefined ? 'null' : canonicalJson(value)}`
  return `[${text}]`
}

/** §3.2.3: keys by their UTF-16 code units, which is how strings are sorted. */
const writeObject = (object: Readonly<Record<string, unknown>>): string => {
  let text = ''
  for (const key of Object.keys(object).sort()) {
    const value = object[key]
    if (value !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(value)}`
  }
  return `{${text}}`
}

export const canonicalSha256 = (value: unknown): string => sha256Hex(canonicalJson(value))
