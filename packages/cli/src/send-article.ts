/** Sends an article with its local pictures: those first, then the article that names them. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type FileArticle, withUploads } from './article-file.ts'
import type { Client } from './client.ts'
import { cannotRead } from './usage-error.ts'

/** `warnings`: taken as it is, but perhaps not as it was meant. */
export type Accepted = Readonly<{
  submissionId: string
  articleId: string
  trace: string
  warnings?: readonly Readonly<{ pointer: string; detail: string }>[]
}>

const readPicture = (path: string): Promise<Uint8Array> => readFile(path).catch(cannotRead(`picture ${path}`))

/** Sends its own pictures; the article that names them. Repeating it is safe: pictures are named by their content. */
export const withUploadsOf = async (client: Client, { localId, article, pictures }: FileArticle): Promise<Record<string, unknown>> => {
  const path = `/v1/articles/${encodeURIComponent(localId)}`
  const uploads = await Promise.all(
    pictures.map(async one => {
      const [bytes, name] = 'path' in one ? [await readPicture(one.path), basename(one.path)] : [one.bytes, 'data']
      return { index: one.index, url: (await client.upload(`${path}/pictures`, bytes, name)).url }
    }),
  )
  return withUploads(article, uploads)
}

/** Repeating it is safe: the same article again is a duplicate. */
export const sendArticle = async (client: Client, one: FileArticle): Promise<Accepted> =>
  (await client.ingest(
    'PUT',
    `/v1/articles/${encodeURIComponent(one.localId)}`,
    JSON.stringify(await withUploadsOf(client, one)),
  )) as Accepted
