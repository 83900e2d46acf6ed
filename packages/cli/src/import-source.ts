/** What an import is made of: files of articles, one after the other, never all of them in memory. */
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { isLocalId } from '@newswire/events/ids'
import { type FileArticle, findPictures, toLocalId } from './article-file.ts'
import { UsageError } from './usage-error.ts'

/** `where`: file and line, for a person. */
export type Imported = FileArticle & Readonly<{ where: string }>
/** Something in the source that is no article: told, and passed over. */
export type Unreadable = Readonly<{ where: string; reason: string }>

const isLines = (file: string): boolean => /\.(jsonl|ndjson)$/i.test(file)
const isTaken = (file: string): boolean => isLines(file) || extname(file).toLowerCase() === '.json'

/** All files of a source, in an order that is the same every time. Throws `UsageError` when there is nothing to take. */
export const listFiles = async (source: string): Promise<readonly string[]> => {
  const found = await stat(source).catch((cause: Error) => {
    throw new UsageError(`${source} cannot be read: ${cause.message}`, { cause })
  })
  if (found.isFile()) {
    if (!isTaken(source)) throw new UsageError(`${source}: only .json, .jsonl and .ndjson are taken`)
    return [source]
  }
  const entries = await readdir(source, { recursive: true, withFileTypes: true })
  const files = entries
    .filter(one => one.isFile() && isTaken(one.name) && !one.name.startsWith('.'))
    .map(one => join(one.parentPath, one.name))
  if (files.length === 0) throw new UsageError(`${source} has no .json, .jsonl or .ndjson in it`)
  return files.sort()
}

const toImported = (value: unknown, where: string, file: string, fallbackId: string | null): Imported | Unreadable => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { where, reason: 'it is no article' }
  const { id = fallbackId, ...article } = value as Record<string, unknown>
  if (typeof id !== 'string' || !isLocalId(id))
    return { where, reason: `it needs an "id": letters, digits, ".", "_", "-"; found ${JSON.stringify(id)}` }
  return { where, localId: id, article, pictures: findPictures(article.images, dirname(file)) }
}

const parse = (text: string, where: string): Readonly<{ value: unknown }> | Unreadable => {
  try {
    return { value: JSON.parse(text.replace(/^\uFEFF/, '')) }
  } catch (error) {
    return { where, reason: `it is not JSON: ${error instanceof Error ? error.message : String(error)}` }
  }
}

const readLines = async function* (file: string): AsyncGenerator<Imported | Unreadable> {
  let line = 0
  for await (const text of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1
    if (text.trim() === '') continue
    const where = `${file}:${line}`
    const parsed = parse(text, where)
    yield 'value' in parsed ? toImported(parsed.value, where, file, null) : parsed
  }
}

const readWhole = async function* (file: string): AsyncGenerator<Imported | Unreadable> {
  const parsed = parse(await readFile(file, 'utf8'), file)
  if (!('value' in parsed)) return yield parsed
  const { value } = parsed
  if (!Array.isArray(value)) return yield toImported(value, file, file, toLocalId(file))
  for (const [index, one] of value.entries()) yield toImported(one, `${file}[${index}]`, file, null)
}

/** Every article of the files in order. A `.json` file is one article, whose id is its `id` or the file's name, or a list; the others are one a line. */
export const readArticles = async function* (files: readonly string[]): AsyncGenerator<Imported | Unreadable> {
  for (const file of files) yield* isLines(file) ? readLines(file) : readWhole(file)
}
