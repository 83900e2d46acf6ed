/**
 * Purge by law (architecture §6.4): on `article.purged` everything that was kept of the article goes, and a record of that stays. In this order, so
 * that it may be killed anywhere: the wish; the signed record with the hashes of what goes; the deletion. The wish stays until a manifest lists the
 * record and a look afterwards finds nothing more: what a closing at the same moment packed goes then.
 */
import { codeOf, messageOf, RejectError, UnavailableError } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import { sha256Hex } from '@newswire/events/ids'
import type { Log } from '@newswire/log/log'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import type { Sealing } from '@newswire/objects/sealed'
import type { Logger } from '@newswire/runtime/logger'
import { damagedPack, erase, manifestOf } from './erase.ts'
import { finishPending, newestManifest } from './finish.ts'
import { type Manifest, signedLines } from './manifest.ts'
import { type Found, findAll } from './purge-find.ts'
import { purgePictures } from './purge-pictures.ts'
import { lastPart, type PurgeRecord, type PurgeWish, purgeWish, readPurged, recordsOf, type StoredRecord } from './purged.ts'
import { reindexManifest } from './reindex.ts'
import { openSigner, signingKeyId } from './signing.ts'

type PurgeNeeds = Readonly<{
  objects: Objects
  log: Pick<Log, 'ends' | 'read'>
  sealing: Sealing | null
  logger: Pick<Logger, 'error' | 'info'>
  now: () => number
}>
type PurgedFact = Extract<Fact, { state: 'purged' }>

/** Who asked, when the fact does not say. */
const UNKNOWN = 'operator'

const wishOf = (fact: PurgedFact): PurgeWish => ({
  n: 1,
  articleId: fact.articleId,
  at: fact.releasedAt,
  by: fact.by ?? UNKNOWN,
  reason: fact.reason,
  keeps: keys.archive(fact.firstReleasedAt, fact.articleId, fact.version),
  listed: 0,
})

/** Those that stand: listed, or signed with the key that signs now. Another may have been written too late to be listed, and is replaced. */
const standing = async ({ objects }: Pick<PurgeNeeds, 'objects'>, { listed }: PurgeWish, records: readonly StoredRecord[]) => {
  const keyId = await signingKeyId(objects)
  return records.filter(({ record }) => record.part <= listed || record.keyId === keyId)
}

/** What no record names yet. Lines of the ledger whose words are gone are not found again, so their milestones stand in the first record that names them. */
const without = (found: Found, records: readonly StoredRecord[]): Found['removed'] => {
  const known = new Set(records.flatMap(({ record }) => record.removed.map(one => `${one.key} ${one.sha256}`)))
  return found.removed.filter(one => !known.has(`${one.key} ${one.sha256}`))
}

type ToRecord = Readonly<{ part: number; found: Found; removed: Found['removed']; replaces: PurgeRecord['replaces'] }>

/**
 * Afterwards it is safe to delete: the key that signed the record is still the one in use when the record is there, so the next manifests list it.
 * One that the key was rotated under is replaced at once.
 */
const putRecord = async (needs: PurgeNeeds, wish: PurgeWish, toRecord: ToRecord): Promise<void> => {
  const { articleId, at, by, reason, keeps } = wish
  const { part, found, removed, replaces } = toRecord
  const said = {
    schema: 'newswire.archive.purge/1' as const,
    articleId,
    part,
    at,
    by,
    reason,
    keeps,
    removed,
    milestones: found.milestones,
    pictures: found.pictures,
    renditions: found.renditions,
    replaces,
  }
  const signer = await openSigner(needs)
  const lines = signedLines(said, signer)
  const [key, bytes] = [keys.archivePurged(articleId, part), Buffer.from(`${lines.join('\n')}\n`)]
  const put = await needs.objects.put(key, bytes, { ifNoneMatch: '*' })
  if (!put.ok) throw new Error(`the purge of ${articleId} is done by somebody else at the same moment; it is looked at again`)
  if ((await signingKeyId(needs.objects)) === signer.keyId) return
  await putRecord(needs, wish, { ...toRecord, part: part + 1, replaces: [...replaces, { key, sha256: sha256Hex(bytes) }] })
}

/** Without a key nothing was ever signed, so there is nothing that a record must explain; the wish says who, when and why until there is one. */
const canSign = async ({ sealing, objects }: PurgeNeeds): Promise<boolean> => sealing !== null || (await newestManifest(objects)) > 0

/** Pictures, or what was made of them, that no record names: when the set that names a file is gone, nothing else says that the file is to go. */
const isUnnamed = ({ pictures, renditions }: Found, records: readonly StoredRecord[]): boolean => {
  const named = new Set(records.flatMap(({ record }) => [...record.pictures, ...record.renditions]))
  return [...pictures, ...renditions].some(one => !named.has(one))
}

type Looked = Readonly<{
  /** How much was new. */
  fresh: number
  /** Somebody may still be making files of its pictures: it is looked at again. */
  isOpen: boolean
}>

