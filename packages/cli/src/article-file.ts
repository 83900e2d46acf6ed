/** A file as an article: `.json` is contract §4 as it is, `.txt` is a body whose other fields come from the options. */
import { basename, dirname, extname, resolve } from 'node:path'
import { UsageError } from './usage-error.ts'

export type TextOptions = Readonly<{
  title?: string
  summary?: string
  byline?: string
  language?: string
  category: readonly string[]
  image: readonly string[]
  caption: readonly string[]
  credit: readonly string[]
}>

/** The article to send, and the local picture files it names by path, which are sent first. */
export type FileArticle = Readonly<{
  localId: string
  /** The file whose name gave the id; absent when the id was given, in the file or by an option. */
  namedBy?: string
  article: Record<string, unknown>
  pictures: ReadonlyArray<{ index: number; path: string }>
}>

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

const isRemote = (url: unknown): boolean => typeof url === 'string' && /^(https?:|newswire:)/.test(url)

/** Pictures named by a path lie beside the file. */
export const findPictures = (images: unknown, folder: string): FileArticle['pictures'] => {
  if (!Array.isArray(images)) return []
  return images.flatMap((image, index) => {
    const { url } = (image ?? {}) as { url?: unknown }
    return typeof url === 'string' && !isRemote(url) ? [{ index, path: resolve(folder, url) }] : []
  })
}

const fromText = (text: string, options: TextOptions): Record<string, unknown> => {
  if (options.title === undefined) throw new UsageError('a text needs a title: --title "…"')
  if (options.caption.length > options.image.length)
    throw new UsageError(
      `there are ${options.caption.length} captions for ${options.image.length} pictures; give --image FILE before each --caption`,
    )
  if (options.credit.length > options.image.length)
    throw new UsageError(`there are ${options.credit.length} credits for ${options.image.length} pictures`)
  return {
    title: options.title,
    ...(options.summary === undefined ? {} : { summary: options.summary }),
    ...(options.byline === undefined ? {} : { byline: options.byline }),
    ...(options.language === undefined ? {} : { language: options.language }),
    categories: options.category,
    body: { text },
    images: options.image.map((url, index) => ({
      url,
      role: index === 0 ? 'lead' : 'inline',
      ...(options.caption[index] ? { caption: options.caption[index], alt: options.caption[index] } : {}),
      ...(options.credit[index] ? { credit: options.credit[index] } : {}),
    })),
  }
}

/** `file` is `-` for standard input, which is JSON. Throws `UsageError`. */
export const toFileArticle = (file: string, text: string, options: TextOptions & { id?: string }): FileArticle => {
  const isText = extname(file).toLowerCase() === '.txt'
  if (!isText && file !== '-' && extname(file).toLowerCase() !== '.json') throw new UsageError(`${file}: only .json and .txt are taken`)
  let article: Record<string, unknown>
  if (isText) article = fromText(text, options)
  else {
    let parsed: unknown
    try {
      // Editors on Windows write a byte order mark, which JSON has no place for.
      parsed = JSON.parse(text.replace(/^\uFEFF/, ''))
    } catch (cause) {
      throw new UsageError(`${file} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new UsageError(`${file} holds no article`)
    article = parsed as Record<string, unknown>
  }
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
