import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { toRecord } from '@newswire/events/events'
import { type Fact, toPublicFact } from '@newswire/events/fact'
import { relatedOf, retractionTold } from '@newswire/events/references'
import { decide } from './decide.ts'
import { common, give, open, openFolder, openSystem, type System, toPublish, toRetract, until } from './desk.system.ts'
import { goneNames, type Naming, type Standing, type StandingOf, toReferencesDetail } from './references.ts'
import { blank, type State } from './state.ts'
import { at, publish, references, republish, retract } from './stories.world.ts'

const naming = (names: readonly string[], more: Partial<Naming> = {}): Naming => ({
  articleId: 'baoqk.mot',
  publisher: 'baoqk',
  names,
  isForEditors: false,
  told: [],
  ...more,
})
const known =
  (standings: Readonly<Record<string, Standing>>): StandingOf =>
  articleId =>
    standings[articleId] ?? null

describe('what a version may not name', () => {
  const cases: readonly (readonly [rule: string, naming: Naming, standings: Record<string, Standing>, gone: readonly string[]])[] = [
    ['what was taken back', naming(['hai']), { 'baoqk.hai': 'gone' }, ['hai']],
    ['not what is there', naming(['hai', 'baoqk.hai']), { 'baoqk.hai': 'here' }, []],
    ["the publisher's own comes before another's that looks alike", naming(['khac.hai']), { 'khac.hai': 'gone' }, ['khac.hai']],
    ['one that is there is enough', naming(['khac.hai']), { 'baoqk.khac.hai': 'here', 'khac.hai': 'gone' }, []],
    ['what nothing is known of may still come', naming(['hai']), {}, []],
    ['and stays untold where it was', naming(['hai', 'ba'], { told: ['ba'] }), {}, ['ba']],
    ['what only editors have, in what everybody reads', naming(['hai']), { 'baoqk.hai': 'narrowed' }, ['hai']],
    ['not in what editors read', naming(['hai'], { isForEditors: true }), { 'baoqk.hai': 'narrowed' }, []],
    ['never itself: by its release it is there', naming(['mot', 'baoqk.mot']), { 'baoqk.mot': 'gone' }, []],
    ['a name is told once', naming(['hai', 'hai']), { 'baoqk.hai': 'gone' }, ['hai']],
    ['not what can be no article', naming(['../../x', 'https://example.org/']), {}, []],
  ]
  for (const [rule, given, standings, gone] of cases) it(rule, () => assert.deepEqual(goneNames(given, known(standings)), gone))
})

const after = (current: State, cause: Parameters<typeof decide>[1], minute: number, standings: Record<string, Standing>): State => {
  const { next } = decide(current, cause, at(minute), known(standings))
  return next
}
const factOf = ({ released }: State): Fact => {
  assert.ok(released)
  return released.fact
}

