/**
 * Files for a partner, in a folder for each article: `v<nnnn>.<ext>` for each version, its pictures, and `latest.json`, which says which version
 * holds now. Pictures first, then the version, then `latest.json`: whoever goes by that never sees half of anything, wherever it was cut off.
 * `latest.json` never goes back: it is read first, and replaced only as it was read. Safe to repeat: what is there already is not written again.
 */
import { messageOf, UnavailableError } from '@newswire/events/errors'
import { z } from 'zod'
import { failed, NO_LONGER_OURS, own } from './answers.ts'
import type { Outcome } from './machine.ts'

export type DropFile = Readonly<{ bytes: Uint8Array; contentType: string }>

/** Where files go; each is seen whole or not at all. Throws `DropFault` for what the other side does. */
export type DropStore = Readonly<{
  /** `null`: there is none. At most `maxBytes` of it. `tag` names what was read. */
  read(path: string, maxBytes: number): Promise<Readonly<{ bytes: Uint8Array; tag: string }> | null>
  has(path: string): Promise<boolean>
  /** `false`: there is something. */
  create(path: string, file: DropFile): Promise<boolean>
  /** `false`: what is there is not what `tag` names. */
  replace(path: string, file: DropFile, tag: string): Promise<boolean>
}>

/** What came of an attempt that the other side did not let through. */
export class DropFault extends Error {
  override readonly name = 'DropFault'
  readonly outcome: Outcome
  constructor(outcome: Outcome) {
    super('reason' in outcome ? outcome.reason : outcome.kind)
    this.outcome = outcome
  }
}

/** `latest.json`: how a partner, and we ourselves, know which version holds. Other fields may come. */
export const latestDocument = z.object({
  type: z.enum(['article.published', 'article.updated', 'article.corrected', 'article.retracted']),
  id: z.string(),
  version: z.int(),
  /** When this version was released. */
  timestamp: z.string(),
  /** The version's file, beside this one. */
  file: z.string(),
  contentType: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  pictures: z.array(z.object({ file: z.string(), contentType: z.string(), width: z.int(), height: z.int(), bytes: z.int() })),
  /** Why it was taken back. */
  retraction: z.object({ mode: z.string(), reason: z.string() }).optional(),
})
type Latest = z.output<typeof latestDocument>

export type DropPicture = Latest['pictures'][number] & Readonly<{ load: () => Promise<Uint8Array | null> }>

export type Drop = Readonly<{
  /** Before the name of every file; ends with a slash. */
  folder: string
  latest: Omit<Latest, 'pictures'>
  document: DropFile
  pictures: readonly DropPicture[]
  /** A version that was overtaken is put there all the same, and `latest.json` left alone: for outlets that are to have every version. */
  everyVersion: boolean
}>

/** More than `latest.json` ever has: a hundred pictures in every size there is are some 400 KiB. What is cut off could not be read, nor fence. Bytes. */
const MAX_LATEST_BYTES = 4 * 1024 * 1024
/** Looks at a `latest.json` that others change at the same time. */
const MAX_LOOKS = 5

export const fileOf = (version: number, extension: string): string => `v${String(version).padStart(4, '0')}.${extension}`

/** What somebody else put there is no version of ours: it is replaced. */
const parseLatest = (bytes: Uint8Array): Latest | null => {
  try {
    return latestDocument.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data ?? null
  } catch {
    return null // no JSON
  }
}

const isNewer = (held: Latest | null, { version }: Drop['latest']): boolean => held !== null && held.version > version
const isSame = (held: Latest | null, { version, sha256, file }: Drop['latest']): boolean =>
  held !== null && held.version === version && held.sha256 === sha256 && held.file === file

const putPictures = async (store: DropStore, { folder, pictures }: Drop): Promise<void> => {
  for (const { file, contentType, load } of pictures) {
    if (await store.has(folder + file)) continue
    const bytes = await load()
    // Their names say their content, so whoever was quicker wrote the same.
    if (bytes !== null) await store.create(folder + file, { bytes, contentType })
  }
}

/** A version that is there with other bytes was made under another configuration of the outlet. */
const putVersion = async (store: DropStore, { folder, latest, document }: Drop): Promise<void> => {
  const path = folder + latest.file
  for (let look = 0; look < MAX_LOOKS; look++) {
    if (await store.create(path, document)) return
    const there = await store.read(path, document.bytes.byteLength + 1)
    if (there === null) continue
    if (Buffer.compare(there.bytes, document.bytes) === 0 || (await store.replace(path, document, there.tag))) return
  }
  throw new DropFault(busy(latest.file))
}

const busy = (file: string): Outcome => failed(`${file} was changed by somebody else each time that it was written`, { alarm: true })

const put = async (store: DropStore, drop: Drop, mayStill: () => boolean): Promise<Outcome> => {
  const path = `${drop.folder}latest.json`
  const whole: Latest = { ...drop.latest, pictures: drop.pictures.map(({ load: _, ...one }) => one) }
  const latest = { bytes: Buffer.from(`${JSON.stringify(whole)}\n`), contentType: 'application/json' }
  let isBeside = false
  for (let look = 0; look < MAX_LOOKS; look++) {
    const found = await store.read(path, MAX_LATEST_BYTES)
    const held = found && parseLatest(found.bytes)
    const isOvertaken = isNewer(held, drop.latest)
    if (isSame(held, drop.latest) || (isOvertaken && !drop.everyVersion)) return { kind: 'accepted' }
    if (!mayStill()) return NO_LONGER_OURS
    if (!isBeside) {
      await putPictures(store, drop)
      await putVersion(store, drop)
      isBeside = true
    }
    if (isOvertaken) return { kind: 'accepted' }
    if (!mayStill()) return NO_LONGER_OURS
    const done = found === null ? await store.create(path, latest) : await store.replace(path, latest, found.tag)
    if (done) return { kind: 'accepted' }
  }
  return busy('latest.json')
}

const guard = async (act: () => Promise<Outcome>): Promise<Outcome> => {
  try {
    return await act()
  } catch (error) {
    if (error instanceof DropFault) return error.outcome
    if (error instanceof UnavailableError) return own(`our own store: ${messageOf(error)}`)
    throw error
  }
}

/** Throws only bugs, and what a store of another kind throws beside `DropFault`. */
export const putDrop = (store: DropStore, drop: Drop, mayStill: () => boolean): Promise<Outcome> => guard(() => put(store, drop, mayStill))

/** A file that says nothing, to see whether drops can be put there. */
export const putTest = async (
  store: DropStore,
  prefix: string,
  test: Readonly<{ outlet: string; request: string; timestamp: string }>,
): Promise<Outcome> => {
  const path = `${prefix}newswire-test.json`
  const file = { bytes: Buffer.from(`${JSON.stringify({ type: 'newswire.test', ...test })}\n`), contentType: 'application/json' }
  return guard(async () => {
    const found = await store.read(path, MAX_LATEST_BYTES)
    const done = found === null ? await store.create(path, file) : await store.replace(path, file, found.tag)
    return done ? { kind: 'accepted' } : busy('newswire-test.json')
  })
}
