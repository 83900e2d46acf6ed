/** A file as an article: `.json` is contract §4 as it is, `.txt` is a body whose other fields come from the options. */
import { basename, dirname, extname, resolve } from 'node:path'
import { isDataAddress, readDataPicture } from '@newswire/events/data-picture'
import { messageOf } from '@newswire/events/errors'
import { UsageError } from './usage-error.ts'

export type TextOptions = Readonly<{
  title?: string
  summary?: string
  byline?: string
  dateline?: string
  language?: string
  slug?: string
  embargoUntil?: string
  expiresAt?: string
  /** What readers are told that was wrong. */
  correction?: string
  category: readonly string[]
  tag?: readonly string[]
  image: readonly string[]
  caption: readonly string[]
  alt?: readonly string[]
  credit: readonly string[]
}>

/** Fields that a text takes as they are. */
const PLAIN = ['summary', 'byline', 'dateline', 'language', 'slug', 'embargoUntil', 'expiresAt'] as const
const LISTS = ['category', 'tag', 'image', 'caption', 'alt', 'credit'] as const

/** The article to send, and the pictures that are sent first: files it names by path, and what lies in its own `data:` addresses. */
export type FileArticle = Readonly<{
  localId: string
  /** The file whose name gave the id; absent when the id was given, in the file or by an option. */
  namedBy?: string
  article: Record<string, unknown>
  pictures: readonly OwnPicture[]
}>
/** By its place among the article's pictures. */
type OwnPicture = Readonly<{ index: number; path: string }> | Readonly<{ index: number; bytes: Uint8Array }>

/**
 * The id that a file's name gives; `null` when it gives none. Two names may give one (`bài`, `bãi`): ids have no tone marks, and one that told them
 * apart by a number or a hash would make a second story of every file that went in before. `refuseClashes` keeps them apart.
 */
export const toLocalId = (file: string): string | null => {
  const id = basename(file, extname(file))
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[đĐ]/g, 'd')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|[-.]+$/g, '')
    .replace(/\.{2,}/g, '.')
  return id === '' ? null : id.slice(0, 128)
}

const isRemote = (url: string): boolean => /^(https?:|newswire:)/.test(url)

/** What the front door takes (`services/ingest`). */
const MAX_PICTURE_BYTES = 25_000_000

/** Pictures named by a path lie beside the file. A `data:` address that holds none stays, for the front door to say what is wrong with it. */
export const findPictures = (images: unknown, folder: string): FileArticle['pictures'] => {
  if (!Array.isArray(images)) return []
  return images.flatMap((image, index): OwnPicture[] => {
    const { url } = (image ?? {}) as { url?: unknown }
    if (typeof url !== 'string' || isRemote(url)) return []
    if (!isDataAddress(url)) return [{ index, path: resolve(folder, url) }]
    const found = readDataPicture(url, MAX_PICTURE_BYTES)
    return found.ok ? [{ index, bytes: found.bytes }] : []
  })
}

const refuseMore = (what: string, given: readonly string[], pictures: readonly string[]): void => {
  if (given.length > pictures.length)
    throw new UsageError(`${what}: ${given.length}, pictures: ${pictures.length}; give --image FILE before each`)
}

const fromText = (text: string, options: TextOptions): Record<string, unknown> => {
  const { title, correction, category, tag = [], image, caption, alt = [], credit } = options
  if (title === undefined) throw new UsageError('a text needs a title: --title "…"')
  refuseMore('captions', caption, image)
  refuseMore('alternative texts', alt, image)
  refuseMore('credits', credit, image)
  return {
    title,
    ...Object.fromEntries(PLAIN.flatMap(name => (options[name] === undefined ? [] : [[name, options[name]]]))),
    ...(correction === undefined ? {} : { change: 'correction', correction: { note: correction } }),
    categories: category,
    ...(tag.length === 0 ? {} : { tags: tag }),
    body: { text },
    images: image.map((url, index) => ({
      url,
      role: index === 0 ? 'lead' : 'inline',
      ...(caption[index] ? { caption: caption[index] } : {}),
      ...((alt[index] ?? caption[index]) ? { alt: alt[index] ?? caption[index] } : {}),
      ...(credit[index] ? { credit: credit[index] } : {}),
    })),
  }
}

/** What is for texts alone would be dropped beside JSON, which says everything itself. */
const refuseTextOptions = (file: string, options: TextOptions): void => {
  const single = (['title', ...PLAIN, 'correction'] as const).filter(name => options[name] !== undefined)
  const given = [...single, ...LISTS.filter(name => (options[name] ?? []).length > 0)]
  if (given.length === 0) return
  const flags = given.map(name => `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`)
  const what = file === '-' ? 'standard input is JSON' : `${file} is JSON`
  throw new UsageError(`${what}, so ${flags.join(', ')} would not be used; say it in the JSON, or send the text as a .txt`)
}

const fromJson = (file: string, text: string): Record<string, unknown> => {
  const name = file === '-' ? 'standard input' : file
  let parsed: unknown
  try {
    // Editors on Windows write a byte order mark, which JSON has no place for.
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (cause) {
    const other = file === '-' ? '; only JSON is read from there, so save a text as .txt and name that' : ''
    throw new UsageError(`${name} is not JSON: ${messageOf(cause)}${other}`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new UsageError(`${name} holds no article`)
  return parsed as Record<string, unknown>
}

/** `file` is `-` for standard input, which is JSON. Throws `UsageError`. */
export const toFileArticle = (file: string, text: string, options: TextOptions & { id?: string }): FileArticle => {
  const isText = extname(file).toLowerCase() === '.txt'
  if (!isText && file !== '-' && extname(file).toLowerCase() !== '.json') throw new UsageError(`${file}: only .json and .txt are taken`)
  if (!isText) refuseTextOptions(file, options)
  const article = isText ? fromText(text, options) : fromJson(file, text)
  const folder = isText || file === '-' ? '.' : dirname(file)
  const { id, ...rest } = article
  if (id !== undefined && typeof id !== 'string') throw new UsageError(`${file}: expected "id" to be a text, found ${JSON.stringify(id)}`)
  return { ...nameOf(file, options.id ?? id), article: rest, pictures: findPictures(article.images, folder) }
}

const nameOf = (file: string, given: string | undefined): Pick<FileArticle, 'localId' | 'namedBy'> => {
  if (given !== undefined) return { localId: given }
  if (file === '-') throw new UsageError('an article from standard input needs --id, or "id" in the JSON')
  const localId = toLocalId(file)
  if (localId === null) throw new UsageError(`${file} gives no article id; name one with --id`)
  return { localId, namedBy: file }
}

/** The article with its pictures' addresses in place of their paths. */
export const withUploads = (
  article: Record<string, unknown>,
  uploads: ReadonlyArray<{ index: number; url: string }>,
): Record<string, unknown> => ({
  ...article,
  ...(Array.isArray(article.images)
    ? {
        images: article.images.map((image, index) => ({
          ...(image as object),
          ...(uploads.find(one => one.index === index) ? { url: uploads.find(one => one.index === index)?.url } : {}),
        })),
      }
    : {}),
})
