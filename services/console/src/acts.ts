/** How an act that is asked for over HTTP is read, and refused. */
import { problem } from '@newswire/http/problem'
import type { HttpRequest } from '@newswire/http/server'
import { readOptionalJson } from '@newswire/http/strict-json'
import { validateWith } from '@newswire/http/validate'
import { toActRefusal } from '@newswire/runtime/outlet-acts'
import { z } from 'zod'

/** Throws the problem that says what is wrong with the body; none is an empty one. */
export const readBody = <S extends z.ZodType>(request: HttpRequest, schema: S, what: string): z.output<S> => {
  const { rawBody } = request
  const json = readOptionalJson(rawBody)
  return validateWith(schema, json, what)
}

const nothing = z.strictObject({})

/** Of an act that is its address alone. Throws the 422 problem: whoever says more, like `dryRun`, means something else than is done. */
export const readNothing = (request: HttpRequest, what: string): void => void readBody(request, nothing, what)

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
