/**
 * Every outlet with how it stands, without asking the store for each: what is open comes from the trace, what is kept of an outlet from a listing, by
 * which only states that changed are read.
 */
import type { OutletConfig } from '@newswire/events/config'
import { isConfigId } from '@newswire/events/ids'
import { emptyOutletState, type OutletState, outletState } from '@newswire/events/outlet'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { type OutletStatus, type PendingCount, toOutletStatus } from '@newswire/runtime/outlet-status'
import { sideBySide } from '@newswire/runtime/side-by-side'
import type { OutletTrace } from '@newswire/trace/outlet-queries'
import type { PausedOutlet } from './stages.ts'

/** One of `GET /v1/outlets`. */
export type OutletLine = Omit<OutletStatus, 'pending'> &
  Readonly<{
    id: string
    name: string | null
    kind: string
    /** Versions that it has still to get, by state. */
    open: OutletTrace['open']
    oldestOpenAt: string | null
    lastDoneAt: string | null
  }>

const READS_AT_ONCE = 16
const idOfKey = (key: string): string => key.slice(keys.outletStatePrefix.length, -'.json'.length)
const uncounted: PendingCount = { articles: 0, retractions: 0, rejected: 0, dead: 0, oldestSince: null, more: false }

/** The kept states of all outlets; those that cannot be read are left out, and their owner says so in the log. */
export const createStates = (objects: Pick<Objects, 'get' | 'list'>) => {
  const known = new Map<string, Readonly<{ etag: string; state: OutletState }>>()
  return async (): Promise<ReadonlyMap<string, OutletState>> => {
    for await (const page of listPages(objects, keys.outletStatePrefix)) {
      const changed = page
        .map(({ key, etag }) => ({ id: idOfKey(key), etag }))
        .filter(({ id, etag }) => isConfigId(id) && known.get(id)?.etag !== etag)
      await sideBySide(changed, READS_AT_ONCE, async ({ id }) => {
        const found = await getDocument(objects, keys.outletState(id), outletState).catch(() => null)
        if (found !== null) known.set(id, { etag: found.etag, state: found.value })
      })
    }
    return new Map([...known].map(([id, { state }]) => [id, state]))
  }
}

/** Of those that are configured and not retired. */
export const toPaused = (outlets: ReadonlyMap<string, OutletConfig>, states: ReadonlyMap<string, OutletState>): readonly PausedOutlet[] =>
  [...outlets.values()].flatMap(({ id, retired }) => {
    const paused = retired ? null : (states.get(id)?.paused ?? null)
    return paused === null ? [] : [{ id, at: paused.at, by: paused.by }]
  })

export const toOutletLine = (
  outlet: OutletConfig,
  state: OutletState | undefined,
  trace: OutletTrace | undefined,
  nowMs: number,
): OutletLine => {
  const { pending: _, ...status } = toOutletStatus(outlet, state ?? emptyOutletState, uncounted, nowMs)
  return {
    id: outlet.id,
    name: outlet.name ?? null,
    kind: outlet.deliver.kind,
    ...status,
    open: trace?.open ?? {},
    oldestOpenAt: trace?.oldestOpenAt ?? null,
    lastDoneAt: trace?.lastDoneAt ?? null,
  }
}
