/** Canonical JSON (RFC 8785): equal values give equal bytes, whatever the order of their keys. What hashes and the archive are made of. */
import canonicalizeJson from 'canonicalize'
import { sha256Hex } from './ids.ts'

/** Throws for what JSON cannot hold (`undefined` alone, functions, non-finite numbers). */
export const canonicalJson = (value: unknown): string => {
  const text = canonicalizeJson(value)
  if (text === undefined) throw new TypeError('this value has no JSON form')
  return text
}

export const canonicalSha256 = (value: unknown): string => sha256Hex(canonicalJson(value))
