/** Files whose names come to one id: sent one after the other, each would take the place of the one before. */
import { basename, extname } from 'node:path'
import { cleanLine } from '@newswire/events/text'
import type { Warning } from '@newswire/events/warnings'
import type { FileArticle } from './article-file.ts'
import type { Client } from './client.ts'
import { FailedError } from './usage-error.ts'

export type NamedFile = Readonly<{ file: string; localId: string }>

/** Throws `FailedError` `NEWSWIRE_NAMES_CLASH`, which names every file of every id that more than one has. */
export const refuseClashes = (named: readonly NamedFile[]): void => {
  const clashes = [...Map.groupBy(named, one => one.localId)].filter(([, files]) => files.length > 1)
  if (clashes.length === 0) return
  const lines = clashes.map(([id, files]) => `  ${id}: ${files.map(one => one.file).join(', ')}`)
  throw new FailedError(
    [
      'Nothing was sent: these files would be one article, of which only the last would be left. Ids have no tone marks and no folders.',
      ...lines,
      'Give each an "id" of its own in its JSON, or rename it.',
    ].join('\n'),
    { code: 'NEWSWIRE_NAMES_CLASH' },
  )
}

/** Whether somebody who knows the file's name would not know the id from it. */
export const isRenamed = ({ file, localId }: NamedFile): boolean => basename(file, extname(file)) !== localId

/**
 * A file that was sent at another time may have come to the same id. Another title is what tells a second story from the first one written anew, unless
 * it says itself that it is a change. Told and not refused, because titles do change; what is still on its way is not seen.
 */
export const doubtName = async (
  { ingest }: Pick<Client, 'ingest'>,
  { localId, namedBy, article }: FileArticle,
): Promise<readonly Warning[]> => {
  if (namedBy === undefined || article.change !== undefined || typeof article.title !== 'string') return []
  // A token that may publish need not be one that may read; whatever else is wrong, sending it says.
  const out = await ingest('GET', `/v1/articles/${encodeURIComponent(localId)}`).catch(() => null)
  const { version, title } = (out ?? {}) as { version?: number; title?: string }
  if (title === undefined || title === cleanLine(article.title)) return []
  const detail = `version ${version} is out as “${title}”, and ${basename(namedBy)} takes its place; if that is another story, publish that one again, and this one under an id of its own (--id, or "id" in the JSON)`
  return [{ pointer: '', detail }]
}
