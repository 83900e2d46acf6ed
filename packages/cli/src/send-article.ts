/** Sends an article with its local pictures: those first, then the article that names them. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type FileArticle, withUploads } from './article-file.ts'
import type { Client } from './client.ts'
import { UsageError } from './usage-error.ts'

export type Accepted = Readonly<{ submissionId: string; articleId: string; trace: string }>

const readPicture = async (path: string): Promise<Uint8Array> => {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new UsageError(`picture ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

/** Repeating it is safe: pictures are named by their content, and the same article again is a duplicate. */
export const sendArticle = async (client: Client, { localId, article, pictures }: FileArticle): Promise<Accepted> => {
  const path = `/v1/articles/${encodeURIComponent(localId)}`
  const uploads = await Promise.all(
    pictures.map(async ({ index, path: file }) => ({
      index,
      url: (await client.upload(`${path}/pictures`, await readPicture(file), basename(file))).url,
    })),
  )
  return (await client.ingest('PUT', path, JSON.stringify(withUploads(article, uploads)))) as Accepted
}
