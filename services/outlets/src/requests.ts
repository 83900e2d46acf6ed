/**
 * What is asked of an outlet once, a test or a replay: done by one process of the group, whoever owns the outlet, and kept with what came of it. A
 * request that was done already does nothing.
 */
import type { OutletConfig } from '@newswire/events/config'
import { isOpen, type OutletRequest, type OutletRequested } from '@newswire/events/outlet'
import type { Handler, Publish } from '@newswire/log/events'
import type { Log, LogRecord } from '@newswire/log/log'
import type { Objects } from '@newswire/objects/objects'
import { getReleased } from '@newswire/objects/released'
import type { Logger } from '@newswire/runtime/logger'
import { amendOutletRequests, readOutletRequests } from '@newswire/runtime/outlet-requests'
import type { Outcome } from './machine.ts'
import { replay } from './replay.ts'

type Needs = Readonly<{
  log: Pick<Log, 'read' | 'ends' | 'lag' | 'partitionOf'>
  objects: Pick<Objects, 'get' | 'put'>
  publish: Publish
  configured: (outletId: string) => OutletConfig | undefined
  test: (outlet: OutletConfig, requestId: string) => Promise<Outcome>
  logger: Pick<Logger, 'info'>
  now: () => number
  wait: (ms: number) => Promise<unknown>
}>

/** A replay takes as long as it takes; the same outlet's test does not wait for it. What cannot be read goes by its key, to be refused. */
export const laneOfRequest = (record: LogRecord): string => {
  try {
    const { outletId, kind } = JSON.parse(Buffer.from(record.value ?? []).toString()) as { outletId?: unknown; kind?: unknown }
    return `${outletId}/${kind}`
  } catch {
    return record.key ?? ''
  }
}

const fresh = (request: OutletRequested): OutletRequest => {
  const { outletId: _, ...rest } = request
  return { ...rest, state: 'asked', answer: null, endedAt: null, sequence: null, articles: 0, endSequence: null }
}

const toAnswer = (outcome: Outcome): Pick<OutletRequest, 'state' | 'answer'> =>
  outcome.kind === 'accepted' ? { state: 'done', answer: 'it was accepted' } : { state: 'failed', answer: outcome.reason }

export const onOutletRequested =
  ({ log, objects, publish, configured, test, logger, now, wait }: Needs): Handler<'outlet.requested'> =>
  async (event, { signal }) => {
    const request = event.data
    const { id, outletId, kind } = request
    const found = (await readOutletRequests(objects, outletId)).find(one => one.id === id)
    if (found !== undefined && !isOpen(found)) return
    const outlet = configured(outletId)
    if (outlet === undefined)
      throw new Error(`outlet ${outletId} is not in the configuration of this process; if it exists, it will be soon`)

    const change = async (changes: Partial<Omit<OutletRequest, 'id' | 'kind'>>, durable = true) =>
      void (await amendOutletRequests(
        objects,
        outletId,
        before => {
          const known = before.some(one => one.id === id) ? before : [...before, fresh(request)]
          return known.map(one => (one.id === id ? ({ ...one, ...changes } as OutletRequest) : one))
        },
        { durable },
      ))
    const end = async (outcome: Pick<OutletRequest, 'state' | 'answer'>) => {
      await change({ ...outcome, endedAt: new Date(now()).toISOString() })
      logger.info({ outletId, requestId: id, kind, by: request.by, state: outcome.state, answer: outcome.answer }, 'outlet.request-done')
    }

    if (kind === 'test') return end(toAnswer(await test(outlet, id)))
    const progress = found ?? fresh(request)
    const newest = async (articleId: string) => {
      const fact = (await getReleased(objects, articleId))?.fact
      return fact === undefined ? null : { version: fact.version, kill: fact.state !== 'live' }
    }
    await change({ state: 'running' }, false)
    const note = (at: Pick<OutletRequest, 'sequence' | 'articles' | 'endSequence'>) => change({ state: 'running', ...at }, false)
    const articles = await replay(request, progress, { log, publish, newest, note, wait, signal })
    return end({ state: 'done', answer: articles === 1 ? '1 article goes again' : `${articles} articles go again` })
  }
