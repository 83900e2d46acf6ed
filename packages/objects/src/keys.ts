/**
 * The one place where object keys are made, from validated ids (architecture §4). Ids keep their case in the key, so every segment that
 * holds one also says its capitals (`~`): file systems that do not tell `A` from `a` still keep two articles apart. No key is a folder of another.
 */

import { RejectError } from '@newswire/events/errors'
import { parsePageFile } from '@newswire/events/feed-page'
import { isArticleId, isConfigId, isPublisherId, isSha256 } from '@newswire/events/ids'
import { isSubscriptionId } from '@newswire/events/subscription'

const checked = (what: string, value: string, valid: boolean): string => {
  if (!valid)
    throw new RejectError(
      'NEWSWIRE_OBJECTS_KEY',
      `${JSON.stringify(value.slice(0, 200))} is no ${what}, so it cannot become part of an object key`,
    )
  return value
}

/** Lower case, with the places of capitals as a suffix: `AbC` → `abc~5` (a bit per letter, base 36); ids without capitals stay as they are. */
const caseSafe = (value: string): string => {
  let bits = 0n
  for (let index = value.length - 1; index >= 0; index--) bits = (bits << 1n) | (/[A-Z]/.test(value.charAt(index)) ? 1n : 0n)
  return bits === 0n ? value : `${value.toLowerCase()}~${bits.toString(36)}`
}

const articleSegment = (articleId: string) => caseSafe(checked('article id', articleId, isArticleId(articleId)))
const publisherSegment = (publisher: string) => checked('publisher id', publisher, isPublisherId(publisher))
const shaSegment = (sha256: string) => checked('SHA-256', sha256, isSha256(sha256))
const configSegment = (id: string) => checked('id', id, isConfigId(id))
/** Without a dash, so that `<preset>-<recipe>` splits in one way only. */
const plainSegment = (id: string) => checked('name of letters and digits', id, /^[a-z0-9]{1,64}$/.test(id))
const idSegment = (id: string) => checked('id', id, /^[a-z0-9][a-z0-9-]{0,99}$/.test(id))
/** `yyyy/mm/dd` of an instant, UTC. Years beyond four digits would not sort. */
const day = (instant: string) => {
  const at = Date.parse(instant)
  checked('instant of the years 0 to 9999', instant, at >= FIRST_DAY && at < AFTER_LAST_DAY)
  return new Date(at).toISOString().slice(0, 10).replaceAll('-', '/')
}
const dayFolder = (folder: string) => checked('day', folder, /^\d{4}\/\d\d\/\d\d$/.test(folder))
const FIRST_DAY = Date.parse('0000-01-01T00:00:00Z')
const AFTER_LAST_DAY = Date.parse('9999-12-31T23:59:59.999Z') + 1
/** A whole number, padded so that keys sort by it up to that many digits. */
const padded = (value: number, digits: number) =>
  checked('whole number', String(value), Number.isSafeInteger(value) && value >= 0).padStart(digits, '0')

/** S3's own limit; and what file systems and S3 servers over folders take for a segment. Bytes of UTF-8. */
const MAX_KEY_BYTES = 1024
const MAX_SEGMENT_BYTES = 255

/**
 * Refuses what no store takes alike, before it reaches one: empty segments, `.`, `..`, backslashes, control characters, broken or
 * decomposed Unicode, and what is too long. Throws `RejectError` `NEWSWIRE_OBJECTS_KEY`.
 */
export const checkKey = (key: string): void => {
  const plain = !/[\u0000-\u001f\u007f\\]/.test(key) && key.isWellFormed() && key === key.normalize('NFC')
  const whole = plain && Buffer.byteLength(key) <= MAX_KEY_BYTES && key.split('/').every(isSegment)
  if (!whole) throw new RejectError('NEWSWIRE_OBJECTS_KEY', `${JSON.stringify(key.slice(0, 200))} cannot be an object key`)
}
const isSegment = (segment: string) =>
  segment !== '' && segment !== '.' && segment !== '..' && Buffer.byteLength(segment) <= MAX_SEGMENT_BYTES

