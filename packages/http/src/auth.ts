/** Bearer tokens, compared by their hash. */
import { createHash, timingSafeEqual } from 'node:crypto'

const MAX_TOKEN_LENGTH = 512

/** The token of an `Authorization` header (RFC 6750 §2.1), or `null`. */
export const bearerToken = (header: string | undefined): string | null => {
  if (header === undefined || header.length > MAX_TOKEN_LENGTH) return null
  return /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1] ?? null
}

/** Whether a token's SHA-256 is this one (64 hex digits). Takes the same time whatever the answer. */
export const matchesHash = (token: string, sha256: string): boolean => {
  const expected = Buffer.from(sha256, 'hex')
  const found = createHash('sha256').update(token).digest()
  return expected.byteLength === found.byteLength && timingSafeEqual(expected, found)
}
