/** What was archived since the newest manifest: versions and native payloads that lie loose, and the ledger from the log. */
import { sha256Hex } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import type { Log } from '@newswire/log/log'
import { type FoundIndex, indexesOf } from '@newswire/objects/archive-pack'
import { packedSha256 } from '@newswire/objects/archived'
import { archiveDayOf, keys, parseArchiveKey } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import type { Logger } from '@newswire/runtime/logger'
import { sideBySide } from '@newswire/runtime/side-by-side'
import { nativesIn, readMilestones, type Staged, stagedSha256, toLedger, toStagedBytes } from './ledger.ts'
import type { Entry, Manifest, ToClose } from './manifest.ts'
import { isPurgedIn, type Purged } from './purged.ts'

/** How much one manifest lists at most, so that closing needs little memory; what is more comes into the next one at once. */
export const LIMITS = { versions: 10_000, milestones: 30_000 } as const
/** Requests to the store at once. */
const AT_ONCE = 16

type Needs = Readonly<{ objects: Objects; log: Pick<Log, 'lag' | 'ends' | 'read'>; logger: Pick<Logger, 'error'>; group: string }>
export type Gathered = Readonly<{
  cut: ToClose['cut']
  entries: readonly Entry[]
  staged: Uint8Array
  /** More waits for the next manifest. */
  hasMore: boolean
}>

/** Keys of versions that lie loose, in order: years sort before everything else below the archive. */
const listLoose = async (objects: Objects, limit: number): Promise<{ found: string[]; hasMore: boolean }> => {
  const found: string[] = []
  for await (const page of listPages(objects, keys.archivePrefix))
    for (const { key } of page) {
      if (key > `${keys.archivePrefix}:`) return { found, hasMore: false }
      if (parseArchiveKey(key) === null) continue
      if (found.length === limit) return { found, hasMore: true }
      found.push(key)
    }
  return { found, hasMore: false }
}

/** Where every version of the group is handled: everything below is archived, or a dead letter. */
const handledUpTo = async ({ log, group }: Needs): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await log.lag(group)).filter(one => one.topic === topics.articles.name).map(one => [String(one.partition), one.committed ?? 0]),
  )

const mergeCut = (before: Readonly<Record<string, number>> | undefined, after: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries({ ...before, ...after }).map(([partition, at]) => [partition, Math.max(at, before?.[partition] ?? 0)]))

/**
 * What a key holds, unless it is listed already: a repeat after packing leaves the same bytes loose again, and other bytes under a key that is
 * packed were written by nobody who may: they are shown, left where they are, and listed nowhere.
 */
const toEntry =
  (needs: Needs, packed: (folder: string) => Promise<readonly FoundIndex[]>) => async (one: { key: string; article: string }) => {
    const { objects, logger } = needs
    const found = await objects.get(one.key)
    if (found === null) return null // purged, or packed by another process, since it was listed
    const sha256 = sha256Hex(found.bytes)
    const held = await packedSha256(packed(archiveDayOf(one.key) ?? ''), one.key)
    if (held === null) return { article: one.article, key: one.key, sha256, bytes: found.bytes.byteLength }
    if (held === sha256) await objects.delete(one.key)
    else logger.error({ key: one.key, listed: held, found: sha256 }, 'archive.conflict')
    return null
  }

const versionsOf = (found: readonly string[]): { key: string; article: string }[] =>
  found.flatMap(key => {
    const article = parseArchiveKey(key)?.articleId
    return article === undefined ? [] : [{ key, article }]
  })

const ledgerEntries = (staged: readonly Staged[]): Entry[] =>
  staged.map(({ key, article, line }) => ({ article, key, sha256: sha256Hex(line), bytes: Buffer.byteLength(line) }))

/** Reads only, but that it removes repeats of what is packed, and what comes of purged articles. `last`: the newest manifest, whose packs are made. */
export const gather = async (needs: Needs, last: Manifest | null, purged: Purged): Promise<Gathered> => {
  const { objects, log } = needs
  const isPurged = isPurgedIn(purged)
  const handled = await handledUpTo(needs) // before listing: what is below is there
  const loose = await listLoose(objects, LIMITS.versions)
  const slice = await readMilestones(log, last?.head.cut.milestones ?? {}, LIMITS.milestones)
  const staged = toLedger(slice.records, (last?.head.number ?? 0) + 1, isPurged)
  const indexes = new Map<string, Promise<readonly FoundIndex[]>>()
  const packed = (folder: string) => {
    const known = indexes.get(folder) ?? indexesOf(objects, folder)
    indexes.set(folder, known)
    return known
  }
  // What a recorded purge removes is not listed any more, and what was sent since is not kept. One that is only wanted finds what it removes by the lists.
  const isGone = (one: { key: string; article: string }) => purged.records.has(one.article) && purged.removes(one.article, one.key)
  const all = [...versionsOf(loose.found), ...nativesIn(slice.records)]
  const wanted = all.filter(one => !isGone(one))
  await sideBySide(all.filter(isGone), AT_ONCE, one => objects.delete(one.key))
  const found = await sideBySide(wanted, AT_ONCE, toEntry(needs, packed))
  const entries = [...found.filter(one => one !== null), ...ledgerEntries(staged), ...purged.unlisted]
  return {
    cut: {
      articles: loose.hasMore ? (last?.head.cut.articles ?? {}) : mergeCut(last?.head.cut.articles, handled),
      milestones: mergeCut(last?.head.cut.milestones, slice.cut),
    },
    entries,
    staged: toStagedBytes(staged),
    hasMore: loose.hasMore || !slice.isWhole,
  }
}

export const sha256OfStaged = ({ staged }: Gathered): string => stagedSha256(staged)
