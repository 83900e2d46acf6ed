import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Fact } from '@newswire/events/fact'
import { toFactForAll } from '@newswire/events/public-article'
import type { Cause, SubmissionCause } from './cause.ts'
import type { Decision } from './changes.ts'
import { decide } from './decide.ts'
import { blank, dueTimes, type State } from './state.ts'
import { at, due, late, publish, purge, republish, retract } from './stories.world.ts'

type Step = Cause | readonly [cause: Cause, minute: number]

/** Decides one after another; the last decision and the state before it. */
const play = (...steps: readonly Step[]): Decision & { before: State } => {
  let before = blank
  let decision: Decision = { next: blank, outcomes: [] }
  for (const step of steps) {
    const [cause, minute] = 'kind' in step ? [step, 0] : step
    before = decision.next
    decision = decide(before, cause, at(minute))
  }
  return { ...decision, before }
}

const factOf = ({ next }: Decision): Fact => {
  assert.ok(next.released, 'something was released')
  return next.released.fact
}

/** What became of the last cause's submission first, then of the others it settled: `<submission> <state> [<code>]`. */
const told = ({ outcomes }: Decision): readonly string[] =>
  outcomes.map(({ submissionId, state, code, version }) =>
    [submissionId, state, code?.replace('NEWSWIRE_DESK_', '') ?? `v${version}`].join(' '),
  )

const changed = (cause: Cause, changes: Partial<SubmissionCause['article']>): Cause =>
  cause.kind === 'publish' ? { ...cause, article: { ...cause.article, ...changes }, contentSha256: JSON.stringify(changes) } : cause

const A = publish(10, { content: 'A' })
const B = publish(30, { content: 'B' })
const embargoedA = publish(10, { content: 'A', embargo: 5 })
const embargoedLater = publish(20, { content: 'A', embargo: 9, id: 'again' })
/** As an import that was dated ahead. */
const imported = publish(10, { content: 'A', embargo: 5, lane: 'backfill' })
const embargoedB = publish(30, { content: 'B', embargo: 5 })
/** A court's: its notice is what readers see. */
const legal = (position: number): Cause => {
  const cause = retract(position)
  return cause.kind === 'retract'
    ? { ...cause, retraction: { mode: 'withdraw', reason: 'x', legal: true, notice: 'by court order' } }
    : cause
}
const expiringA = publish(10, { content: 'A', expires: 5 })

