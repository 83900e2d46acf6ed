/**
 * The one place where object keys are made, from validated ids (architecture §4). Ids keep their case in the key, so every segment that
 * holds one also says its capitals (`~`): file systems that do not tell `A` from `a` still keep two articles apart. No key is a folder of another.
 */
import { isArticleId, isConfigId, isPublisherId, isSha256 } from '@newswire/events/ids'
import { RejectError } from '@newswire/events/errors'

const checked = (what: string, value: string, valid: boolean): string => {
  if (!valid) throw new RejectError('NEWSWIRE_OBJECTS_KEY', `${JSON.stringify(value.slice(0, 200))} is no ${what}, so it cannot become part of an object key`)
  return value
}

/** Lower case, with the places of capitals as a suffix: `AbC` → `abc~5` (a bit per letter, base 36); ids without capitals stay as they are. */
const caseSafe = (value: string): string => {
  let bits = 0n
  for (let index = value.length - 1; index >= 0; index--) bits = (bits << 1n) | (/[A-Z]/.test(value.charAt(index)) ? 1n : 0n)
  return bits === 0n ? value : `${value.toLowerCase()}~${bits.toString(36)}`
}

const articleSegment = (articleId: string) => caseSafe(checked('article id', articleId, isArticleId(articleId)))
const configSegment = (id: string) => checked('id', id, isConfigId(id))
const idSegment = (id: string) => checked('id', id, /^[a-z0-9][a-z0-9-]{0,99}$/.test(id))
/** `yyyy/mm/dd` of an instant, UTC. */
const day = (instant: string) => checked('instant', instant, !Number.isNaN(Date.parse(instant))) && new Date(instant).toISOString().slice(0, 10).replaceAll('-', '/')

export const keys = {
  native: (publisher: string, receivedAt: string, submissionId: string) => `native/${checked('publisher id', publisher, isPublisherId(publisher))}/${day(receivedAt)}/${idSegment(submissionId)}`,
  original: (sha256: string) => `originals/${checked('SHA-256', sha256, isSha256(sha256))}`,
  current: (articleId: string) => `current/${articleSegment(articleId)}.json`,
  /** `dueSecond`: seconds since 1970, padded so that keys sort by time. */
  hold: (dueSecond: number, articleId: string) => `holds/${String(dueSecond).padStart(12, '0')}/${articleSegment(articleId)}`,
  parked: (articleId: string, submissionId: string) => `images/pending/${articleSegment(articleId)}/${idSegment(submissionId)}`,
  parkedPrefix: 'images/pending/',
  rendition: (sha256: string, preset: string, recipe: string, extension: string) => `renditions/${checked('SHA-256', sha256, isSha256(sha256))}/${idSegment(preset)}-${idSegment(recipe)}.${idSegment(extension)}`,
  renditionPrefix: (sha256: string) => `renditions/${checked('SHA-256', sha256, isSha256(sha256))}/`,
  feed: (feedId: string, file: 'rss.xml' | 'atom.xml' | 'feed.json' | 'news-sitemap.xml' | 'window.json') => `feeds/${configSegment(feedId)}/${file}`,
  archive: (firstReleasedAt: string, articleId: string, version: number) => `archive/${day(firstReleasedAt)}/${articleSegment(articleId)}/v${String(version).padStart(4, '0')}.json`,
  routes: (articleId: string) => `outlets/routes/${articleSegment(articleId)}.json`,
  pending: (outletId: string, articleId: string) => `outlets/pending/${configSegment(outletId)}/${articleSegment(articleId)}.json`,
  pendingPrefix: (outletId: string) => `outlets/pending/${configSegment(outletId)}/`,
  outletState: (outletId: string) => `outlets/state/${configSegment(outletId)}.json`,
  handover: (partition: number) => `outlets/handover/${Math.trunc(partition)}.json`,
  idempotency: (publisher: string, keySha256: string) => `idempotency/${checked('publisher id', publisher, isPublisherId(publisher))}/${checked('SHA-256', keySha256, isSha256(keySha256))}.json`,
  config: (kind: string, id: string) => `config/${idSegment(kind)}/${configSegment(id)}.json`,
  configPrefix: 'config/',
  configHistory: (kind: string, id: string, n: number) => `config-history/${idSegment(kind)}/${configSegment(id)}/${String(n).padStart(8, '0')}.json`,
  deadLetter: (id: string) => `dead-letters/status/${idSegment(id)}.json`,
  deadLetterBytes: (id: string) => `dead-letters/bytes/${idSegment(id)}`,
  logMark: () => 'log/mark.json',
} as const
