/** Which pictures are fetched at once. */
import { createKeyedLimit, createLimit } from '@newswire/runtime/limit'

type Lane = 'live' | 'backfill'
/** Runs `work` when its lane and its server have a place. */
type Fetches = <T>(of: Readonly<{ lane: Lane; host: string }>, work: () => Promise<T>) => Promise<T>

/**
 * Each lane has places of its own, and all share those of a server. An import takes its lane's place first: the many that wait for one hold no place
 * of a server that a live article needs too. A live article takes the server's first, so that one that hangs holds no more places than its share.
 */
export const createFetches = ({ live, backfill, ofHost }: Readonly<Record<Lane | 'ofHost', number>>): Fetches => {
  const lanes = { live: createLimit(live), backfill: createLimit(backfill) }
  const hosts = createKeyedLimit(ofHost)
  return ({ lane, host }, work) => (lane === 'backfill' ? lanes.backfill(() => hosts(host, work)) : hosts(host, () => lanes.live(work)))
}
