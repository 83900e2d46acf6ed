/**
 * A copy of the archive as plain files, which `verify-copy.ts` proves: what the manifests list, up to the newest one whose packs are made. Made
 * again into the same folder it fetches what is new, and removes what a purge by law has removed since.
 */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { sha256Hex } from '@newswire/events/ids'
import { parseIndex } from '@newswire/objects/archive-pack'
import { keys } from '@newswire/objects/keys'
import { listKeys, listPages } from '@newswire/objects/listing'
import type { ListedObject, Objects } from '@newswire/objects/objects'
import { listStaged, newestManifest } from './finish.ts'
import { notWritten, putFile } from './put-file.ts'
import type { Copy } from './verify-copy.ts'

type Copied = Readonly<{ manifests: number; files: number; fetched: number; removed: number; bytes: number }>
type Readable = Pick<Objects, 'get' | 'head' | 'list'>

const HOW_TO = `This is a copy of a Newswire archive. Prove it with Node 22.18 or newer and the keys that the publisher's site serves:

    curl -o newswire-keys.json https://<the site>/.well-known/newswire-keys.json
    node verify-copy.ts . newswire-keys.json

archive/manifests/<n>.jsonl        one cut after the other: a line that says what it is, its signature, then a line for each thing archived
archive/packs/<yyyy>/<mm>/<dd>/    one folder a day, by the day an article was first released; zcat shows a pack, its index says what lies where
archive/purged/                    who purged what by law, when and why
`

/** How often a pack may be made anew while it is copied. */
const ROUNDS = 5

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT'

