/** Files whose names come to one id: sent one after the other, each would take the place of the one before. */
import { basename, extname } from 'node:path'
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
