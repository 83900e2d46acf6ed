/** What a partner of a test does with a delivery, well or badly: one row for each manner. */
import type { ServerResponse } from 'node:http'

export type PartnerMode =
  | 'ok'
  /** Nothing listens. */
  | 'down'
  /** The request is read and never answered. */
  | 'hang'
  /** The connection is reset once the request was read; nothing of it is taken. */
  | 'reset'
  /** It is taken, and the answer is lost on the way. */
  | 'lost'
  /** It is taken, and the answer never comes to its end: a byte now and then. */
  | 'drip'
  /** That answer, with `Retry-After` (seconds, or as it stands). */
  | Readonly<{ status: number; retryAfter?: number | string }>
  /** That answer to so many of a hundred requests, spread evenly; the others are taken. */
  | Readonly<{ status: number; percent: number }>
  /** A good answer, that long after the request was taken. */
  | Readonly<{ afterMs: number }>
  /** It is taken only so long after it came, whether anybody still waits for the answer or not. */
  | Readonly<{ takesAfterMs: number }>

/** A mode in which something listens. */
export type AnsweringMode = Exclude<PartnerMode, 'down'>

type Occasion = Readonly<{
  response: ServerResponse
  /** How many requests came before. */
  count: number
  /** Notes the request, with what became of it: a status (2xx: it was taken), or `null` when nothing did. */
  record: (answered: number | null) => void
  /** Keeps it waiting until the mode changes. */
  keep: () => void
}>

const TAKEN = 204
const DRIP_MS = 100

const pause = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))

/** Prime to a hundred, so that every hundred requests have as many failures as asked for. */
const isAmong = (percent: number, count: number): boolean => (count * 37) % 100 < percent

const drip = async ({ response, record, keep }: Occasion) => {
  record(200)
  keep()
  response.writeHead(200, { 'content-type': 'text/plain' })
  while (!response.destroyed) {
    response.write('.')
    await pause(DRIP_MS)
  }
}

export const answerBy = async (mode: PartnerMode, occasion: Occasion): Promise<void> => {
  const { response, count, record, keep } = occasion
  const answer = (status: number, headers: Record<string, string> = {}) => void response.writeHead(status, headers).end()
  switch (mode) {
    case 'ok':
      record(TAKEN)
      return answer(TAKEN)
    case 'down':
    case 'hang':
      record(null)
      return keep()
    case 'reset':
      record(null)
      return void response.socket?.resetAndDestroy()
    case 'lost':
      record(TAKEN)
      return void response.socket?.resetAndDestroy()
    case 'drip':
      return await drip(occasion)
  }
  if ('afterMs' in mode) {
    record(TAKEN)
    await pause(mode.afterMs)
    return answer(TAKEN)
  }
  if ('takesAfterMs' in mode) {
    await pause(mode.takesAfterMs)
    record(TAKEN)
    return answer(TAKEN)
  }
  const status = 'percent' in mode && !isAmong(mode.percent, count) ? TAKEN : mode.status
  record(status)
  answer(status, 'retryAfter' in mode && mode.retryAfter !== undefined ? { 'retry-after': String(mode.retryAfter) } : {})
}