/**
 * What goes, out of packs too. An index that was lost is made again without it: it may be in there, and everything else of that day is. Throws
 * `RejectError` for a pack that is damaged, and for one without an index that none can be made for: what can still be read of it may be what is to go.
 */
const eraseAll = async (needs: PurgeNeeds, removed: Found['removed']): Promise<void> => {
  const short = new Set<number>()
  for (const number of new Set((await erase(needs.objects, removed)).map(manifestOf)))
    if ((await reindexManifest(needs, number)).lost > 0) short.add(number)
  if (short.size === 0) return
  const pack = (await erase(needs.objects, removed)).find(one => short.has(manifestOf(one)))
  if (pack === undefined) return
  throw damagedPack(pack, ' and has no index, and what was purged may still be read in it', 'NEWSWIRE_ARCHIVE_PACK')
}

/** One look: records what is there, and removes it. Throws `RejectError` when a pack is damaged, once all else is gone. Safe to repeat. */
const sweep = async (needs: PurgeNeeds, wish: PurgeWish): Promise<Looked> => {
  const { objects, logger, now } = needs
  const beganMs = now()
  const records = await recordsOf(objects, wish.articleId)
  const found = await findAll(needs, wish)
  const known = await standing(needs, wish, records)
  const removed = without(found, known)
  const replaces = records.filter(one => !known.includes(one)).map(({ entry: { key, sha256 } }) => ({ key, sha256 }))
  if ((removed.length > 0 || known.length === 0 || isUnnamed(found, known)) && (await canSign(needs)))
    await putRecord(needs, wish, { part: lastPart(records) + 1, found, removed, replaces })
  let damaged: RejectError | null = null
  try {
    await eraseAll(needs, [...found.removed, ...records.flatMap(({ record }) => record.removed)])
  } catch (error) {
    if (!(error instanceof RejectError)) throw error
    damaged = error
  }
  for await (const page of listPages(objects, keys.parkedOf(wish.articleId))) for (const { key } of page) await objects.delete(key)
  const shown = {
    pictures: [...found.pictures, ...records.flatMap(({ record }) => record.pictures)],
    renditions: [...found.renditions, ...records.flatMap(({ record }) => record.renditions)],
  }
  const { deleted, isOpen } = await purgePictures(needs, wish.articleId, shown, beganMs)
  if (removed.length > 0) logger.info({ articleId: wish.articleId, removed: removed.length, pictures: deleted.length }, 'archive.purged')
  if (damaged !== null) throw damaged
  return { fresh: removed.length, isOpen }
}

/** What `article.purged` causes. Throws what store and log throw, and `RejectError` when the record cannot be signed: then nothing was removed. */
export const purge = async (needs: PurgeNeeds, fact: PurgedFact): Promise<'purged' | 'was-purged'> => {
  const { objects } = needs
  const key = keys.archivePurging(fact.articleId)
  const wanted = await getDocument(objects, key, purgeWish)
  // Done for good before, and told again.
  if (wanted === null && (await recordsOf(objects, fact.articleId)).length > 0) return 'was-purged'
  const wish = wanted?.value ?? wishOf(fact)
  // A lost race means that another process has the same wish.
  if (wanted === null) await swapDocument(objects, key, wish, null)
  await finishPending(needs, await newestManifest(objects))
  await sweep(needs, wish)
  return 'purged'
}

/**
 * Looks again at every purge that is not done for good. `hasMore`: a record waits for the next manifest. One that fails is logged, and the others go
 * on; throws only when the store or the log is away. The manifest: the newest, whose packs are made.
 */
export const settlePurges = async (needs: PurgeNeeds, { entries }: Manifest): Promise<{ hasMore: boolean }> => {
  const { objects, logger } = needs
  const { wishes } = await readPurged(objects)
  let hasMore = false
  for (const { value: wish, etag } of wishes.values()) {
    let trouble: PurgeWish['trouble']
    const looked = await sweep(needs, wish).catch(error => {
      if (error instanceof UnavailableError) throw error
      logger.error({ err: error, code: codeOf(error), articleId: wish.articleId }, 'archive.not-purged')
      trouble = { code: codeOf(error), message: messageOf(error) }
      return null
    })
    const records = await recordsOf(objects, wish.articleId)
    const listed = Math.max(wish.listed, lastPart(records.filter(({ entry }) => entries.some(one => one.key === entry.key))))
    const key = keys.archivePurging(wish.articleId)
    if (looked?.fresh === 0 && !looked.isOpen && records.length > 0 && listed === lastPart(records)) await objects.delete(key)
    else {
      hasMore ||= lastPart(records) > listed
      const isNew = listed > wish.listed || trouble?.message !== wish.trouble?.message
      if (isNew) await swapDocument(objects, key, { ...wish, n: wish.n + 1, listed, trouble }, etag)
    }
  }
  return { hasMore }
}
