/** How an act that is asked for over HTTP is read, and refused. */
import { ProblemError } from '@newswire/http/problem'
import type { HttpRequest } from '@newswire/http/server'
import { parseStrictJson } from '@newswire/http/strict-json'
import { validateWith } from '@newswire/http/validate'
import { toActRefusal } from '@newswire/runtime/outlet-acts'
import type { z } from 'zod'

/** A refusal in the words of RFC 9457. */
export const problem = (status: number, code: `NEWSWIRE_${string}`, title: string, detail: string) =>
  new ProblemError({ status, code, title, detail })

/** Throws the problem that says what is wrong with the body; none is an empty one. */
export const readBody = <S extends z.ZodType>(request: HttpRequest, schema: S, what: string): z.output<S> => {
  const { rawBody } = request
  const json = parseStrictJson(rawBody === undefined || rawBody.byteLength === 0 ? Buffer.from('{}') : rawBody)
  if (!json.ok) throw problem(400, 'NEWSWIRE_JSON', 'The body cannot be read', json.detail)
  return validateWith(schema, json.value, what)
}

/** What stands in the way of an act is a 409 with its reason; everything else goes on as it is. */
export const acting = async <T>(act: Promise<T>): Promise<T> => {
  try {
    return await act
  } catch (error) {
    const refusal = toActRefusal(error)
    if (refusal === null) throw error
    throw problem(refusal.status, refusal.error.code, refusal.title, refusal.error.message)
  }
}