const sizeOf = async (file: string): Promise<number | null> => {
  try {
    return (await stat(file)).size
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

const numberOf = (key: string): number => Number(/\/(\d+)[-.][^/]*$/.exec(key)?.[1] ?? Number.NaN)

/** The newest manifest that is packed, with all before it. */
export const newestPacked = async (objects: Readable): Promise<number> => {
  const newest = await newestManifest(objects)
  const waiting: number[] = []
  for await (const { number } of listStaged(objects)) waiting.push(number)
  return Math.min(newest, ...waiting.map(number => number - 1))
}

type Work = { objects: Readable; folder: string; kept: Set<string>; fetched: number; bytes: number; report: (key: string) => void }

const fetchTo = async (work: Work, key: string, sha256?: string): Promise<Uint8Array | null> => {
  const found = await work.objects.get(key)
  if (found === null) return null
  if (sha256 !== undefined && sha256Hex(found.bytes) !== sha256)
    throw new Error(
      `${key} is damaged in the archive: it is not the pack that its index names; \`newswire archive verify\` tells more. What ${work.folder} has stays.`,
    )
  await putFile(join(work.folder, key), found.bytes)
  work.fetched += 1
  work.bytes += found.bytes.byteLength
  work.report(key)
  return found.bytes
}

/** What never changes under its key is fetched once. */
const fetchOnce = async (work: Work, one: Pick<ListedObject, 'key' | 'size'> & Readonly<{ sha256?: string }>): Promise<boolean> => {
  const { key, size, sha256 } = one
  if ((await sizeOf(join(work.folder, key))) !== size && (await fetchTo(work, key, sha256)) === null) return false
  work.kept.add(key)
  return true
}

/** The pack before its index, so that a copy that is cut short has no index without one. */
const fetchPack = async (work: Work, indexKey: string): Promise<void> => {
  for (let round = 0; round < ROUNDS; round++) {
    const index = await work.objects.get(indexKey)
    if (index === null) return
    const { pack, bytes: size, sha256 } = await parseIndex(index.bytes, indexKey)
    if (pack !== null && !(await fetchOnce(work, { key: pack, size, sha256 }))) continue // a purge has made it anew just now
    const file = join(work.folder, indexKey)
    const held = await readFile(file).catch(error => {
      if (isMissing(error)) return null
      throw error
    })
    if (held === null || Buffer.compare(held, index.bytes) !== 0) await putFile(file, index.bytes)
    work.kept.add(indexKey)
    return
  }
  throw new Error(`the pack of ${indexKey} is missing; \`newswire archive verify\` tells more`)
}

/** Keys of all that a copy holds of the archive. */
const keysIn = async (folder: string): Promise<readonly string[]> => {
  const found = await readdir(join(folder, 'archive'), { recursive: true, withFileTypes: true })
  return found.filter(one => !one.isDirectory()).map(one => relative(folder, join(one.parentPath, one.name)).replaceAll('\\', '/'))
}

/** A copy holds what its archive once had: one that has manifests which this archive lacks, or other files, is of something else, and stays as it is. */
const findForeign = async (folder: string, newest: number): Promise<string | null> => {
  const held = await keysIn(folder)
  const manifests = held.filter(key => key.startsWith(keys.archiveManifestPrefix))
  // The keys alone are what is copied before the first manifest's packs are made.
  const [other] = manifests.length === 0 ? held.filter(key => key !== keys.archiveKeys()) : []
  if (other !== undefined) return `${other} is there, and no manifest`
  return manifests.find(key => !(numberOf(key) <= newest)) ?? null
}

/** Under such keys nothing ever goes from an archive: what only the copy has was lost there, and may be all that is left of it. */
const isForGood = (key: string): boolean =>
  /\.jsonl$/.test(key) &&
  [keys.archiveManifestPrefix, keys.archivePackPrefix, keys.archivePurgedPrefix].some(prefix => key.startsWith(prefix))

const removeStrangers = async ({ folder, kept }: Work): Promise<number> => {
  const strangers = (await keysIn(folder)).filter(key => !kept.has(key))
  const lost = strangers.find(isForGood)
  if (lost !== undefined)
    throw new Error(
      `${lost} is in ${folder} and no more in the archive: it was lost there, and nothing was removed here. Put it back (an index: \`newswire rebuild archive-index\`), then copy again; or name an empty folder.`,
    )
  for (const key of strangers) await rm(join(folder, key), { force: true })
  return strangers.length
}

/** The archive as it lies in its store, looked at like a copy of it. */
export const inPlace = (objects: Pick<Objects, 'get' | 'list'>): Copy => ({
  list: async () => [...(await listKeys(objects, keys.archivePrefix)), ...(await listKeys(objects, keys.nativePrefix))],
  read: async path => (await objects.get(path))?.bytes ?? null,
})

/** Reads only. `folder` must be for copies of this archive alone: what else lies under its `archive` is removed. Repeating is safe. */
export const copyArchive = async (objects: Readable, folder: string, report: (key: string) => void = () => undefined): Promise<Copied> => {
  const work: Work = { objects, folder, kept: new Set(), fetched: 0, bytes: 0, report }
  await mkdir(join(folder, 'archive'), { recursive: true }).catch(error => {
    throw notWritten(folder, error)
  })
  const newest = await newestPacked(objects)
  const foreign = await findForeign(folder, newest)
  if (foreign !== null)
    throw new Error(
      `${folder} holds a copy of another archive, or of more than this one has (${foreign}). Look at S3_BUCKET, S3_PREFIX and --data, or name an empty folder.`,
    )
  for await (const page of listPages(objects, keys.archiveManifestPrefix))
    for (const one of page) if (numberOf(one.key) <= newest) await fetchOnce(work, one)
  for (let number = 1; number <= newest; number++)
    if (!work.kept.has(keys.archiveManifest(number)))
      throw new Error(
        `${keys.archiveManifest(number)} is missing in the archive; \`newswire archive verify\` tells more. What ${folder} has stays.`,
      )
  for await (const page of listPages(objects, keys.archivePackPrefix))
    for (const { key } of page) if (key.endsWith('.index.jsonl') && numberOf(key) <= newest) await fetchPack(work, key)
  for await (const page of listPages(objects, keys.archivePurgedPrefix)) for (const one of page) await fetchOnce(work, one)
  if ((await fetchTo(work, keys.archiveKeys())) !== null) work.kept.add(keys.archiveKeys())
  const removed = await removeStrangers(work)
  await putFile(join(folder, 'README.txt'), Buffer.from(HOW_TO))
  await putFile(join(folder, 'verify-copy.ts'), await readFile(new URL('./verify-copy.ts', import.meta.url)))
  return { manifests: newest, files: work.kept.size, fetched: work.fetched, removed, bytes: work.bytes }
}
