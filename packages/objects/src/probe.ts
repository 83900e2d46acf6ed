/** Refuses a store that does not keep compare-and-swap: with one, two writers would both win and an article would be lost without a trace. */
import { randomUUID } from 'node:crypto'
import { RejectError } from '@newswire/events/errors'
import type { Objects } from './objects.ts'

const ROUNDS = 20
const WRITERS = 16

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const refuse = (objects: Objects, fault: string): never => {
  const advice =
    'Two writers could both win, so nothing would be safe in it. Use a store that keeps conditional writes (If-None-Match, If-Match).'
  throw new RejectError('NEWSWIRE_OBJECTS_UNSAFE', `The ${objects.kind} object store ${fault}. ${advice}`)
}

const textAt = async (objects: Objects, key: string): Promise<string | null> => {
  const found = await objects.get(key)
  return found === null ? null : decoder.decode(found.bytes)
}

/** Writers with different bodies race to create one key: one of them wins, and its body stays. */
const raceToCreate = async (objects: Objects, key: string) => {
  const bodies = Array.from({ length: WRITERS }, (_, writer) => `${writer}`)
  const results = await Promise.all(bodies.map(body => objects.put(key, encoder.encode(body), { ifNoneMatch: '*' })))
  const winners = bodies.filter((_, index) => results[index]?.ok)
  if (winners.length !== 1) refuse(objects, `let ${winners.length} of ${WRITERS} writers create the same key (If-None-Match: *)`)
  const stored = await textAt(objects, key)
  if (stored !== winners[0])
    refuse(
      objects,
      `told writer ${winners[0]} that it had created a key, and keeps ${stored === null ? 'nothing' : `the body of writer ${stored}`}`,
    )
}

const trySwaps = async (objects: Objects, key: string) => {
  const put = (text: string, options: { ifMatch?: string; ifNoneMatch?: '*' }) => objects.put(key, encoder.encode(text), options)
  const first = await put('first', { ifNoneMatch: '*' })
  if (!first.ok) return refuse(objects, 'says that a key exists which was never written (If-None-Match: *)')
  if (!(await put('second', { ifMatch: first.etag })).ok) refuse(objects, 'refuses a swap with the tag it gave (If-Match)')
  if ((await put('third', { ifMatch: first.etag })).ok) refuse(objects, 'accepts a swap with an outdated tag (If-Match)')
  const stored = await textAt(objects, key)
  if (stored !== 'second') refuse(objects, `keeps ${stored ?? 'nothing'} after a refused swap`)
}

const trySwapOfNothing = async (objects: Objects, key: string, etag: string) => {
  if ((await objects.put(key, encoder.encode('x'), { ifMatch: etag })).ok)
    refuse(objects, 'accepts a swap of a key that is not there (If-Match)')
}

/**
 * Tries the promises everything else stands on, under a prefix of its own that is cleaned up. Throws `RejectError`
 * `NEWSWIRE_OBJECTS_UNSAFE` that names the broken one, `UnavailableError` when the store gives no answer.
 */
export const probeObjects = async (objects: Objects): Promise<void> => {
  const prefix = `probe/${randomUUID()}/`
  const keys = Array.from({ length: ROUNDS }, (_, round) => `${prefix}${round}`)
  const swapped = `${prefix}swap`
  try {
    for (const key of keys) await raceToCreate(objects, key)
    await trySwaps(objects, swapped)
    const etag = (await objects.head(swapped))?.etag ?? refuse(objects, 'does not find a key that was just written')
    await trySwapOfNothing(objects, `${prefix}nothing`, etag)
  } finally {
    await Promise.allSettled([...keys, swapped, `${prefix}nothing`].map(key => objects.delete(key))) // a rest under probe/ harms nobody
  }
}
