/** What an import is made of: files of articles, one after the other, never all of them in memory. */
import { createReadStream, type Dirent } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { messageOf } from '@newswire/events/errors'
import { isLocalId } from '@newswire/events/ids'
import { type FileArticle, findPictures, toLocalId } from './article-file.ts'
import type { NamedFile } from './name-clashes.ts'
import { cannotRead, UsageError } from './usage-error.ts'
import { decodeUtf8 } from './utf8.ts'

/** `where`: file and line, for a person. */
export type Imported = FileArticle & Readonly<{ where: string }>
/** Something in the source that is no article: told, and passed over. */
export type Unreadable = Readonly<{ where: string; reason: string }>

const isLines = (file: string): boolean => /\.(jsonl|ndjson)$/i.test(file)
const isTaken = (file: string): boolean => isLines(file) || extname(file).toLowerCase() === '.json'

/** What a source has. `passedOver`: how many files were not taken, by what they are ("symbolic link", ".txt"). */
type Listing = Readonly<{ files: readonly string[]; passedOver: Readonly<Record<string, number>> }>

/** Beside articles lie their pictures, and what begins with a dot is the system's: neither is worth a word. */
const isExpected = (name: string): boolean => name.startsWith('.') || /\.(jpe?g|png|webp|avif|gif|import\.journal)$/i.test(name)

const countPassedOver = (entries: readonly Dirent[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const one of entries) {
    if (isExpected(one.name) || one.isDirectory() || (one.isFile() && isTaken(one.name))) continue
    const kind = one.isSymbolicLink() ? 'symbolic link' : extname(one.name).toLowerCase() || 'without an extension'
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** All files of a source, in an order that is the same every time. Throws `UsageError` when there is nothing to take. */
export const listFiles = async (source: string): Promise<Listing> => {
  const found = await stat(source).catch(cannotRead(source))
  if (found.isFile()) {
    if (!isTaken(source)) throw new UsageError(`${source}: only .json, .jsonl and .ndjson are taken`)
    return { files: [source], passedOver: {} }
  }
  const entries = await readdir(source, { recursive: true, withFileTypes: true })
  const files = entries
    .filter(one => one.isFile() && isTaken(one.name) && !one.name.startsWith('.'))
    .map(one => join(one.parentPath, one.name))
  if (files.length === 0)
    throw new UsageError(
      `${source} has no .json, .jsonl or .ndjson in it; an article is a JSON document as docs/openapi.json has it, with its "id", its "publishedAt", and HTML in "body": {"html": "…"}`,
    )
  return { files: files.sort(), passedOver: countPassedOver(entries) }
}

const toImported = (value: unknown, where: string, file: string, fallbackId: string | null): Imported | Unreadable => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { where, reason: 'it is no article' }
  const { id = fallbackId, ...article } = value as Record<string, unknown>
  if (typeof id !== 'string' || !isLocalId(id))
    return { where, reason: `it needs an "id": letters, digits, ".", "_", "-"; found ${JSON.stringify(id)}` }
  const named = (value as { id?: unknown }).id === undefined ? { namedBy: file } : {}
  return { where, localId: id, ...named, article, pictures: findPictures(article.images, dirname(file)) }
}

/** `text`: `null` when it is not UTF-8. */
const parse = (text: string | null, where: string): Readonly<{ value: unknown }> | Unreadable => {
  if (text === null) return { where, reason: 'it is not UTF-8; save it as UTF-8 and try again' }
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    return { where, reason: `it is not JSON: ${messageOf(error)}` }
  }
}

const readLines = async function* (file: string): AsyncGenerator<Imported | Unreadable> {
  let line = 0
  // A character for each byte: what is not UTF-8 is told line by line, and no line ends inside a text (U+2028).
  for await (const bytes of createInterface({ input: createReadStream(file, 'latin1'), crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1
    const text = decodeUtf8(Buffer.from(bytes, 'latin1'))
    // Also one with nothing but a byte order mark, or the spaces of other scripts.
    if (text?.trim() === '') continue
    const where = `${file}:${line}`
    const parsed = parse(text, where)
    yield 'value' in parsed ? toImported(parsed.value, where, file, null) : parsed
  }
}

const readWhole = async function* (file: string): AsyncGenerator<Imported | Unreadable> {
  const parsed = parse(decodeUtf8(await readFile(file)), file)
  if (!('value' in parsed)) return yield parsed
  const { value } = parsed
  if (!Array.isArray(value)) return yield toImported(value, file, file, toLocalId(file))
  for (const [index, one] of value.entries()) yield toImported(one, `${file}[${index}]`, file, null)
}

/** Every article of the files in order. A `.json` file is one article, whose id is its `id` or the file's name, or a list; the others are one a line. */
export const readArticles = async function* (files: readonly string[]): AsyncGenerator<Imported | Unreadable> {
  for (const file of files) yield* isLines(file) ? readLines(file) : readWhole(file)
}

/**
 * The files of one id, where at least one has it from its name: nobody meant them to be one article. Only files whose names come to the same are read.
 * Versions of an article that say their `id` themselves are no clash.
 */
export const findSameNames = async (files: readonly string[]): Promise<readonly NamedFile[]> => {
  const byName = Map.groupBy(
    files.filter(file => !isLines(file)),
    toLocalId,
  )
  const same: NamedFile[] = []
  for (const [localId, alike] of byName) {
    if (localId === null || alike.length === 1) continue
    const found: Imported[] = []
    for (const file of alike) for await (const one of readWhole(file)) if ('localId' in one && one.localId === localId) found.push(one)
    if (found.some(one => one.namedBy !== undefined)) same.push(...found.map(one => ({ file: one.where, localId })))
  }
  return same
}