const table: readonly (readonly [rule: string, steps: readonly Step[], told: readonly string[], end: string])[] = [
  ['a first submission is released', [A], ['A released v1'], 'live 1'],
  ['a newer submission is one more version', [A, B], ['B released v2'], 'live 2'],
  ['what is positioned before the retraction is refused for good', [retract(20), A], ['A refused BEFORE_RETRACTION'], 'none'],
  ['also after a republish', [retract(20), republish(40), A], ['A refused BEFORE_RETRACTION'], 'none'],
  [
    'an import brings nothing back',
    [A, retract(20), publish(90, { content: 'old', lane: 'backfill' })],
    ['old superseded BACKFILL'],
    'retracted 2',
  ],
  ['an import replaces nothing live', [A, publish(90, { content: 'old', lane: 'backfill' })], ['old superseded BACKFILL'], 'live 1'],
  ['a live submission replaces an import', [publish(90, { content: 'old', lane: 'backfill' }), A], ['A released v2'], 'live 2'],
  [
    'an import with a higher sourceVersion is newer',
    [publish(10, { content: 'A', sourceVersion: 1 }), publish(5, { content: 'old', lane: 'backfill', sourceVersion: 2 })],
    ['old released v2'],
    'live 2',
  ],
  [
    'a lower sourceVersion is stale',
    [publish(10, { content: 'five', sourceVersion: 5 }), publish(20, { content: 'four', sourceVersion: 4 })],
    ['four refused STALE'],
    'live 1',
  ],
  [
    'a sourceVersion said twice with the same content is a duplicate',
    [publish(10, { content: 'A', sourceVersion: 1 }), publish(20, { content: 'A', sourceVersion: 1, id: 'again' })],
    ['again duplicate DUPLICATE'],
    'live 1',
  ],
  [
    'a sourceVersion said twice with other content is refused',
    [publish(10, { content: 'A', sourceVersion: 1 }), publish(20, { content: 'B', sourceVersion: 1 })],
    ['B refused SAME_VERSION'],
    'live 1',
  ],
  ['an overtaken submission is superseded', [B, A], ['A superseded SUPERSEDED'], 'live 1'],
  ['equal content is a duplicate', [A, publish(20, { content: 'A', id: 'again' })], ['again duplicate DUPLICATE'], 'live 1'],
  ['another embargo is a change', [A, publish(20, { content: 'A', id: 'again', embargo: 5 })], ['again held EMBARGOED'], 'live 1, held'],
  [
    'an embargo that has passed is no other content',
    [imported, [due(5), 5], [publish(20, { content: 'A', id: 'again', lane: 'backfill' }), 6]],
    ['again duplicate DUPLICATE'],
    'live 1',
  ],
  [
    'nor is one that has passed as well, under the same sourceVersion',
    [
      publish(10, { content: 'A', embargo: 5, sourceVersion: 1 }),
      [due(5), 5],
      [publish(20, { content: 'A', id: 'again', embargo: 3, sourceVersion: 1 }), 6],
    ],
    ['again duplicate DUPLICATE'],
    'live 1',
  ],
  ['one that is still to come is', [embargoedA, [due(5), 5], [embargoedLater, 6]], ['again held EMBARGOED'], 'live 1, held'],
  [
    'what has waited too long goes out with the next that says it without an embargo',
    [embargoedA, [publish(20, { content: 'A', id: 'again' }), 6]],
    ['again released v1', 'A superseded SUPERSEDED'],
    'live 1',
  ],
  [
    'going back to earlier content is a change',
    [A, publish(20, { content: 'B' }), publish(30, { content: 'A', id: 'again' })],
    ['again released v3'],
    'live 3',
  ],
  ['what expired on its way is kept in', [[expiringA, 5]], ['A refused EXPIRED'], 'none'],
  ['and ends what is live', [A, [publish(20, { content: 'B', expires: 5 }), 5]], ['B released v2'], 'expired 2'],
  ['an embargo in the future holds', [embargoedA], ['A held EMBARGOED'], 'none, held'],
  ['an embargo that has come does not', [[embargoedA, 5]], ['A released v1'], 'live 1'],
  ['a newer submission replaces the held one', [embargoedA, embargoedB], ['B held EMBARGOED', 'A superseded SUPERSEDED'], 'none, held'],
  ['also when it goes out at once', [embargoedA, B], ['B released v1', 'A superseded SUPERSEDED'], 'live 1'],
  ['after a retraction everything waits for a republish', [A, retract(20), B], ['B held AWAITS_REPUBLISH'], 'retracted 2, held'],

  ['a live article is released as retracted', [A, retract(20)], ['R20 released v2'], 'retracted 2'],
  ['an expired one as well', [expiringA, [due(5), 5], retract(20)], ['R20 released v3'], 'retracted 3'],
  ['one never released gets no fact', [embargoedA, retract(20)], ['R20 released NEVER_RELEASED', 'A refused RETRACTED_WHILE_HELD'], 'none'],
  ['a retraction drops only what was held before it', [embargoedB, retract(20)], ['R20 released NEVER_RELEASED'], 'none, held'],
  [
    'a second retraction that says the same releases nothing',
    [A, retract(20), retract(30)],
    ['R30 duplicate ALREADY_RETRACTED'],
    'retracted 2',
  ],
  [
    'one that tells readers something else is one more version',
    [A, retract(20), retract(30, 'baoqk.b')],
    ['R30 released v3'],
    'retracted 3',
  ],
  [
    'one that only takes back once more leaves the address',
    [A, retract(20, 'baoqk.b'), retract(30)],
    ['R30 duplicate ALREADY_RETRACTED'],
    'retracted 2',
  ],
  ['what a republish brings back stays', [A, retract(20), retract(30, 'baoqk.b'), republish(40)], ['P40 released v4'], 'live 4'],
  ['what awaits the republish outlives it', [A, retract(20), B, retract(45, 'baoqk.b')], ['R45 released v3'], 'retracted 3, held'],
  ['and is what comes back', [A, retract(20), B, retract(45, 'baoqk.b'), republish(50)], ['P50 released v4', 'B released v4'], 'live 4'],
  [
    'also when it comes late, because its pictures did',
    [A, retract(20), retract(45, 'baoqk.b'), B],
    ['B held AWAITS_REPUBLISH'],
    'retracted 3, held',
  ],
  [
    'what is positioned before the first of two retractions stays refused',
    [retract(20), retract(45, 'baoqk.b'), A],
    ['A refused BEFORE_RETRACTION'],
    'none',
  ],
  [
    'what a republish let wait for its embargo is dropped by the next retraction',
    [A, retract(20), embargoedB, republish(40), retract(45)],
    ['R45 duplicate ALREADY_RETRACTED', 'B refused RETRACTED_WHILE_HELD', 'P40 refused RETRACTED_WHILE_HELD'],
    'retracted 2',
  ],
  ['one of no law leaves what a law asked for', [A, legal(20), retract(30, 'baoqk.b')], ['R30 duplicate ALREADY_RETRACTED'], 'retracted 2'],
  ['one that a law asks for takes its place', [A, retract(20, 'baoqk.b'), legal(30)], ['R30 released v3'], 'retracted 3'],
  ['a retraction before the newest one has no effect', [A, retract(30), retract(20)], ['R20 superseded NO_EFFECT'], 'retracted 2'],
  ['nor one before the newest republish', [A, retract(20), republish(40), retract(30)], ['R30 superseded NO_EFFECT'], 'live 3'],

  ['a republish brings back what was withdrawn', [A, retract(20), republish(30)], ['P30 released v3'], 'live 3'],
  ['or what was submitted since', [A, retract(20), B, republish(40)], ['P40 released v3', 'B released v3'], 'live 3'],
  ['what is not retracted cannot come back', [A, republish(20)], ['P20 refused NOT_RETRACTED'], 'live 1'],
  ['a republish before the retraction is refused', [A, retract(30), republish(20)], ['P20 refused BEFORE_RETRACTION'], 'retracted 2'],
  ['one with nothing kept is refused', [retract(20), republish(30)], ['P30 refused NOTHING_TO_REPUBLISH'], 'none'],
  ['but lifts the retraction', [retract(20), republish(30), publish(40, { content: 'B' })], ['B released v1'], 'live 1'],
  [
    'a republish during the embargo waits with it',
    [A, retract(20), embargoedB, republish(40)],
    ['P40 held EMBARGOED'],
    'retracted 2, held',
  ],
  ['and ends with it', [A, retract(20), embargoedB, republish(40), [due(5), 5]], ['B released v3', 'P40 released v3'], 'live 3'],
  [
    'or with what takes its place',
    [A, retract(20), embargoedB, republish(40), publish(50, { content: 'C' })],
    ['C released v3', 'B superseded SUPERSEDED', 'P40 released v3'],
    'live 3',
  ],
  ['what has expired does not come back', [expiringA, retract(20), [republish(30), 5]], ['P30 refused EXPIRED'], 'retracted 2'],

  ['an embargo ends at its time', [embargoedA, [due(5), 5]], ['A released v1'], 'live 1'],
  ['a hold fired too early does nothing', [embargoedA, [due(5), 4]], [], 'none, held'],
  ['nor does one of a retracted article', [embargoedB, retract(20), [due(5), 5]], [], 'none, held'],
  [
    'what expired while held ends what is live',
    [A, publish(20, { content: 'B', embargo: 1, expires: 5 }), [due(5), 5]],
    ['B released v2'],
    'expired 2',
  ],
  ['and is refused when nothing is', [publish(20, { content: 'B', embargo: 1, expires: 5 }), [due(5), 5]], ['B refused EXPIRED'], 'none'],
  ['an expiry ends the live article', [expiringA, [due(5), 5]], [], 'expired 2'],
  ['and leaves what is held', [expiringA, publish(20, { content: 'B', embargo: 9 }), [due(5), 5]], [], 'expired 2, held'],
  ['a newer submission revives what expired', [expiringA, [due(5), 5], [B, 6]], ['B released v3'], 'live 3'],

  ['a purge is terminal', [A, embargoedB, purge(40)], ['X40 released v2', 'B refused PURGED'], 'purged 2'],
  ['also of what was never released', [embargoedA, purge(20)], ['X20 released v1', 'A refused PURGED'], 'purged 1'],
  ['nothing follows it: no submission', [A, purge(20), B], ['B refused PURGED'], 'purged 2'],
  ['no republish', [A, purge(20), republish(30)], ['P30 refused PURGED'], 'purged 2'],
  ['no retraction', [A, purge(20), retract(30)], ['R30 superseded NO_EFFECT'], 'purged 2'],
  ['no second purge', [A, purge(20), purge(30)], ['X30 superseded NO_EFFECT'], 'purged 2'],

  ['commands go through the live lane', [A, { ...retract(900), lane: 'backfill' } as Cause], ['R900 refused LANE'], 'live 1'],
]