export const keys = {
  native: (publisher: string, receivedAt: string, submissionId: string) =>
    `native/${publisherSegment(publisher)}/${day(receivedAt)}/${idSegment(submissionId)}`,
  nativePrefix: 'native/',
  original: (sha256: string) => `originals/${shaSegment(sha256)}`,
  current: (articleId: string) => `current/${articleSegment(articleId)}.json`,
  /** The present state of every article. */
  currentPrefix: 'current/',
  /** `dueSecond`: seconds since 1970, padded so that keys sort by time. */
  hold: (dueSecond: number, articleId: string) => `holds/${padded(dueSecond, 12)}/${articleSegment(articleId)}`,
  /** All holds, the earliest first. */
  holdPrefix: 'holds/',
  parked: (articleId: string, submissionId: string) => `images/pending/${articleSegment(articleId)}/${idSegment(submissionId)}`,
  parkedPrefix: 'images/pending/',
  parkedOf: (articleId: string) => `images/pending/${articleSegment(articleId)}/`,
  /** What is known of an address that pictures were fetched from; the address itself, which may hold a secret, is not in it. */
  pictureSource: (urlSha256: string) => `images/sources/${shaSegment(urlSha256)}.json`,
  /** Says that an article was given a picture: written before the article is announced, so that whoever removes pictures finds it. */
  pictureUse: (sha256: string, articleId: string) => `images/uses/${shaSegment(sha256)}/${articleSegment(articleId)}.json`,
  pictureUsesPrefix: 'images/uses/',
  pictureUsePrefix: (sha256: string) => `images/uses/${shaSegment(sha256)}/`,
  /** Since when no article shows a picture, and whether its files are being removed. */
  pictureUnused: (sha256: string) => `images/unused/${shaSegment(sha256)}.json`,
  /** Pictures whose hash begins with this byte (two digits): what came, who was given it, what nobody uses. */
  picturesFrom: (byte: string) =>
    ['originals/', 'images/uses/', 'images/unused/'].map(folder => `${folder}${checked('byte', byte, /^[0-9a-f]{2}$/.test(byte))}`),
  /** How far this week's walk through a partition's articles is, which marks their pictures. */
  pictureMarks: (partition: number) => `images/marked/${padded(partition, 1)}.json`,
  pictureMarksPrefix: 'images/marked/',
  /** How far a partition's articles have been given the renditions of the table in force. */
  rerender: (partition: number) => `images/rerender/${padded(partition, 1)}.json`,
  rendition: (sha256: string, preset: string, recipe: string, extension: string) =>
    `renditions/${shaSegment(sha256)}/${idSegment(preset)}-${plainSegment(recipe)}.${plainSegment(extension)}`,
  renditionPrefix: (sha256: string) => `renditions/${shaSegment(sha256)}/`,
  feed: (
    feedId: string,
    file: 'feed.bundle' | 'rss.xml' | 'atom.xml' | 'feed.json' | 'news-sitemap.xml' | 'window.json' | 'readers.json' | 'rebuild.json',
  ) => `feeds/${configSegment(feedId)}/${file}`,
  /** `file`: what `toPageFile` makes. */
  feedPage: (feedId: string, file: string) =>
    `feeds/${configSegment(feedId)}/pages/${checked('file of a page', file, parsePageFile(file) !== null)}`,
  feedPagePrefix: (feedId: string) => `feeds/${configSegment(feedId)}/pages/`,
  archive: (firstReleasedAt: string, articleId: string, version: number) =>
    `archive/${day(firstReleasedAt)}/${articleSegment(articleId)}/v${padded(version, 4)}.json`,
  /** Everything archived, loose and packed, with manifests and purges. */
  archivePrefix: 'archive/',
  /** One line of a ledger: what became of an article, of one manifest. Never an object of its own: it lies in a pack, or in what is staged. */
  archiveLedger: (at: string, articleId: string, manifest: number) =>
    `archive/${day(at)}/${articleSegment(articleId)}/ledger-${padded(manifest, 8)}.json`,
  archiveManifest: (manifest: number) => `archive/manifests/${padded(manifest, 8)}.jsonl`,
  archiveManifestPrefix: 'archive/manifests/',
  /** Public keys and the newest manifest, for whoever verifies. */
  archiveKeys: () => 'archive/keys.json',
  /** What is in a pack, and which object is the pack. `folder`: what `archiveDayOf` gives. */
  archivePackIndex: (folder: string, manifest: number, part: number) =>
    `archive/packs/${dayFolder(folder)}/${padded(manifest, 8)}-${padded(part, 3)}.index.jsonl`,
  /** Named by its content, so that a pack is never half another one. */
  archivePack: (folder: string, manifest: number, part: number, sha256: string) =>
    `archive/packs/${dayFolder(folder)}/${padded(manifest, 8)}-${padded(part, 3)}-${shaSegment(sha256).slice(0, 16)}.gz`,
  archivePacksOf: (folder: string) => `archive/packs/${dayFolder(folder)}/`,
  archivePackPrefix: 'archive/packs/',
  /** Ledger lines of a manifest until its packs are made; being there says that they are not. */
  archiveStaged: (manifest: number, sha256: string) => `archive/staged/${padded(manifest, 8)}-${shaSegment(sha256).slice(0, 16)}.jsonl`,
  archiveStagedPrefix: 'archive/staged/',
  /** What was purged by law: who, when, why, and the hashes. */
  archivePurged: (articleId: string, part: number) => `archive/purged/${articleSegment(articleId)}/${padded(part, 4)}.jsonl`,
  archivePurgedOf: (articleId: string) => `archive/purged/${articleSegment(articleId)}/`,
  archivePurgedPrefix: 'archive/purged/',
  /** A purge that is wanted and not yet done for good. */
  archivePurging: (articleId: string) => `archive/purging/${articleSegment(articleId)}.json`,
  archivePurgingPrefix: 'archive/purging/',
  /** What operators want of the archive. */
  archiveWanted: () => 'archive/wanted.json',
  /** What operators want of the search index. */
  searchWanted: () => 'search/wanted.json',
  routes: (articleId: string) => `outlets/routes/${articleSegment(articleId)}.json`,
  pending: (outletId: string, articleId: string) => `outlets/pending/${configSegment(outletId)}/${articleSegment(articleId)}.json`,
  pendingPrefix: (outletId: string) => `outlets/pending/${configSegment(outletId)}/`,
  /** Says that the pending delivery of the same name takes an article back: what is left after a start is looked through by these first. */
  pendingKill: (outletId: string, articleId: string) => `outlets/kills/${configSegment(outletId)}/${articleSegment(articleId)}.json`,
  pendingKillPrefix: (outletId: string) => `outlets/kills/${configSegment(outletId)}/`,
  outletState: (outletId: string) => `outlets/state/${configSegment(outletId)}.json`,
  outletStatePrefix: 'outlets/state/',
  outletRequests: (outletId: string) => `outlets/requests/${configSegment(outletId)}.json`,
  outletRequestsPrefix: 'outlets/requests/',
  handover: (partition: number) => `outlets/handover/${padded(partition, 1)}.json`,
  hubHandover: (partition: number) => `outlets/handover/hub-${padded(partition, 1)}.json`,
  subscription: (topicSha256: string, callbackSha256: string) =>
    `hub/subscriptions/${shaSegment(topicSha256)}/${shaSegment(callbackSha256)}.json`,
  subscriptionsOf: (topicSha256: string) => `hub/subscriptions/${shaSegment(topicSha256)}/`,
  subscriptionPrefix: 'hub/subscriptions/',
  hubPending: (feedId: string, subscriptionId: string) =>
    `hub/pending/${configSegment(feedId)}/${checked('subscription id', subscriptionId, isSubscriptionId(subscriptionId))}.json`,
  hubPendingPrefix: (feedId: string) => `hub/pending/${configSegment(feedId)}/`,
  /** A callback that has not reached a publisher; `partition` of `milestones`, whose owner tells it. */
  callbackPending: (publisher: string, partition: number, submissionId: string) =>
    `callbacks/pending/${publisherSegment(publisher)}/${padded(partition, 1)}/${idSegment(submissionId)}.json`,
  callbackPendingPrefix: (publisher: string, partition: number) =>
    `callbacks/pending/${publisherSegment(publisher)}/${padded(partition, 1)}/`,
  callbackHandover: (partition: number) => `outlets/handover/callbacks-${padded(partition, 1)}.json`,
  secret: (id: string) => `secrets/${idSegment(id)}.json`,
  secretPrefix: 'secrets/',
  /** One of the places for imports under way. */
  backfillPlace: (number: number) => `backfill/places/${padded(number, 2)}.json`,
  /** A body that a CMS's webhook brought, by its SHA-256: brought again it is the same object. */
  hookDelivery: (publisher: string, hookId: string, sha256: string) =>
    `hooks/${publisherSegment(publisher)}/${configSegment(hookId)}/${shaSegment(sha256)}`,
  hookDeliveryPrefix: 'hooks/',
  idempotencyPrefix: 'idempotency/',
  idempotency: (publisher: string, keySha256: string) => `idempotency/${publisherSegment(publisher)}/${shaSegment(keySha256)}.json`,
  config: (kind: string, id: string) => `config/${idSegment(kind)}/${configSegment(id)}.json`,
  configPrefix: 'config/',
  configHistory: (kind: string, id: string, n: number) => `config-history/${idSegment(kind)}/${configSegment(id)}/${padded(n, 8)}.json`,
  deadLetter: (id: string) => `dead-letters/status/${idSegment(id)}.json`,
  deadLetterPrefix: 'dead-letters/status/',
  deadLetterBytes: (id: string) => `dead-letters/bytes/${idSegment(id)}`,
  /** Written over and over by who wants to know whether the store takes writes. */
  probeWrite: 'probe/write.bin',
  logMark: () => 'log/mark.json',
  /** A rebuild from the archive is under way. */
  rebuildMark: () => 'log/rebuild.json',
  /** When the store was last seen to keep its promises. */
  storeProof: () => 'store/proof.json',
  /** Made once: what tells this installation from one that had the same names before. */
  installation: () => 'store/installation.json',
} as const

