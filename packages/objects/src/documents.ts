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
