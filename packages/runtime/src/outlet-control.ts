/**
 * What an operator at the console and a partner on its own page may do with an outlet: the same acts, by the same code. Pausing and secrets are
 * state, in force once they are swapped in; replays and tests are records that an outlets process does once. Every act has an id that the asker
 * may choose, and the same id again is the same act.
 */

import { randomBytes } from 'node:crypto'
import { isInstant } from '@newswire/events/article'
import type { OutletConfig } from '@newswire/events/config'
import { messageOf, RejectError } from '@newswire/events/errors'
import type { NewswireEvent } from '@newswire/events/events'
import { deriveId, sha256Hex } from '@newswire/events/ids'
import {
  type Asker,
  isOpen,
  type OutletRequest,
  type OutletState,
  planRotation,
  type ReplayFrom,
  secretIdOf,
} from '@newswire/events/outlet'
import type { Publish } from '@newswire/log/events'
import type { Objects } from '@newswire/objects/objects'
import type { Sealing } from '@newswire/objects/sealed'
import type { Logger } from './logger.ts'
import { amendOutletRequests, readOutletRequests } from './outlet-requests.ts'
import { amendOutletState, readOutletState } from './outlet-states.ts'
import { countPending, type OutletStatus, secretEnvOf, toOutletStatus } from './outlet-status.ts'

export const HOUR_MS = 3_600_000
/** How long the secret before a new one still signs. */
const OVERLAP_MS = 24 * HOUR_MS
/** What is older comes from the archive. */
export const REPLAY_REACH_MS = 14 * 24 * HOUR_MS
/** A request that nobody took up for so long may be asked for anew. */
const STALE_MS = HOUR_MS
/** Others' tests would keep a partner's own receiver busy. */
const TESTS_PER_MINUTE = 6

type Asked = Readonly<{ id: string; by: Asker }>
export type Rotated = Readonly<{
  /** `whsec_…`: shown this once. */
  secret: string
  /** Until when the ones before sign too. */
  overlapUntil: string
}>

export type OutletControl = Readonly<{
  /** `by`: who asks; a partner is not told of articles whose time has not come for it. */
  status(outlet: OutletConfig, by: Asker): Promise<OutletStatus>
  state(outletId: string): Promise<OutletState>
  /** Newest first. */
  requests(outletId: string): Promise<readonly OutletRequest[]>
  /** Paused already is paused; what an operator pauses is the operator's from then on. */
  pause(outletId: string, by: Asker): Promise<OutletState>
  /**
   * Ends a pause, and a suspension after 410 too: whoever says so wants to be tried again. Throws `RejectError` `NEWSWIRE_OUTLET_PAUSED` when a
   * partner would end an operator's pause.
   */
  resume(outletId: string, by: Asker): Promise<OutletState>
  /**
   * Throws `RejectError`: `NEWSWIRE_OUTLET_BUSY` while another one is under way (a replay) or came too soon (a test), `NEWSWIRE_OUTLET_REPLAY`
   * for a time that is none or lies too far back.
   */
  ask(
    outletId: string,
    act: Readonly<{ kind: 'test' }> | Readonly<{ kind: 'replay'; from: ReplayFrom }>,
    asked: Asked,
  ): Promise<OutletRequest>
  /**
   * Makes a new signing secret. Throws `RejectError`: `NEWSWIRE_SECRET_KEY_MISSING` when nothing can be sealed, `NEWSWIRE_OUTLET_UNSIGNED` for a
   * kind that signs nothing, `NEWSWIRE_OUTLET_SECRETS` when there are too many in force, `NEWSWIRE_OUTLET_SECRET_SHOWN` for an id that made one.
   */
  rotate(outlet: OutletConfig, asked: Asked & Readonly<{ overlapMs?: number }>): Promise<Rotated>
}>

type Needs = Readonly<{
  objects: Pick<Objects, 'get' | 'put' | 'list'>
  publish: Publish
  sealing: Sealing | null
  logger: Pick<Logger, 'info' | 'warn'>
  /** Named in the events: `/services/console`. */
  source: string
  now: () => number
}>

const busy = (message: string) => new RejectError('NEWSWIRE_OUTLET_BUSY', message)

/** `null`: it may be asked for. */
const findObstacle = (requests: readonly OutletRequest[], kind: OutletRequest['kind'], nowMs: number): string | null => {
  const recent = (one: OutletRequest, ms: number) => one.kind === kind && nowMs - Date.parse(one.at) < ms
  if (kind === 'replay' && requests.some(one => isOpen(one) && recent(one, STALE_MS))) return 'a replay is under way; wait until it is done'
  if (kind === 'test' && requests.filter(one => recent(one, 60_000)).length >= TESTS_PER_MINUTE)
    return `${TESTS_PER_MINUTE} tests within a minute are enough; wait a moment`
  return null
}

const checkReach = (from: ReplayFrom, nowMs: number): void => {
  if (!('time' in from)) return
  const at = Date.parse(from.time)
  if (isInstant(from.time) && at <= nowMs && nowMs - at <= REPLAY_REACH_MS) return
  throw new RejectError(
    'NEWSWIRE_OUTLET_REPLAY',
    `a replay begins at a time with an offset (2026-01-31T08:00:00+07:00) that is past and at most 14 days ago, got ${JSON.stringify(from.time.slice(0, 40))}`,
  )
}

const toRequest = (id: string, act: Parameters<OutletControl['ask']>[1], by: Asker, at: string): OutletRequest => {
  const rest = { id, at, by, state: 'asked', answer: null, endedAt: null, sequence: null, articles: 0, endSequence: null } as const
  return act.kind === 'test' ? { ...rest, kind: 'test' } : { ...rest, kind: 'replay', from: act.from }
}

