/** Refuses a store that does not keep compare-and-swap: with one, two writers would both win and an article would be lost without a trace. */
import { randomUUID } from 'node:crypto'
import { RejectError } from '@newswire/events/errors'
import { z } from 'zod'
import { getDocument, swapDocument } from './documents.ts'
import { keys } from './keys.ts'
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
export const probeObjects = async (objects: Objects, rounds = ROUNDS): Promise<void> => {
  const prefix = `probe/${randomUUID()}/`
  const raced = Array.from({ length: rounds }, (_, round) => `${prefix}${round}`)
  const swapped = `${prefix}swap`
  try {
    for (const key of raced) await raceToCreate(objects, key)
    await trySwaps(objects, swapped)
    const etag = (await objects.head(swapped))?.etag ?? refuse(objects, 'does not find a key that was just written')
    await trySwapOfNothing(objects, `${prefix}nothing`, etag)
  } finally {
    await Promise.allSettled([...raced, swapped, `${prefix}nothing`].map(key => objects.delete(key))) // a rest under probe/ harms nobody
  }
}

/** A server may be replaced by another version of it: what a store has proven is believed for a day. */
const PROVEN_FOR_MS = 86_400_000

const proofDocument = z.object({ n: z.int(), store: z.string(), rounds: z.int(), provenAt: z.string() })

/**
 * `probeObjects` at every start, whole once a day: the many rounds are for stores that break a promise now and then, and eight processes
 * that start again and again need not look for that each time. One round, which finds a store that keeps no promise, is run always.
 * `store`: where it is, so that a copy of its objects on another server proves nothing. Throws as `probeObjects` does.
 */
export const proveObjects = async (objects: Objects, store: string, now: () => number): Promise<void> => {
  const proof = await getDocument(objects, keys.storeProof(), proofDocument)
  const ageMs = proof?.value.store === store && proof.value.rounds >= ROUNDS ? now() - Date.parse(proof.value.provenAt) : Number.NaN
  if (ageMs >= 0 && ageMs < PROVEN_FOR_MS) return await probeObjects(objects, 1)
  await probeObjects(objects)
  const next = { n: (proof?.value.n ?? 0) + 1, store, rounds: ROUNDS, provenAt: new Date(now()).toISOString() }
  // A lost race means that another process has just proven the same.
  await swapDocument(objects, keys.storeProof(), next, proof?.etag ?? null)
}
