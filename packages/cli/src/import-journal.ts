/**
 * What of an import was answered: a line an article, appended once the front door has it. A second run skips these. A line that a crash left in
 * half is passed over; its article is sent again under the same idempotency key, to no second effect.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open, readFile } from 'node:fs/promises'

/** Equal for the same article with the same content, to the same system in the same way. */
export const toImportKey = (to: string, path: string, body: string): string =>
  createHash('sha256').update([to, path, body].join('\0')).digest('hex')

export type Journal = Readonly<{
  /** How many it knew at the start. */
  known: number
  has(key: string): boolean
  add(key: string, answered: Readonly<{ articleId: string; submissionId: string }>): Promise<void>
  close(): Promise<void>
}>

const readKeys = (text: string): string[] =>
  text.split('\n').flatMap(line => {
    try {
      const { key } = JSON.parse(line) as { key?: unknown }
      return typeof key === 'string' ? [key] : []
    } catch {
      return [] // cut off, or the end of the file
    }
  })

export const openJournal = async (file: string): Promise<Journal> => {
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const keys = new Set(readKeys(before))
  const handle: FileHandle = await open(file, 'a')
  if (before !== '' && !before.endsWith('\n')) await handle.appendFile('\n')
  return {
    known: keys.size,
    has: key => keys.has(key),
    add: async (key, answered) => {
      keys.add(key)
      await handle.appendFile(`${JSON.stringify({ key, ...answered })}\n`)
    },
    close: () => handle.close(),
  }
}
