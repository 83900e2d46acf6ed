/** JSON documents in the store, changed by compare-and-swap. */
import { RejectError } from '@newswire/events/errors'
import type { z } from 'zod'
import type { Objects, PutResult } from './objects.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** A document with the tag to swap it by. */
export type Document<T> = Readonly<{ value: T; etag: string }>

/** Reads and checks a document. Throws `RejectError` `NEWSWIRE_OBJECTS_DOCUMENT` when it is not as `schema` says. */
export const getDocument = async <S extends z.ZodType>(
  objects: Pick<Objects, 'get'>,
  key: string,
  schema: S,
): Promise<Document<z.output<S>> | null> => {
  const found = await objects.get(key)
  if (found === null) return null
  let json: unknown
  try {
    json = JSON.parse(decoder.decode(found.bytes))
  } catch (cause) {
    throw new RejectError('NEWSWIRE_OBJECTS_DOCUMENT', `${key} is not UTF-8 JSON`, { cause })
  }
  const result = schema.safeParse(json)
  if (!result.success) throw new RejectError('NEWSWIRE_OBJECTS_DOCUMENT', `${key} is not as it should be: ${result.error.message}`)
  return { value: result.data, etag: found.etag }
}

/**
 * Puts a document in place of the one read: `replaces` is its tag, or `null` when there was none. The document must hold a counter or
 * something else that no earlier state had (architecture §6.20).
 */
export const swapDocument = (
  objects: Pick<Objects, 'put'>,
  key: string,
  value: unknown,
  replaces: string | null,
  options?: { durable?: boolean },
): Promise<PutResult> =>
  objects.put(key, Buffer.from(JSON.stringify(value)), {
    ...(replaces === null ? { ifNoneMatch: '*' as const } : { ifMatch: replaces }),
    ...options,
  })

/** Losing this often in a row means that somebody changes it without end. */
const RACES = 20

type AmendOptions = Readonly<{ durable?: boolean /** What is thrown when others change it again and again. */; lost?: () => Error }>

/**
 * Swaps in what `change` makes of the document as it stands (`null`: there is none), with the next `n`; asked again when somebody else was there first, and
 * `null` leaves it. Gives what stands then. Throws what `change` throws, and as `getDocument` does.
 */
export const amendDocument = async <T extends { n: number }>(
  objects: Pick<Objects, 'get' | 'put'>,
  key: string,
  schema: z.ZodType<T>,
  change: (before: T | null) => Omit<T, 'n'> | null | Promise<Omit<T, 'n'> | null>,
  { lost = () => new Error(`${key} is changed by others again and again; look who writes it`), ...options }: AmendOptions = {},
): Promise<T | null> => {
  for (let race = 0; race < RACES; race++) {
    const found = await getDocument(objects, key, schema)
    const before = found?.value ?? null
    const changed = await change(before)
    if (changed === null) return before
    // `n` first, as ever: a copy of the archive proves its keys to the byte.
    const next = Object.assign({ n: 0 }, changed, { n: (before?.n ?? 0) + 1 }) as unknown as T
    if ((await swapDocument(objects, key, next, found?.etag ?? null, options)).ok) return next
  }
  throw lost()
}