describe('one more version because of what it names', () => {
  const A = publish(10, { content: 'A', related: ['kia', 'do'] })

  it('is an update that moves no date, and says why', () => {
    const one = after(blank, A, 0, {})
    const two = after(one, references('r1'), 5, { 'baoqk.kia': 'gone' })
    const fact = factOf(two)
    assert.ok(fact.state === 'live')
    assert.deepEqual([fact.version, fact.action, fact.updatedAt, fact.releasedAt], [2, 'updated', at(0), at(5)])
    assert.deepEqual([fact.article, relatedOf(fact)], [(factOf(one) as typeof fact).article, ['do']])
    assert.equal(two.released?.detail, 'it no longer names kia, taken back')
    const three = after(two, references('r2'), 6, { 'baoqk.kia': 'here' })
    assert.equal(factOf(three).goneReferences, undefined)
    assert.equal(three.released?.detail, 'it names kia again')
  })

  it('is none when nothing differs, whoever asks how often', () => {
    const one = after(blank, A, 0, { 'baoqk.kia': 'gone' })
    assert.deepEqual(factOf(one).goneReferences, ['kia'], 'a first version names no article that is gone already')
    assert.equal(after(one, references('r1'), 5, { 'baoqk.kia': 'gone' }), one)
    assert.equal(after(blank, references('r1'), 5, {}), blank)
  })

  it('is not for what is retracted: it names nothing, and does again with its return', () => {
    const gone = after(after(blank, A, 0, {}), retract(20), 1, {})
    assert.equal(after(gone, references('r1'), 2, { 'baoqk.kia': 'gone' }), gone)
    const back = after(gone, republish(30), 3, { 'baoqk.kia': 'gone' })
    assert.deepEqual(factOf(back).goneReferences, ['kia'])
  })

  it('tells a substitute that went and came back, and leaves the retraction dated as it was', () => {
    const gone = after(after(blank, A, 0, {}), retract(20, 'do'), 1, {})
    const without = factOf(after(gone, references('r1'), 9, { 'baoqk.do': 'gone' }))
    assert.ok(without.state === 'retracted')
    assert.deepEqual([without.version, without.updatedAt, without.releasedAt], [3, at(1), at(9)])
    assert.deepEqual(retractionTold(without), { mode: 'gone', reason: 'sai', legal: false })
    assert.equal(toPublicFact(without).releasedAt, at(1), 'readers of feeds see no newer end')
    const state = after(after(gone, references('r1'), 9, { 'baoqk.do': 'gone' }), references('r2'), 10, { 'baoqk.do': 'here' })
    const again = factOf(state)
    assert.ok(again.state === 'retracted' && retractionTold(again).redirectTo === 'do')
    assert.ok(state.killed === 20 && state.withdrawn?.article, 'it can still be brought back')
  })

  it('says no more than five names to a person', () => {
    const names = ['1', '2', '3', '4', '5', '6', '7']
    assert.equal(toReferencesDetail([], names), 'it no longer names 1, 2, 3, 4, 5 and 2 more, taken back')
  })
})

const gone = (fact: Fact): readonly string[] => fact.goneReferences ?? []
/** Nothing is left to be done: all that was published has been handled, and the view has seen what came of it. */
const settled = async (system: System): Promise<void> => {
  await until('the desk to have handled everything', async () => (await system.log.lag('desk')).every(one => one.records === 0))
}