export const createOutletControl = ({ objects, publish, sealing, logger, source, now }: Needs): OutletControl => {
  const iso = () => new Date(now()).toISOString()

  /** The state is in force without it, a little later: its owner looks at all states now and then. */
  const tellChanged = async (outletId: string, { n }: OutletState): Promise<void> => {
    const event: NewswireEvent<'outlet.changed'> = {
      type: 'outlet.changed',
      id: deriveId('outlet.changed', outletId, n),
      source,
      subject: outletId,
      time: iso(),
      data: { outletId, n },
    }
    await publish([event]).catch(error => logger.warn({ outletId, reason: messageOf(error) }, 'outlet.note-lost'))
  }
  const change = async (outletId: string, decide: (before: OutletState) => Partial<OutletState> | null): Promise<OutletState> => {
    const state = await amendOutletState(objects, outletId, decide)
    await tellChanged(outletId, state)
    return state
  }

  const ask: OutletControl['ask'] = async (outletId, act, { id, by }) => {
    const nowMs = now()
    if (act.kind === 'replay') checkReach(act.from, nowMs)
    const requests = await amendOutletRequests(objects, outletId, before => {
      if (before.some(one => one.id === id)) return null
      const obstacle = findObstacle(before, act.kind, nowMs)
      if (obstacle !== null) throw busy(obstacle)
      return [...before, toRequest(id, act, by, new Date(nowMs).toISOString())]
    })
    const request = requests.find(one => one.id === id)
    if (request === undefined) throw new Error(`request ${id} of ${outletId} was forgotten at once`)
    // Asked again with the same id: the record may have been lost, and a second one does nothing.
    if (isOpen(request)) {
      const { kind, at } = request
      const common = { id, outletId, at, by: request.by }
      await publish(
        [
          {
            type: 'outlet.requested',
            id: deriveId('outlet.requested', outletId, id),
            source,
            subject: outletId,
            time: at,
            data: kind === 'test' ? { ...common, kind } : { ...common, kind, from: request.from },
          },
        ],
        { synced: true },
      )
    }
    return request
  }

  /** Sealed under an id that follows from the asker's, so that a repeat after a crash finds it. */
  const makeSecret = async (sealed: Sealing, secretId: string): Promise<string> => {
    const secret = `whsec_${randomBytes(32).toString('base64')}`
    try {
      await sealed.put(secretId, Buffer.from(secret))
      return secret
    } catch (error) {
      if (!(error instanceof RejectError) || error.code !== 'NEWSWIRE_SECRET_ID') throw error
      const there = await sealed.get(secretId)
      if (there === null) throw error
      return Buffer.from(there).toString()
    }
  }

  const rotate: OutletControl['rotate'] = async (outlet, { id, by, overlapMs = OVERLAP_MS }) => {
    const secretEnv = secretEnvOf(outlet)
    if (secretEnv === null)
      throw new RejectError(
        'NEWSWIRE_OUTLET_UNSIGNED',
        `deliveries of kind ${outlet.deliver.kind} are not signed, so there is no key to change`,
      )
    if (sealing === null)
      throw new RejectError(
        'NEWSWIRE_SECRET_KEY_MISSING',
        'a new secret cannot be kept here: NEWSWIRE_SECRET_KEY is not set (`openssl rand -base64 32` makes one, the same for every process)',
      )
    const secretId = secretIdOf(outlet.id, sha256Hex(`${outlet.id}\0${id}`).slice(0, 20))
    const nowMs = now()
    const plan = ({ signing }: OutletState) => {
      if (signing?.sealed.some(one => one.id === secretId))
        throw new RejectError(
          'NEWSWIRE_OUTLET_SECRET_SHOWN',
          'this request made a secret already, which was shown once; ask for another one',
        )
      const next = planRotation(signing, { secretEnv, id: secretId, nowMs, overlapMs })
      if (next !== null) return { signing: next }
      throw new RejectError(
        'NEWSWIRE_OUTLET_SECRETS',
        'too many secrets are in force; wait until an earlier one ends, or have an operator end them at once',
      )
    }
    // What is refused seals nothing.
    plan(await readOutletState(objects, outlet.id))
    const secret = await makeSecret(sealing, secretId)
    const state = await change(outlet.id, plan)
    logger.info({ outletId: outlet.id, by, n: state.n }, 'outlet.secret-rotated')
    return { secret, overlapUntil: new Date(nowMs + overlapMs).toISOString() }
  }

  return {
    state: outletId => readOutletState(objects, outletId),
    status: async (outlet, by) => {
      const nowMs = now()
      const [state, pending] = await Promise.all([readOutletState(objects, outlet.id), countPending(objects, outlet, { by, nowMs })])
      return toOutletStatus(outlet, state, pending, nowMs)
    },
    requests: async outletId => [...(await readOutletRequests(objects, outletId))].reverse(),
    pause: async (outletId, by) => {
      const state = await change(outletId, ({ paused }) =>
        paused === null || (by === 'operator' && paused.by === 'partner') ? { paused: { at: iso(), by } } : null,
      )
      logger.info({ outletId, by }, 'outlet.paused')
      return state
    },
    resume: async (outletId, by) => {
      const state = await change(outletId, ({ paused, suspended }) => {
        if (paused?.by === 'operator' && by === 'partner')
          throw new RejectError('NEWSWIRE_OUTLET_PAUSED', 'an operator paused this outlet, and only an operator resumes it; ask them')
        return paused === null && suspended === null ? null : { paused: null, suspended: null }
      })
      logger.info({ outletId, by }, 'outlet.resumed')
      return state
    },
    ask,
    rotate,
  }
}
