/**
 * What of an import was answered: a line an article, appended once the front door has it. A second run skips these. A line that a crash left in
 * half is passed over; its article is sent again under the same idempotency key, to no second effect. Where a file's name gave the id, the line says
 * which: another file that comes to the same id later is another story.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { z } from 'zod'

/** Equal for the same article with the same content, to the same system in the same way. */
export const toImportKey = (to: string, path: string, body: string): string =>
  createHash('sha256').update([to, path, body].join('\0')).digest('hex')

/**
 * `namedBy` with `localId`: the file whose name gave the id. `slot` is equal for all that takes each other's place: the same article, to the same system in the same
 * way. `where`: file and line, for a person.
 */
type Answered = Readonly<{ articleId: string; submissionId: string; slot: string; where: string; localId?: string; namedBy?: string }>

export type Journal = Readonly<{
  /** How many it knew at the start. */
  known: number
  has(key: string): boolean
  /** The file whose name gave this id, in this run or one before; `undefined` when none did, or it was before files were written down. */
  namedBy(localId: string): string | undefined
  /** What was answered last of a slot, and so stands; `undefined` when nothing was, or before slots were written down. */
  last(slot: string): Readonly<{ key: string; where: string }> | undefined
  add(key: string, answered: Answered): Promise<void>
  close(): Promise<void>
}>

const line = z.object({
  key: z.string(),
  slot: z.string().optional(),
  where: z.string().optional(),
  localId: z.string().optional(),
  namedBy: z.string().optional(),
})

const readLines = (text: string): z.output<typeof line>[] =>
  text.split('\n').flatMap(one => {
    try {
      return [line.parse(JSON.parse(one))]
    } catch {
      return [] // cut off, or the end of the file
    }
  })

export const openJournal = async (file: string): Promise<Journal> => {
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const keys = new Set<string>()
  const names = new Map<string, string>()
  const lasts = new Map<string, { key: string; where: string }>()
  const learn = ({ key, slot, where, localId, namedBy }: z.output<typeof line>) => {
    keys.add(key)
    if (slot !== undefined && where !== undefined) lasts.set(slot, { key, where })
    if (localId !== undefined && namedBy !== undefined) names.set(localId, namedBy)
  }
  for (const one of readLines(before)) learn(one)
  const handle: FileHandle = await open(file, 'a')
  if (before !== '' && !before.endsWith('\n')) await handle.appendFile('\n')
  return {
    known: keys.size,
    has: key => keys.has(key),
    namedBy: localId => names.get(localId),
    last: slot => lasts.get(slot),
    add: async (key, answered) => {
      learn({ key, ...answered })
      await handle.appendFile(`${JSON.stringify({ key, ...answered })}\n`)
    },
    close: () => handle.close(),
  }
}
