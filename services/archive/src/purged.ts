/**
 * What was purged by law. A wish (`archive/purging/`) says that a purge is to be done and stays until it is done for good; a record
 * (`archive/purged/`), signed like a manifest and listed in one, says who purged what, when and why, with the hashes of what is gone.
 */
import { RejectError } from '@newswire/events/errors'
import { sha256Hex } from '@newswire/events/ids'
import { type Document, getDocument } from '@newswire/objects/documents'
import { keys, parsePurgeKey } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { purgeTrouble } from '@newswire/objects/open-purges'
import { z } from 'zod'
import type { Entry } from './manifest.ts'
import type { KeysDocument } from './signing.ts'

const removed = z.object({
  key: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  /** The manifest that lists it; `null` for what had not been listed yet. */
  manifest: z.int().nullable(),
})
export type Removed = z.output<typeof removed>

const purgeRecord = z.object({
  schema: z.literal('newswire.archive.purge/1'),
  articleId: z.string(),
  part: z.int().min(1),
  /** When it was decided. */
  at: z.string(),
  by: z.string(),
  reason: z.string(),
  /** The key of the version that says that the article was purged: the one that stays. */
  keeps: z.string(),
  removed: z.array(removed),
  /** What the ledger said of it, without a word of the article: who got which version, and when. */
  milestones: z.array(z.unknown()),
  /** SHA-256 of the source pictures that its versions showed. */
  pictures: z.array(z.string()),
  /** What was made of them for it, with its words in them; records of before this was written have none. */
  renditions: z.array(z.string()).default([]),
  /** Records before it that were signed with a key that had ended, or ended before a manifest listed them: what no manifest lists of them counts for nothing. */
  replaces: z.array(z.object({ key: z.string(), sha256: z.string() })).default([]),
  keyId: z.string(),
})
export type PurgeRecord = z.output<typeof purgeRecord>

export const purgeWish = z.object({
  n: z.int(),
  articleId: z.string(),
  at: z.string(),
  by: z.string(),
  reason: z.string(),
  keeps: z.string(),
  /** How many of its records are listed in manifests whose packs are made. */
  listed: z.int().min(0),
  /** Why the last look at it did not end it; the console says so. */
  trouble: purgeTrouble.optional(),
})
export type PurgeWish = z.output<typeof purgeWish>

export type StoredRecord = Readonly<{ entry: Entry; record: PurgeRecord }>

/** The number of the newest part, 0 for none. Those before it are listed, or replaced by it. */
export const lastPart = (records: readonly StoredRecord[]): number => Math.max(0, ...records.map(({ record }) => record.part))

/**
 * What a manifest lists of records that wait: not one whose key ended before. It was written by somebody who stood still over the rotation, and is
 * replaced by one with the new key; or by a thief of the old key, whom it excuses nothing.
 */
export const listable = (unlisted: Purged['unlisted'], keys: KeysDocument['keys'], number: number): readonly Entry[] =>
  unlisted.filter(({ record }) => number - 1 <= (keys.find(key => key.kid === record.keyId)?.untilManifest ?? number)).map(one => one.entry)
export type Purged = Readonly<{
  wishes: ReadonlyMap<string, Document<PurgeWish>>
  records: ReadonlyMap<string, readonly StoredRecord[]>
  /** What lies under this key goes, or has gone. */
  removes(articleId: string, key: string): boolean
  /** Records that no manifest lists yet. */
  unlisted: readonly StoredRecord[]
}>

const parseRecord = (bytes: Uint8Array, key: string): PurgeRecord => {
  try {
    return purgeRecord.parse(JSON.parse(Buffer.from(bytes).toString('utf8').split('\n')[0] ?? ''))
  } catch (cause) {
    throw new RejectError('NEWSWIRE_ARCHIVE_PURGE', `${key} is no record of a purge; \`newswire archive verify\` says what is wrong`, {
      cause,
    })
  }
}

export const recordsOf = async (objects: Pick<Objects, 'get' | 'list'>, articleId: string): Promise<readonly StoredRecord[]> => {
  const found: StoredRecord[] = []
  for await (const page of listPages(objects, keys.archivePurgedOf(articleId)))
    for (const { key } of page) {
      const held = await objects.get(key)
      if (held === null) continue
      const entry = { article: articleId, key, sha256: sha256Hex(held.bytes), bytes: held.bytes.byteLength }
      found.push({ entry, record: parseRecord(held.bytes, key) })
    }
  return found
}

/** Lines of the ledger go on after a purge, without words: only those that had some are removed, by name. */
export const isLedgerKey = (key: string): boolean => /\/ledger-\d+\.json$/.test(key)

const articlesBelow = async (objects: Pick<Objects, 'list'>, prefix: string): Promise<ReadonlySet<string>> => {
  const found = new Set<string>()
  for await (const page of listPages(objects, prefix))
    for (const { key } of page) {
      const articleId = parsePurgeKey(key)
      if (articleId !== null) found.add(articleId)
    }
  return found
}

/** Articles that were purged, or are being purged. */
export const purgedArticles = async (objects: Pick<Objects, 'list'>): Promise<ReadonlySet<string>> =>
  new Set([...(await articlesBelow(objects, keys.archivePurgingPrefix)), ...(await articlesBelow(objects, keys.archivePurgedPrefix))])

export const readPurged = async (objects: Pick<Objects, 'get' | 'list'>): Promise<Purged> => {
  const wishes = new Map<string, Document<PurgeWish>>()
  for (const articleId of await articlesBelow(objects, keys.archivePurgingPrefix)) {
    const wish = await getDocument(objects, keys.archivePurging(articleId), purgeWish)
    if (wish !== null) wishes.set(articleId, wish)
  }
  const records = new Map<string, readonly StoredRecord[]>()
  for (const articleId of await articlesBelow(objects, keys.archivePurgedPrefix))
    records.set(articleId, await recordsOf(objects, articleId))
  const keeps = (articleId: string) => wishes.get(articleId)?.value.keeps ?? records.get(articleId)?.[0]?.record.keeps
  return {
    wishes,
    records,
    removes: (articleId, key) => {
      const kept = keeps(articleId)
      if (kept === undefined || key === kept) return false
      return !isLedgerKey(key) || (records.get(articleId) ?? []).some(({ record }) => record.removed.some(one => one.key === key))
    },
    unlisted: [...wishes].flatMap(([articleId, { value }]) =>
      (records.get(articleId) ?? []).filter(({ record }) => record.part > value.listed),
    ),
  }
}

export const isPurgedIn =
  ({ wishes, records }: Purged) =>
  (articleId: string): boolean =>
    wishes.has(articleId) || records.has(articleId)
