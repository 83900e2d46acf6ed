/** Which article of ours a CMS's document is, and which of its versions. Pure. */
import type { HookMapping } from '@newswire/events/hook-config'
import { isLocalId, sha256Hex } from '@newswire/events/ids'
import { firstText } from './pointers.ts'
import type { Fields } from './read-notice.ts'
import { toInstant } from './times.ts'

const MAX_ID = 128
const READABLE = 60

/** A CMS's own id where it can be one; else readable letters of it, and a hash that no other id has. */
export const toLocalId = (id: string, { idPrefix = '' }: Pick<HookMapping, 'idPrefix'>): string | null => {
  if (id === '') return null
  const whole = `${idPrefix}${id}`
  if (whole.length <= MAX_ID && isLocalId(whole)) return whole
  const letters = id.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-+|-+$/g, '')
  const readable = letters.slice(0, READABLE).replace(/-+$/, '')
  const made = [`${idPrefix}${readable}`, sha256Hex(id).slice(0, 12)].filter(Boolean).join('-')
  return isLocalId(made) ? made : null
}

/** The publisher's own number: the CMS's version, else the time of its change, so that what comes late is told from what is newer. `null` for none. */
export const versionOf = (document: unknown, fields: Fields): number | null => {
  const version = Number(firstText(document, fields.version) || Number.NaN)
  if (Number.isSafeInteger(version) && version >= 1) return version
  const changedAt = toInstant(firstText(document, fields.updatedAt))
  return changedAt === null ? null : Math.max(1, Date.parse(changedAt))
}
