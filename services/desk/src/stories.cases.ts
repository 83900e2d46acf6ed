/** The stories that the desk must pass: what is done to an article, in which orders, and how it must end in each. */
import type { Cause } from './cause.ts'
import { due, late, publish, purge, republish, retract } from './stories.world.ts'

/** What readers see at the end, by the content's title; what is held is told as well. */
export type End = 'nothing' | `live ${string}` | 'retracted' | 'expired' | 'purged' | `${string}, held ${string}`
type Order = Readonly<{
  /** The first one came before the second. */
  before(first: string, second: string): boolean
}>
export type Story = Readonly<{
  causes: Readonly<Record<string, Cause>>
  /** Orders that cannot happen are passed over. */
  allowed?: (order: Order) => boolean
  end: (order: Order) => End
  /** Minutes after the start at which the end is looked at; only the objects under `holds/` know what is due by then. */
  until?: number
  /** The last live fact shows its picture to everybody. */
  pictured?: (order: Order) => boolean
}>

/** The time that embargoes and expiries below are about, in minutes. */
const T = 10

export const stories: Readonly<Record<string, Story>> = {
  'unversioned A, B and a replay of A': {
    causes: { A: publish(10, { content: 'A' }), B: publish(20, { content: 'B' }), again: publish(10, { content: 'A' }) },
    end: () => 'live B',
  },
  'sourceVersion 5 overtaken by 4': {
    causes: {
      five: publish(10, { content: 'five', sourceVersion: 5 }),
      four: publish(20, { content: 'four', sourceVersion: 4 }),
      three: publish(30, { content: 'three', sourceVersion: 3 }),
    },
    end: () => 'live five',
  },
  'one sourceVersion with two contents': {
    causes: { A: publish(10, { content: 'A', sourceVersion: 1 }), B: publish(20, { content: 'B', sourceVersion: 1 }) },
    end: order => (order.before('A', 'B') ? 'live A' : 'live B'),
  },
  'A, B, then the idempotent retry of A at a new position': {
    causes: { A: publish(10, { content: 'A' }), B: publish(20, { content: 'B' }), retry: publish(30, { content: 'A' }) },
    allowed: order => order.before('A', 'retry'),
    end: () => 'live B',
  },
  'an embargo and its time': {
    causes: { A: publish(10, { content: 'A', embargo: T }), time: due(T) },
    end: () => 'live A',
  },
  'an embargo that only its hold remembers': {
    causes: { A: publish(10, { content: 'A' }), B: publish(20, { content: 'B', embargo: T }) },
    until: T,
    end: () => 'live B',
  },
  'an expiry that only its hold remembers': {
    causes: { A: publish(10, { content: 'A' }), B: publish(20, { content: 'B', embargo: T, expires: 2 * T }), time: due(T) },
    until: 2 * T,
    end: () => 'expired',
  },
  'an embargo that is put off': {
    causes: {
      A: publish(10, { content: 'A', embargo: T }),
      B: publish(20, { content: 'B', embargo: 2 * T }),
      time: due(T),
      later: due(2 * T),
    },
    allowed: order => order.before('time', 'later'),
    end: () => 'live B',
  },
  'public A, embargoed B, retract, due': {
    causes: { A: publish(10, { content: 'A' }), B: publish(20, { content: 'B', embargo: T }), R: retract(30), time: due(T) },
    end: ({ before }) => ((before('A', 'R') && before('A', 'B')) || (before('B', 'R') && before('time', 'R')) ? 'retracted' : 'nothing'),
  },
  'embargoed A, retracted, republished before its time': {
    causes: { A: publish(10, { content: 'A', embargo: T }), R: retract(20), P: republish(30), time: due(T) },
    end: ({ before }) => (before('P', 'R') || (before('time', 'R') && before('A', 'R')) ? 'live A' : 'nothing'),
  },
  'A, retract, B, republish': {
    causes: { A: publish(10, { content: 'A' }), R: retract(20), B: publish(30, { content: 'B' }), P: republish(40) },
    end: () => 'live B',
  },
  'A, retract, republish, B': {
    causes: { A: publish(10, { content: 'A' }), R: retract(20), P: republish(30), B: publish(40, { content: 'B' }) },
    end: () => 'live B',
  },
  'A, retract, embargoed B, republish before and after its time': {
    causes: {
      A: publish(10, { content: 'A' }),
      R: retract(20),
      B: publish(30, { content: 'B', embargo: T }),
      P: republish(40),
      time: due(T),
    },
    end: () => 'live B',
  },
  'A, retract, B and no republish': {
    causes: { A: publish(10, { content: 'A' }), R: retract(20), B: publish(30, { content: 'B' }) },
    end: ({ before }) => {
      const shown = before('A', 'R') || before('B', 'R') ? 'retracted' : 'nothing'
      return before('B', 'R') ? shown : `${shown}, held B`
    },
  },
  'a redriven retraction older than the held content': {
    causes: { A: publish(10, { content: 'A' }), R: retract(20), B: publish(30, { content: 'B', embargo: T }) },
    end: ({ before }) => (before('A', 'R') && (before('A', 'B') || before('R', 'B')) ? 'retracted, held B' : 'nothing, held B'),
  },
  'a retraction that comes twice': {
    causes: { A: publish(10, { content: 'A' }), R: retract(20), copy: retract(20), second: retract(30) },
    end: ({ before }) => (before('A', 'R') && before('A', 'copy') && before('A', 'second') ? 'retracted' : 'nothing'),
  },
  'a late picture': {
    causes: { A: publish(10, { content: 'A', picture: 'waiting' }), L: late('A') },
    allowed: order => order.before('A', 'L'),
    end: () => 'live A',
    pictured: () => true,
  },
  'a late picture, with B come meanwhile': {
    causes: { A: publish(10, { content: 'A', picture: 'waiting' }), L: late('A'), B: publish(20, { content: 'B', picture: 'waiting' }) },
    allowed: order => order.before('A', 'L'),
    end: () => 'live B',
    pictured: order => order.before('L', 'B'),
  },
  'a late picture, with B held': {
    causes: {
      A: publish(10, { content: 'A', picture: 'waiting' }),
      L: late('A'),
      B: publish(20, { content: 'B', embargo: T }),
      time: due(T),
    },
    allowed: order => order.before('A', 'L'),
    end: () => 'live B',
  },
  'a late picture of what is held': {
    causes: { A: publish(10, { content: 'A', embargo: T, picture: 'waiting' }), L: late('A'), time: due(T) },
    allowed: order => order.before('A', 'L'),
    end: () => 'live A',
    pictured: () => true,
  },
  'a late picture after a retraction': {
    causes: { A: publish(10, { content: 'A', picture: 'waiting' }), L: late('A'), R: retract(20) },
    allowed: order => order.before('A', 'L'),
    end: order => (order.before('A', 'R') ? 'retracted' : 'nothing'),
  },
  'a late picture of what comes back': {
    causes: { A: publish(10, { content: 'A', picture: 'waiting' }), L: late('A'), R: retract(20), P: republish(30) },
    allowed: order => order.before('A', 'L') && order.before('A', 'R') && order.before('R', 'P'),
    end: () => 'live A',
    pictured: () => true,
  },
  'a picture that is given up': {
    causes: { A: publish(10, { content: 'A', picture: 'waiting' }), L: late('A', 'refused') },
    allowed: order => order.before('A', 'L'),
    end: () => 'live A',
    pictured: () => false,
  },
  'expiry racing an extending update': {
    causes: { A: publish(10, { content: 'A', expires: T }), B: publish(20, { content: 'B', expires: 10 * T }), time: due(T) },
    end: () => 'live B',
  },
  'an expiry and its time': {
    causes: { A: publish(10, { content: 'A', expires: T }), time: due(T) },
    end: order => (order.before('A', 'time') ? 'expired' : 'nothing'),
  },
  'an expired article, retracted and republished': {
    causes: { A: publish(10, { content: 'A', expires: T }), time: due(T), R: retract(20), P: republish(30) },
    end: ({ before }) => {
      if (before('A', 'R') && before('R', 'P')) return before('A', 'time') ? (before('P', 'time') ? 'expired' : 'retracted') : 'nothing'
      return before('P', 'R') ? (before('A', 'time') ? 'expired' : 'nothing') : 'nothing'
    },
  },
  'embargo and expiry both past': {
    causes: { A: publish(10, { content: 'A' }), B: publish(20, { content: 'B', embargo: 1, expires: T }), time: due(T) },
    end: order => (order.before('A', 'B') ? 'expired' : 'nothing'),
  },
  'the right to a picture and its end': {
    causes: { A: publish(10, { content: 'A', picture: 'ready', right: T }), time: due(T) },
    end: () => 'live A',
    pictured: () => false,
  },
  'a right that only its hold remembers, the article held meanwhile': {
    causes: { A: publish(10, { content: 'A' }), B: publish(20, { content: 'B', embargo: T, picture: 'ready', right: 2 * T }) },
    until: 2 * T,
    end: () => 'live B',
    pictured: () => false,
  },
  'a right that is prolonged before and after its end': {
    causes: {
      A: publish(10, { content: 'A', picture: 'ready', right: T }),
      B: publish(20, { content: 'B', picture: 'ready', right: 10 * T }),
      time: due(T),
    },
    end: () => 'live B',
    pictured: () => true,
  },
  'a late picture whose right has ended': {
    causes: { A: publish(10, { content: 'A', picture: 'waiting', right: T }), L: late('A'), time: due(T) },
    allowed: order => order.before('A', 'L'),
    end: () => 'live A',
    pictured: () => false,
  },
  'a right that ends while the article is retracted': {
    causes: { A: publish(10, { content: 'A', picture: 'ready', right: T }), R: retract(20), P: republish(30), time: due(T) },
    end: ({ before }) => (before('P', 'R') || before('A', 'R') ? 'live A' : 'nothing'),
    pictured: () => false,
  },
  'a right and an expiry at one time': {
    causes: { A: publish(10, { content: 'A', picture: 'ready', right: T, expires: T }), time: due(T) },
    end: order => (order.before('A', 'time') ? 'expired' : 'nothing'),
  },
  'the same article again while its picture server is away': {
    causes: { A: publish(10, { content: 'A', picture: 'ready' }), again: publish(20, { content: 'A', id: 'again', picture: 'waiting' }) },
    end: () => 'live A',
    pictured: order => order.before('A', 'again'),
  },
  'an update while the picture server is away': {
    causes: { A: publish(10, { content: 'A', picture: 'ready' }), B: publish(20, { content: 'B', picture: 'waiting' }) },
    end: () => 'live B',
    pictured: order => order.before('A', 'B'),
  },
  'A public, B held, A again': {
    causes: {
      A: publish(10, { content: 'A' }),
      B: publish(20, { content: 'B', embargo: T }),
      again: publish(30, { content: 'A', id: 'again' }),
      time: due(T),
    },
    end: () => 'live A',
  },
  'backfill and live of one article': {
    causes: { old: publish(900, { content: 'old', lane: 'backfill' }), B: publish(10, { content: 'B' }) },
    end: () => 'live B',
  },
  'backfill and live with one sourceVersion': {
    causes: {
      old: publish(900, { content: 'old', lane: 'backfill', sourceVersion: 1 }),
      B: publish(10, { content: 'B', sourceVersion: 1 }),
    },
    end: () => 'live B',
  },
  'backfill with the higher sourceVersion': {
    causes: {
      old: publish(900, { content: 'old', lane: 'backfill', sourceVersion: 2 }),
      B: publish(10, { content: 'B', sourceVersion: 1 }),
    },
    end: () => 'live old',
  },
  'an import behind an import that took the place of live content': {
    causes: {
      A: publish(10, { content: 'A', sourceVersion: 3 }),
      held: publish(20, { content: 'held', lane: 'backfill', sourceVersion: 4, embargo: T }),
      plain: publish(30, { content: 'plain', lane: 'backfill' }),
    },
    // An import with the higher number that came first leaves A refused, and nothing live.
    allowed: order => order.before('A', 'plain') && order.before('A', 'held'),
    end: () => 'live A, held held',
  },
  'backfill of what was retracted': {
    causes: { old: publish(900, { content: 'old', lane: 'backfill' }), R: retract(10), P: republish(20) },
    end: ({ before }) => {
      if (before('old', 'R')) return 'live old'
      return before('P', 'R') ? 'live old' : 'nothing'
    },
  },
  'a purge is for good': {
    causes: {
      A: publish(10, { content: 'A' }),
      X: purge(20),
      P: republish(30),
      B: publish(40, { content: 'B', embargo: T }),
      time: due(T),
    },
    end: () => 'purged',
  },
}