describe('articles that name each other, on the embedded log and the disk', () => {
  it('an article is released again when one that it names is retracted, and again when that is back', async t => {
    const system = await open(t)
    await give(system, toPublish('b1', 'baoqk.hai'), toPublish('a1', 'baoqk.mot', { related: ['hai', 'chua-co'] }))
    await system.fact('baoqk.mot', 1)
    await give(system, toRetract('b2', 'baoqk.hai'))
    const without = await system.fact('baoqk.mot', 2)
    assert.deepEqual([gone(without), without.submissionId, without.action], [['hai'], 'a1', 'updated'])
    await give(system, { command: 'republish', ...common('b3', 'baoqk.hai') })
    assert.deepEqual(gone(await system.fact('baoqk.mot', 3)), [])
    await give(system, { command: 'purge', ...common('b4', 'baoqk.hai'), reason: 'luật' })
    assert.deepEqual(gone(await system.fact('baoqk.mot', 4)), ['hai'])
    await until('it to be told', () =>
      system.milestones.some(one => one.kind === 'released' && /no longer names hai/.test(one.detail ?? '')),
    )
  })

  it('two that name each other come to rest, and so do two that take the place of each other', async t => {
    const system = await open(t)
    await give(system, toPublish('a1', 'baoqk.mot', { related: ['hai'] }), toPublish('b1', 'baoqk.hai', { related: ['mot'] }))
    await system.fact('baoqk.hai', 1)
    const replacing = (submissionId: string, articleId: string, redirectTo: string) => {
      const retraction = { mode: 'replace', reason: 'thay', legal: false, redirectTo } as const
      return { ...toRetract(submissionId, articleId), retraction } as ReturnType<typeof toRetract>
    }
    await give(system, replacing('a2', 'baoqk.mot', 'hai'))
    assert.deepEqual(gone(await system.fact('baoqk.hai', 2)), ['mot'])
    await give(system, replacing('b2', 'baoqk.hai', 'mot'))
    assert.deepEqual(gone(await system.fact('baoqk.hai', 3)), ['mot'], 'its substitute was gone already')
    assert.deepEqual(gone(await system.fact('baoqk.mot', 3)), ['hai'])
    await give(system, { command: 'republish', ...common('a3', 'baoqk.mot') })
    await system.fact('baoqk.mot', 4)
    await system.fact('baoqk.hai', 4)
    await give(system, { command: 'republish', ...common('b3', 'baoqk.hai') })
    assert.deepEqual(gone(await system.fact('baoqk.mot', 5)), [])
    await settled(system)
    await give(system, toPublish('other', 'baoqk.khac'))
    await system.fact('baoqk.khac', 1)
    assert.deepEqual(
      ['baoqk.mot', 'baoqk.hai'].map(id => Math.max(...system.facts().map(one => (one.articleId === id ? one.version : 0)))),
      [5, 5],
    )
  })

  it('hundreds that name one are released once more each', async t => {
    const system = await open(t)
    const articles = Array.from({ length: 300 }, (_, index) => `baoqk.so-${index}`)
    await give(system, toPublish('b1', 'baoqk.hai'), ...articles.map((id, index) => toPublish(`a${index}`, id, { related: ['hai'] })))
    for (const articleId of articles) await system.fact(articleId, 1)
    await give(system, toRetract('b2', 'baoqk.hai'))
    for (const articleId of articles) assert.deepEqual(gone(await system.fact(articleId, 2)), ['hai'])
    await settled(system)
    assert.ok(system.facts().every(one => one.version < 3))
  })

  it('what was not told when the process ended is told by the next one', async t => {
    const dir = openFolder(t)
    const first = await openSystem(dir)
    await give(first, toPublish('b1', 'baoqk.hai'), toPublish('a1', 'baoqk.mot', { related: ['hai'] }))
    await first.fact('baoqk.mot', 1)
    await first.desk.stop()
    // The retraction's fact is in the log, and nobody was there to see it.
    const before = first.facts().find(one => one.articleId === 'baoqk.hai') as Fact
    const { article: _, ...rest } = before as Extract<Fact, { state: 'live' }>
    const retraction = { mode: 'gone', reason: 'sai', legal: false } as const
    const data: Fact = { ...rest, state: 'retracted', action: 'retracted', version: 2, supersedes: 1, retraction }
    await first.log.publish([
      toRecord({
        id: crypto.randomUUID(),
        type: 'article.retracted',
        source: '/t',
        subject: before.articleId,
        time: before.releasedAt,
        data,
      }),
    ])
    await first.close()
    const second = await openSystem(dir)
    t.after(second.close)
    assert.deepEqual(gone(await second.fact('baoqk.mot', 2)), ['hai'])
  })

  it('a view that was deleted is made again, and nothing is told twice for it', async t => {
    const dir = openFolder(t)
    const first = await openSystem(dir)
    await give(first, toPublish('b1', 'baoqk.hai'), toPublish('a1', 'baoqk.mot', { related: ['hai'] }), toRetract('b2', 'baoqk.hai'))
    await until('it to be told', () => first.facts().some(one => one.articleId === 'baoqk.mot' && gone(one).length > 0))
    await settled(first)
    const told = first.facts().filter(one => one.articleId === 'baoqk.mot').length
    await first.close()
    rmSync(join(dir, 'views'), { recursive: true })
    const second = await openSystem(dir)
    t.after(second.close)
    await give(second, toPublish('a2', 'baoqk.mot', { related: ['hai'], title: 'khác' }))
    const last = await second.fact('baoqk.mot', told + 1)
    assert.deepEqual([gone(last), last.submissionId], [['hai'], 'a2'])
  })
})