describe('decide', () => {
  for (const [rule, steps, outcomes, end] of table)
    it(rule, () => {
      const decision = play(...steps)
      const { released, held } = decision.next
      const shown = released ? `${released.fact.state} ${released.fact.version}` : 'none'
      assert.deepEqual(told(decision), outcomes)
      assert.equal(held ? `${shown}, held` : shown, end)
    })

  it('a decision that changes nothing returns the very state it was given', () => {
    for (const steps of [
      [B, A],
      [embargoedA, due(5)],
      [A, late('B')],
      [A, purge(20), late('A')],
    ] as Step[][]) {
      const { next, before } = play(...steps)
      assert.equal(next, before)
    }
  })

  it('a late picture is one more version with the dates of before', () => {
    const waiting = publish(10, { content: 'A', picture: 'waiting' })
    const fact = factOf(play(waiting, [late('A'), 7]))
    assert.ok(fact.state === 'live')
    assert.deepEqual([fact.version, fact.action, fact.updatedAt, fact.releasedAt], [2, 'updated', at(0), at(7)])
    assert.deepEqual([fact.article.images[0]?.state, fact.article.images[0]?.caption], ['ready', 'chú thích'])
    assert.equal(fact.submissionId, 'A')
  })

  it('a late picture of what is held is put in place without a version', () => {
    const { next } = play(publish(10, { content: 'A', embargo: 5, picture: 'waiting' }), late('A'))
    assert.equal(next.released, null)
    assert.equal(next.held?.article.images[0]?.state, 'ready')
  })

  it('what was taken back keeps a late picture for its republish', () => {
    const gone: Step[] = [publish(10, { content: 'A', picture: 'waiting' }), retract(20), late('A')]
    const { next } = play(...gone)
    assert.deepEqual([next.released?.fact.state, next.withdrawn?.article?.images[0]?.state], ['retracted', 'ready'])
    const back = factOf(play(...gone, republish(30)))
    assert.ok(back.state === 'live')
    assert.deepEqual([back.version, back.article.images[0]?.state], [3, 'ready'])
  })

  it('a picture that is given up releases nothing', () => {
    const { next, before } = play(publish(10, { content: 'A', picture: 'waiting' }), late('A', 'refused'))
    assert.equal(next, before)
  })

  describe('the right to a picture', () => {
    const shown = publish(10, { content: 'A', picture: 'ready', right: 5 })
    const images = (decision: Decision) => {
      const fact = factOf(decision)
      assert.ok(fact.state === 'live')
      return toFactForAll(fact).article.images.length
    }

    it('ends with one more version, the same words without the picture, and the dates of before', () => {
      assert.equal(images(play(shown)), 1)
      const ended = play(shown, [due(5), 5])
      const fact = factOf(ended)
      assert.deepEqual([fact.version, fact.action, fact.updatedAt, fact.releasedAt, fact.submissionId], [2, 'updated', at(0), at(5), 'A'])
      assert.equal(images(ended), 0)
      assert.equal(ended.next.released?.detail, `the right to a picture ended at ${at(5)}`)
      assert.deepEqual(dueTimes(ended.next), [])
    })

    it('ends once: looked at again, at the same time or later, nothing changes', () => {
      for (const minute of [5, 9]) {
        const { next, before } = play(shown, [due(5), 5], [{ ...due(5), id: 'again' }, minute])
        assert.equal(next, before)
      }
      const { next, before } = play(shown, [due(4), 4])
      assert.equal(next, before)
    })

    it('of a picture that is shown nowhere ends without a version', () => {
      const refused = publish(10, { content: 'A', picture: 'refused', right: 5 })
      assert.deepEqual(dueTimes(play(refused).next), [])
      assert.deepEqual(dueTimes(play([shown, 7]).next), [])
    })

    it('one after the other end one after the other', () => {
      const twice = changed(shown, {})
      assert.ok(twice.kind === 'publish')
      const [one] = twice.article.images
      assert.ok(one)
      const two = {
        ...twice,
        article: { ...twice.article, images: [one, { ...one, url: `${one.url}?2`, rights: { outlets: ['a'], until: at(8) } }] },
      }
      assert.deepEqual(dueTimes(play(two).next), [Date.parse(at(5))])
      const first = play(two, [due(5), 5])
      assert.deepEqual(dueTimes(first.next), [Date.parse(at(8))])
      const second = play(two, [due(5), 5], [{ ...due(8), id: 'second' }, 8])
      assert.deepEqual([factOf(second).version, second.next.released?.detail], [3, `the right to a picture ended at ${at(8)}`])
      const both = play(two, [due(8), 8])
      assert.deepEqual([factOf(both).version, both.next.released?.detail], [2, `the right to 2 pictures ended at ${at(8)}`])
    })
  })

  it('a picture that could not be had this time is the one of before', () => {
    const fact = factOf(play(publish(10, { content: 'A', picture: 'ready' }), publish(20, { content: 'B', picture: 'refused' })))
    assert.ok(fact.state === 'live')
    assert.equal(fact.article.images[0]?.renditions.length, 1)
  })
})

