/** Words that the configuration and articles have in common. */
import { z } from 'zod'
import { isConfigId } from './ids.ts'

/** Of a category, a feed, an outlet, a token, a hook. */
export const configId = z.string().refine(isConfigId, 'expected lower-case letters, digits and hyphens, at most 64')

/** BCP 47. No tag that is in use is longer than 35 (RFC 5646 §4.4.1). */
export const languageTag = z
  .string()
  .max(35, 'expected a BCP 47 language tag, at most 35 characters')
  .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'expected a BCP 47 language tag, like vi or en-GB')

export const timeZone = z.string().refine(zone => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}, 'expected an IANA time zone, like Asia/Ho_Chi_Minh')

export const articleType = z.enum(['article', 'live', 'gallery', 'video'])
export const audience = z.enum(['public', 'editorial'])