/** The id that `caseSafe` made a segment of; `null` for what it would not make. */
const fromCaseSafe = (segment: string): string | null => {
  const [lower = '', code] = segment.split('~')
  let bits = 0n
  for (const digit of code ?? '') bits = bits * 36n + BigInt(Number.parseInt(digit, 36) || 0)
  const value = Array.from(lower, (char, index) => ((bits >> BigInt(index)) & 1n ? char.toUpperCase() : char)).join('')
  return isArticleId(value) && caseSafe(value) === segment ? value : null
}

/** What `keys.hold` made a key of; `null` for a key that it would not make. */
export const parseHoldKey = (key: string): { dueSecond: number; articleId: string } | null => {
  const [, second, segment] = /^holds\/(\d{12,})\/([^/]+)$/.exec(key) ?? []
  const articleId = segment === undefined ? null : fromCaseSafe(segment)
  return articleId === null ? null : { dueSecond: Number(second), articleId }
}

/** The day (`yyyy/mm/dd`) in the key of an archived version, a line of a ledger or a native payload, by which its pack is found; `null` for other keys. */
export const archiveDayOf = (key: string): string | null => /^(?:archive|native\/[^/]+)\/(\d{4}\/\d\d\/\d\d)\/[^/]/.exec(key)?.[1] ?? null

