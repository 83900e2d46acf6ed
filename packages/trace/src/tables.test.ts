import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { Milestone } from '@newswire/events/milestone'
import { readArticleTrace, readSubmission } from './queries.ts'
import { milestoneWriter, schema } from './tables.ts'

const ARTICLE = 'press.a'
const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`
type SinkMilestone = Extract<Milestone, { kind: 'sink' }>
const sink = (state: SinkMilestone['state'], second: number, rest: Partial<SinkMilestone> = {}): Milestone => ({
  kind: 'sink',
  articleId: ARTICLE,
  version: 1,
  sink: { kind: 'outlet', id: 'x' },
  at: at(second),
  state,
  ...rest,
})
const expected: Milestone = {
  kind: 'fanned-out',
  articleId: ARTICLE,
  version: 1,
  stage: 'outlets',
  at: at(59),
  sinks: [{ kind: 'outlet', id: 'x' }],
}

const write = (milestones: readonly Milestone[]): DatabaseSync => {
  const db = new DatabaseSync(':memory:')
  db.exec(schema)
  const writer = milestoneWriter(db)
  for (const one of milestones) writer(one)
  return db
}
const orders = <T>(list: readonly T[]): T[][] =>
  list.length < 2 ? [[...list]] : list.flatMap((one, index) => orders(list.toSpliced(index, 1)).map(rest => [one, ...rest]))

test('a milestone that is said of several outlets is written for each of them', () => {
  const db = write([sink('done', 2, { attempts: 1, also: ['y', 'z'] })])
  const rows = db.prepare('SELECT id, state, done_at FROM sink ORDER BY id').all()
  assert.deepEqual(
    rows.map(row => ({ ...row })),
    ['x', 'y', 'z'].map(id => ({ id, state: 'done', done_at: at(2) })),
  )
})

test('what was restored from the archive is there and archived, also when its release is told once more', () => {
  const release = { articleId: ARTICLE, version: 2, action: 'published', submissionId: 's' } as const
  const restored = { ...release, kind: 'restored', at: at(9), releasedAt: at(1), detail: 'restored' } as const
  for (const [isArchived, state] of [
    [true, 'done'],
    [false, 'pending'],
  ] as const) {
    const db = write([
      { ...restored, isArchived },
      { ...release, kind: 'released', at: at(1) },
    ])
    const trace = readArticleTrace(db, ARTICLE)
    assert.deepEqual(
      trace?.versions.map(one => [one.version, one.releasedAt, one.detail, one.sinks.map(sink => [sink.id, sink.state])]),
      [[2, at(1), 'restored', [['archive', state]]]],
    )
  }
})

const retrying = [1, 2, 3].map(attempts => sink('retrying', attempts, { attempts, lastError: `no ${attempts}`, nextAt: at(attempts + 1) }))
const stories: readonly (readonly [string, SinkMilestone['state'], readonly Milestone[]])[] = [
  ['an end stays, though the try before it was told by a clock that is ahead', 'dead', [...retrying, sink('dead', 2, { attempts: 4 })]],
  ['what was rejected stays rejected', 'rejected', [...retrying, sink('rejected', 1, { attempts: 4 })]],
  ['of two at one instant the end counts', 'dead', [sink('retrying', 4, { attempts: 4 }), sink('dead', 4, { attempts: 4 }), expected]],
  ['what a newer version took the place of is tried no more', 'superseded', [...retrying, sink('superseded', 2)]],
  ['a suspension after the same attempt counts by its time', 'suspended', [...retrying, sink('suspended', 9, { attempts: 3 })]],
  ['done counts from the first time on', 'done', [...retrying, sink('done', 8, { attempts: 4 }), sink('done', 9, { attempts: 1 })]],
]
for (const [rule, state, story] of stories)
  test(`the same milestones of a sink in any order give one answer: ${rule}`, () => {
    const rows = orders([...story, expected].slice(0, 5)).map(
      order =>
        write([...order, ...order])
          .prepare('SELECT * FROM sink')
          .all()[0],
    )
    assert.equal(rows[0]?.['state'], state)
    for (const row of rows) assert.deepEqual(row, rows[0])
  })

test('what was refused and then redriven ends as what came of that, in any order', () => {
  const submission = (state: 'accepted' | 'refused' | 'released', second: number): Milestone => ({
    kind: 'submission',
    articleId: ARTICLE,
    submissionId: 's1',
    stage: 'desk',
    at: at(second),
    state,
  })
  for (const order of orders([submission('accepted', 1), submission('refused', 2), submission('released', 3)]))
    assert.equal(readSubmission(write(order), 's1')?.state, 'released')
  assert.equal(readSubmission(write([submission('refused', 2), submission('accepted', 1)]), 's1')?.state, 'refused')
})

test('what a submission was taken with a warning of stays with it, whatever becomes of it', () => {
  const common = { kind: 'submission', articleId: ARTICLE, submissionId: 's', command: 'publish' } as const
  const taken: Milestone = {
    ...common,
    stage: 'ingest',
    state: 'accepted',
    at: at(1),
    detail: '/categories/0 category "x" is not there\n/correction no note',
  }
  const released: Milestone = { ...common, stage: 'desk', state: 'released', version: 1, at: at(2) }
  for (const order of [[taken], [taken, released], [released, taken]])
    assert.deepEqual(readSubmission(write(order), 's')?.warnings, [
      { pointer: '/categories/0', detail: 'category "x" is not there' },
      { pointer: '/correction', detail: 'no note' },
    ])
  assert.equal(readSubmission(write([released]), 's')?.warnings, undefined)
})
