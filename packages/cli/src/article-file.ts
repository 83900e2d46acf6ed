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
  article: Record<string, unknown>
  pictures: ReadonlyArray<{ index: number; path: string }>
}>

/** The id that a file's name gives. Throws `UsageError` when it gives none. */
export const toLocalId = (file: string): string => {
  const id = basename(file, extname(file))
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[đĐ]/g, 'd')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|[-.]+$/g, '')
    .replace(/\.{2,}/g, '.')
  if (id === '') throw new UsageError(`${file} gives no article id; name one with --id`)
  return id.slice(0, 128)
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
  if (file === '-' && options.id === undefined) throw new UsageError('an article from standard input needs --id')
  const folder = isText || file === '-' ? '.' : dirname(file)
  return { localId: options.id ?? toLocalId(file), article, pictures: findPictures(article.images, folder) }
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