/** What `keys.archive` made a key of; `null` for a key that it would not make. */
export const parseArchiveKey = (key: string): { folder: string; articleId: string; version: number } | null => {
  const [, folder, segment, digits] = /^archive\/(\d{4}\/\d\d\/\d\d)\/([^/]+)\/v(\d{4,})\.json$/.exec(key) ?? []
  const articleId = segment === undefined ? null : fromCaseSafe(segment)
  return folder === undefined || articleId === null ? null : { folder, articleId, version: Number(digits) }
}

/** The article of a purge that is wanted or done; `null` for other keys. */
export const parsePurgeKey = (key: string): string | null => {
  const [, wanted, done] = /^archive\/(?:purging\/([^/]+)\.json|purged\/([^/]+)\/\d+\.jsonl)$/.exec(key) ?? []
  const segment = wanted ?? done
  return segment === undefined ? null : fromCaseSafe(segment)
}

/** The picture that a key below `keys.picturesFrom` is of, with the article when it is a mark; `null` for a key that it would not make. */
export const parsePictureKey = (key: string): { sha256: string; articleId: string | null } | null => {
  const [, sha256, segment] = /^(?:originals|images\/u(?:nused|ses))\/([0-9a-f]{64})(?:\.json|\/([^/]+)\.json)?$/.exec(key) ?? []
  const articleId = segment === undefined ? null : fromCaseSafe(segment)
  return sha256 === undefined || (segment !== undefined && articleId === null) ? null : { sha256, articleId }
}

/** The article id in what `keys.current` made; `null` for a key that it would not make. */
export const parseCurrentKey = (key: string): string | null => {
  const [, segment] = /^current\/([^/]+)\.json$/.exec(key) ?? []
  return segment === undefined ? null : fromCaseSafe(segment)
}
