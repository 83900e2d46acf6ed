/**
 * Closing: one more manifest, signed and chained to the one before. Whoever creates the object of the next number has closed it; everybody
 * else's try is nothing. In this order, so that it may be killed between any two writes: what came before is packed; the ledger is staged; the
 * manifest is put; its packs are made (`finish.ts`); the newest number is published.
 */
import { sha256Hex } from '@newswire/events/ids'
import type { Log } from '@newswire/log/log'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Sealing } from '@newswire/objects/sealed'
import type { Logger } from '@newswire/runtime/logger'
import { finishPending, newestManifest, readManifest } from './finish.ts'
import { gather } from './gather.ts'
import { goneFromStore } from './gone.ts'
import { type Manifest, toManifest } from './manifest.ts'
import { readPurged } from './purged.ts'
import { openSigner, publishHead } from './signing.ts'

export type CloseNeeds = Readonly<{
  objects: Objects
  log: Pick<Log, 'lag' | 'ends' | 'read'>
  sealing: Sealing | null
  logger: Pick<Logger, 'error' | 'info' | 'warn'>
  /** The consumer group that archives. */
  group: string
  now: () => number
  /** Ends a closing between two writes, where it may be killed: what it throws then is the reason (default: nothing ends it). */
  stopping?: AbortSignal
}>

/** `lost`: somebody else closed this number at the same moment. */
export type Closed = Readonly<{ outcome: 'closed' | 'lost'; manifest: Manifest; hasMore: boolean }>

/** Closes once. Throws what log and store throw, and `RejectError` `NEWSWIRE_ARCHIVE_KEY` and its like when it cannot be signed, `NEWSWIRE_ARCHIVE_GONE` when what it goes on from was lost. Nothing is lost then: the next try lists it all. */
export const closeOnce = async (needs: CloseNeeds): Promise<Closed> => {
  const { objects, logger, now } = needs
  const newest = await newestManifest(objects)
  await finishPending(needs, newest)
  const last = newest === 0 ? null : await readManifest(objects, newest)
  // Signed without it, the same number would begin a second archive beside the first.
  if (newest > 0 && last === null) throw goneFromStore(keys.archiveManifest(newest), 'nothing is closed')
  // In this order, so that a rotation at the same moment knows how long the old key may still sign (`rotateKey`).
  if (last !== null) await publishHead(objects, { manifest: newest, sha256: last.sha256 })
  const signer = await openSigner(needs)
  const number = newest + 1
  const gathered = await gather(needs, last, await readPurged(objects))
  needs.stopping?.throwIfAborted()
  const stagedSha256 = sha256Hex(gathered.staged)
  await objects.put(keys.archiveStaged(number, stagedSha256), gathered.staged, { ifNoneMatch: '*' })
  const { bytes, manifest } = await toManifest(
    { number, closedAt: new Date(now()).toISOString(), previousSha256: last?.sha256 ?? null, cut: gathered.cut, stagedSha256 },
    gathered.entries,
    signer,
  )
  const put = await objects.put(keys.archiveManifest(number), bytes, { ifNoneMatch: '*' })
  await finishPending(needs, number)
  const won = put.ok ? manifest : await readManifest(objects, number)
  if (won === null) throw new Error(`manifest ${number} was there and is gone; nothing may delete manifests`)
  await publishHead(objects, { manifest: number, sha256: won.sha256 })
  if (put.ok) logger.info({ number, entries: manifest.head.count, bytes: manifest.head.bytes }, 'archive.closed')
  return { outcome: put.ok ? 'closed' : 'lost', manifest: won, hasMore: gathered.hasMore }
}
