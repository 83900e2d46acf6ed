/** The partners of `simulation.ts`: well, or refusing, failing, hanging, answering late, taking what they do not answer. */
import { crc32 } from 'node:zlib'
import type { OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import type { Life } from './simulated-world.ts'

export type Sent = Readonly<{
  outletId: string
  articleId: string
  version: number
  id: string
  sequence: number
  /** Of the bytes: fifty thousand bodies would stay. */
  body: number
  killed: boolean
  atMs: number
  /** The process that sent it. */
  by: Life
}> & {
  /** When that process heard that it was taken; `null`: it never did. */
  acceptedAtMs: number | null
}
export type Shown = Readonly<{ version: number; killed: boolean }>

type Needs = Readonly<{
  random: () => number
  at: (ms: number, who: Life, run: () => void) => void
  world: Life
  maybeCrash: (mine: Life) => boolean
  /** Whether an outlet may be unwell now. */
  isRough: (outletId: string) => boolean
  now: () => number
  note: (text: string) => void
}>

const MOODS = ['no connection', '500', 'hangs', 'taken late, no answer', 'taken, no answer', 'well', 'well', 'well']

export type Partners = ReturnType<typeof createPartners>

export const createPartners = ({ random, at, world, maybeCrash, isRough, now, note }: Needs) => {
  const fenced = new Map<string, Shown>()
  const naive = new Map<string, Shown>()
  const seen = new Map<string, Set<string>>()
  const sent: Sent[] = []

  /** Versions that got there, by outlet/article. */
  const arrived = new Map<string, Set<number>>()
  const arrivedAt = new Map<string, number>()

  const arrive = (one: Sent) => {
    const pair = `${one.outletId}/${one.articleId}`
    note(`${pair} v${one.version} arrives`)
    const known = arrived.get(pair) ?? new Set()
    arrived.set(pair, known.add(one.version))
    if (!arrivedAt.has(`${pair}/${one.version}`)) arrivedAt.set(`${pair}/${one.version}`, now())
    const state = { version: one.version, killed: one.killed }
    if (one.version > (fenced.get(pair)?.version ?? 0)) fenced.set(pair, state)
    const ids = seen.get(one.outletId) ?? new Set()
    seen.set(one.outletId, ids)
    if (!ids.has(one.id)) naive.set(pair, state)
    ids.add(one.id)
  }

  const answer = (status: number): OutboundResult => ({ ok: true, response: { status, headers: {}, body: new Uint8Array() } })
  const noAnswer: OutboundResult = { ok: false, kind: 'ambiguous', code: 'NEWSWIRE_OUTBOUND_TIMEOUT', message: '' }
  const noConnection: OutboundResult = { ok: false, kind: 'connect', code: 'NEWSWIRE_OUTBOUND_CONNECT', message: '' }

  /** A partner that is well, or refuses connections, or fails, or takes the request without an answer: at once, later, never. */
  const request = (mine: Life, request: OutboundRequest): Promise<OutboundResult> => {
    const headers = request.headers ?? {}
    const outletId = new URL(request.url).hostname
    const one: Sent = {
      outletId,
      articleId: headers['x-newswire-article'] ?? '',
      version: Number(headers['x-newswire-version']),
      id: headers['webhook-id'] ?? '',
      sequence: Number(headers['x-newswire-sequence']),
      body: crc32(Buffer.from(request.body ?? [])),
      killed: headers['x-newswire-action'] === 'retracted',
      atMs: now(),
      by: mine,
      acceptedAtMs: null,
    }
    const mood = isRough(outletId) ? Math.floor(random() * 8) : 7
    return new Promise(resolve => {
      const reply = (ms: number, result: OutboundResult) =>
        at(ms, mine, () => {
          if (maybeCrash(mine)) return
          if (result.ok && result.response.status < 300) one.acceptedAtMs = now()
          resolve(result)
        })
      note(`${outletId}/${one.articleId} v${one.version} is sent (${MOODS[mood]})`)
      if (mood === 0) return reply(2, noConnection)
      sent.push(one)
      if (mood === 1) return reply(20, answer(500))
      if (mood === 2) return reply(15_000, noAnswer)
      if (mood === 3) at(random() * 30_000, world, () => arrive(one))
      else at(random() * 10, world, () => arrive(one))
      reply(mood === 3 || mood === 4 ? 15_000 : 12 + random() * 20, mood === 3 || mood === 4 ? noAnswer : answer(204))
    })
  }

  return { request, sent, fenced, naive, arrived, arrivedAt }
}
