/** `newswire rebuild archive-index`: has the archive make its index again from what it signed and what lies there, and follows it. */
import { setTimeout } from 'node:timers/promises'
import type { ArchiveWanted } from '@newswire/objects/archive-wanted'
import { createClient } from './client.ts'
import type { WaitOptions } from './command-tree.ts'
import { printResult, type Terminal } from './terminal.ts'

/** The archive takes a wish up within seconds. */
const POLL_MS = 1_000

type ArchiveIndex = Readonly<{ wanted: number; done: number; last: ArchiveWanted['lastReindex'] }>
/** Exit status 0 only when everything that was signed is there. */
const isWhole = (last: ArchiveIndex['last']): boolean => last !== null && last.lost === 0 && last.unreadable === 0

const toWords = (last: ArchiveIndex['last']): string => {
  if (last === null) return 'done'
  const { manifests, packs, made, packed, lost, unreadable } = last
  const words = `${packs} packs of ${manifests} manifests looked at: ${made} indexes made again, ${packed} packs with them`
  const wrong = [
    ...(lost === 0 ? [] : [`${lost} files that nothing holds any more`]),
    ...(unreadable === 0 ? [] : [`${unreadable} manifests that cannot be read`]),
  ]
  return wrong.length === 0
    ? words
    : `${words}; ${wrong.join(' and ')}: restore them from a copy of the archive, \`newswire archive verify\` names them`
}

/** True when it was accepted; with `wait`, when it is done in time and nothing is lost. */
export const rebuildArchiveIndex = async (terminal: Terminal, { wait, timeout }: WaitOptions): Promise<boolean> => {
  const using = await createClient(terminal)
  const asked = (await using.console('POST', '/v1/rebuilds', JSON.stringify({ kind: 'archive-index' }))) as ArchiveIndex
  if (!wait) {
    printResult(terminal, asked, 'rebuild of the index of the archive accepted; --wait follows one')
    return true
  }
  for (const deadline = performance.now() + timeout * 1000; ; await setTimeout(POLL_MS)) {
    // `/v1/rebuilds` says the same, and reads an object of every feed for it.
    const { reindex, reindexed, lastReindex } = (await using.console('GET', '/v1/archive')) as ArchiveWanted
    const isDone = reindexed >= asked.wanted
    if (!isDone && performance.now() < deadline) continue
    const ok = isDone && isWhole(lastReindex)
    const answer = { ok, isDone, wanted: reindex, done: reindexed, last: lastReindex }
    printResult(terminal, answer, isDone ? toWords(lastReindex) : 'not done')
    if (!isDone) terminal.say(`not done within ${timeout} s; it goes on, and GET /v1/archive says when it is done`)
    return ok
  }
}