describe('the facts', () => {
  const minor = (cause: Cause) => changed(cause, { change: 'minor' })
  const correction = (cause: Cause) => changed(cause, { change: 'correction', correction: { note: 'sửa tên' } })

  const dates: readonly (readonly [rule: string, steps: readonly Step[], action: string, updatedMinute: number])[] = [
    ['a major change moves updatedAt', [A, [B, 3]], 'updated', 3],
    ['a minor one does not', [A, [minor(B), 3]], 'updated', 0],
    ['a correction does', [A, [correction(B), 3]], 'corrected', 3],
    ['so does a retraction', [A, [retract(20), 3]], 'retracted', 3],
    ['and a return, even of a minor change', [A, retract(20), minor(B), [republish(40), 3]], 'published', 3],
    ['and the end of an embargo', [embargoedA, [due(5), 5]], 'published', 5],
  ]
  for (const [rule, steps, action, minute] of dates)
    it(rule, () => {
      const fact = factOf(play(...steps))
      assert.deepEqual([fact.action, fact.updatedAt], [action, at(minute)])
    })

  it('firstReleasedAt never moves, and every version names the one before', () => {
    const fact = factOf(play([A, 1], [B, 2], [retract(40), 3], [republish(50), 4]))
    assert.deepEqual([fact.firstReleasedAt, fact.releasedAt, fact.version, fact.supersedes], [at(1), at(4), 4, 3])
  })

  it('an import is dated by its own date, but never in the future', () => {
    const imported = publish(10, { content: 'A', lane: 'backfill' })
    const old = factOf(play(changed(imported, { publishedAt: '2001-05-06T00:00:00.000Z' })))
    assert.deepEqual([old.firstReleasedAt, old.updatedAt, old.lane], ['2001-05-06T00:00:00.000Z', '2001-05-06T00:00:00.000Z', 'backfill'])
    assert.equal(factOf(play(changed(imported, { publishedAt: '2099-01-01T00:00:00.000Z' }))).firstReleasedAt, at(0))
    assert.equal(factOf(play(changed(A, { publishedAt: '2001-05-06T00:00:00.000Z' }))).firstReleasedAt, at(0))
  })

  it('facets gather everything ever released, held content left out', () => {
    const one = changed(A, { categories: ['thoi-su'], language: 'vi', audience: 'public' })
    const two = changed(B, { categories: ['quoc-phong'], language: 'en', audience: 'editorial', type: 'video' })
    const held = changed(publish(40, { content: 'C', embargo: 9 }), { categories: ['kin'] })
    assert.deepEqual(factOf(play(one, two, held, retract(50))).facetsEver, {
      categories: ['thoi-su', 'quoc-phong'],
      languages: ['vi', 'en'],
      publishers: ['baoqk'],
      types: ['article', 'video'],
      public: true,
    })
  })

  it('slugs of earlier versions stay as aliases, also through a retraction', () => {
    const slugs = (slug: string, position: number) => changed(publish(position, { content: slug }), { slug })
    assert.deepEqual(factOf(play(slugs('mot', 10), slugs('hai', 20))).aliases, ['mot'])
    assert.deepEqual(factOf(play(slugs('mot', 10), slugs('hai', 20), retract(30))).aliases, ['mot', 'hai'])
    assert.deepEqual(factOf(play(slugs('mot', 10), slugs('hai', 20), slugs('mot', 30))).aliases, ['hai'])
  })

  it('an expiry says how the publisher wanted it, under the submission that was live', () => {
    const fact = factOf(play(changed(expiringA, { expiryMode: 'withdraw' }), [due(5), 6]))
    assert.ok(fact.state === 'expired')
    assert.deepEqual(fact.retraction, { mode: 'withdraw', reason: 'expired', legal: false })
    assert.deepEqual([fact.action, fact.submissionId], ['retracted', 'A'])
  })

  it('nothing private is in what ends an article', () => {
    for (const steps of [
      [A, retract(20)],
      [expiringA, [due(5), 5]],
      [A, purge(20)],
    ] as Step[][])
      assert.equal('article' in factOf(play(...steps)), false)
  })
})

