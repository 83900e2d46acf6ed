/** What was archived since the newest manifest: versions and native payloads that lie loose, and the ledger from the log. */
import { sha256Hex, timeOfId } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import type { Log } from '@newswire/log/log'
import { type FoundIndex, findEntry, indexesOf, readProven } from '@newswire/objects/archive-pack'
import { createGiveWay, inTurns } from '@newswire/objects/in-turns'
import { archiveDayOf, keys, parseArchiveKey } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import type { Logger } from '@newswire/runtime/logger'
import { sideBySide } from '@newswire/runtime/side-by-side'
import { nativesIn, readMilestones, type Staged, toLedger, toStagedBytes } from './ledger.ts'
import type { Entry, Manifest, ToClose } from './manifest.ts'
import { isPurgedIn, listable, type Purged } from './purged.ts'
import { readKeys } from './signing.ts'

/** How much one manifest lists at most, so that closing needs little memory, and a stop waits for it some seconds; what is more comes into the next one at once. */
const LIMITS = { versions: 5_000, milestones: 15_000 } as const
/** Requests to the store at once. */
const AT_ONCE = 16

type Needs = Readonly<{ objects: Objects; log: Pick<Log, 'lag' | 'ends' | 'read'>; logger: Pick<Logger, 'error'>; group: string }>
type Gathered = Readonly<{
  cut: ToClose['cut']
  entries: readonly Entry[]
  staged: Uint8Array
  /** More waits for the next manifest. */
  hasMore: boolean
}>

type Loose = Readonly<{ key: string; article: string }>

/** Versions that lie loose, in the order of their keys: years sort before everything else below the archive. */
const listLoose = async (objects: Objects, limit: number): Promise<{ found: Loose[]; hasMore: boolean }> => {
  const found: Loose[] = []
  const giveWay = createGiveWay()
  for await (const page of listPages(objects, keys.archivePrefix)) {
    for (const { key } of page) {
      if (key > `${keys.archivePrefix}:`) return { found, hasMore: false }
      const article = parseArchiveKey(key)?.articleId
      if (article === undefined) continue
      if (found.length === limit) return { found, hasMore: true }
      found.push({ key, article })
    }
    await giveWay()
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

/** The same bytes lie loose and, as an index says, in a pack. */
type Repeat = Readonly<{ key: string; found: FoundIndex; sha256: string }>
type Packed = (folder: string) => Promise<readonly FoundIndex[]>

/**
 * What a key holds, unless it is listed already: a repeat after packing leaves the same bytes loose again, and other bytes under a key that is
 * packed were written by nobody who may: they are shown, left where they are, and listed nowhere.
 */
const toEntry =
  (needs: Needs, packed: Packed, onRead: (one: Loose, bytes: Uint8Array) => void = () => undefined, giveWay = createGiveWay()) =>
  async (one: Loose): Promise<Entry | Repeat | null> => {
    await giveWay()
    const held = await needs.objects.get(one.key)
    if (held === null) return null // purged, or packed by another process, since it was listed
    onRead(one, held.bytes)
    const sha256 = sha256Hex(held.bytes)
    const found = findEntry(await packed(archiveDayOf(one.key) ?? ''), one.key)
    if (found === null) return { article: one.article, key: one.key, sha256, bytes: held.bytes.byteLength }
    if (found.entry.sha256 === sha256) return { key: one.key, found: found.in, sha256 }
    needs.logger.error({ key: one.key, listed: found.entry.sha256, found: sha256 }, 'archive.conflict')
    return null
  }

/** Removes repeats that their pack holds for sure: each pack is read once more, and one that is damaged leaves what may be the only good copy. */
const removeRepeats = async ({ objects, logger }: Needs, repeats: readonly Repeat[]): Promise<void> => {
  for (const found of new Set(repeats.map(one => one.found))) {
    const mine = repeats.filter(one => one.found === found)
    const holds = await readProven(objects, found.index)
    const [safe, only] = [mine.filter(one => holds?.get(one.key) === one.sha256), mine.filter(one => holds?.get(one.key) !== one.sha256)]
    for (const { key } of only) logger.error({ key, index: found.key }, 'archive.pack-damaged')
    await sideBySide(safe, AT_ONCE, one => objects.delete(one.key))
  }
}

/**
 * The native payload that a version came of, by the version itself: the milestone that tells of it may be lost with a log. Whoever waited (for an
 * embargo, say) has the time in the id alone. `null` where nothing can be under its name.
 */
const nativeOf = (bytes: Uint8Array): string | null => {
  try {
    const { fact } = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as {
      fact: Readonly<Record<string, unknown>>
    }
    const submissionId = String(fact.submissionId)
    return keys.native(String(fact.publisher), String(fact.receivedAt ?? timeOfId(submissionId)), submissionId)
  } catch {
    return null
  }
}

const ledgerEntries = (staged: readonly Staged[]): Promise<Entry[]> =>
  inTurns(staged, ({ key, article, line }) => ({ article, key, sha256: sha256Hex(line), bytes: Buffer.byteLength(line) }))

/** Reads only, but that it removes repeats of what is packed for sure, and what comes of purged articles. `last`: the newest manifest, whose packs are made. */
export const gather = async (needs: Needs, last: Manifest | null, purged: Purged): Promise<Gathered> => {
  const { objects, log } = needs
  const isPurged = isPurgedIn(purged)
  const handled = await handledUpTo(needs) // before listing: what is below is there
  const loose = await listLoose(objects, LIMITS.versions)
  const slice = await readMilestones(log, last?.head.cut.milestones ?? {}, LIMITS.milestones)
  const staged = await toLedger(slice.records, (last?.head.number ?? 0) + 1, isPurged)
  const indexes = new Map<string, Promise<readonly FoundIndex[]>>()
  const packed: Packed = folder => {
    const known = indexes.get(folder) ?? indexesOf(objects, folder)
    indexes.set(folder, known)
    return known
  }
  // What a recorded purge removes is not listed any more, and what was sent since is not kept. One that is only wanted finds what it removes by the lists.
  const isGone = (one: Loose) => purged.records.has(one.article) && purged.removes(one.article, one.key)
  const natives = new Map((await nativesIn(slice.records)).map(({ key, article }) => [key, article]))
  const list = async (all: readonly Loose[], onRead?: (one: Loose, bytes: Uint8Array) => void) => {
    const wanted = all.filter(one => !isGone(one))
    await sideBySide(all.filter(isGone), AT_ONCE, one => objects.delete(one.key))
    return (await sideBySide(wanted, AT_ONCE, toEntry(needs, packed, onRead))).filter(one => one !== null)
  }
  const versions = await list(loose.found, ({ article }, bytes) => {
    const key = nativeOf(bytes)
    if (key !== null) natives.set(key, article)
  })
  const found = [...versions, ...(await list([...natives].map(([key, article]) => ({ key, article }))))]
  await removeRepeats(
    needs,
    found.filter(one => 'found' in one),
  )
  const published = (await readKeys(objects))?.value.keys ?? []
  const records = listable(purged.unlisted, published, (last?.head.number ?? 0) + 1)
  const entries = [...found.filter(one => 'article' in one), ...(await ledgerEntries(staged)), ...records]
  return {
    cut: {
      articles: loose.hasMore ? (last?.head.cut.articles ?? {}) : mergeCut(last?.head.cut.articles, handled),
      milestones: mergeCut(last?.head.cut.milestones, slice.cut),
    },
    entries,
    staged: await toStagedBytes(staged),
    hasMore: loose.hasMore || !slice.isWhole,
  }
}