describe('an article that was public and is for editors now', () => {
  const editorial = (cause: Cause) => changed(cause, { audience: 'editorial' })
  const open = publish(10, { content: 'A' })

  it('says since which version the public has it no more, and goes on saying so', () => {
    const hidden = play(open, [editorial(publish(30, { content: 'B' })), 1])
    assert.deepEqual(factOf(hidden).narrowed, { version: 2, at: at(1) })
    const again = play(
      open,
      [editorial(publish(30, { content: 'B' })), 1],
      [changed(publish(50, { content: 'C' }), { audience: 'editorial', title: 'C' }), 2],
    )
    assert.deepEqual([factOf(again).version, factOf(again).narrowed], [3, { version: 2, at: at(1) }])
  })

  it('is public again without a mark, and one that never was public has none', () => {
    const back = play(open, [editorial(publish(30, { content: 'B' })), 1], [publish(50, { content: 'C' }), 2])
    assert.equal(factOf(back).narrowed, undefined)
    assert.equal(factOf(play(editorial(open))).narrowed, undefined)
  })

  it('stays taken back as of its retraction when it returns for editors only', () => {
    const returned = play(open, [retract(20), 1], [editorial(publish(30, { content: 'B' })), 2], [republish(40), 3])
    assert.deepEqual(factOf(returned).narrowed, { version: 2, at: at(1) })
  })
})
