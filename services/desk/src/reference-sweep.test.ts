import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NewRecord } from '@newswire/log/log'
import { createReferenceSweep } from './reference-sweep.ts'
import type { Unsettled } from './referrers.ts'

const AT_ONCE = 16

const open = (count: number, owns: (articleId: string) => boolean = () => true) => {
  const articles = new Map<string, Unsettled>(
    Array.from({ length: count }, (_, index) => {
      const articleId = `baoqk.so-${String(index).padStart(5, '0')}`
      return [articleId, { articleId, version: 1, isOutdated: true }]
    }),
  )
  const asked: string[] = []
  const clock = { ms: 0, isLogAway: false, judged: 0 }
  const sweep = createReferenceSweep({
    log: {
      publish: async records => {
        if (clock.isLogAway) throw new Error('the log is away')
        asked.push(...records.map(({ key }: NewRecord) => String(key)))
        return []
      },
    },
    unsettledAfter: (after, limit) => {
      const page = [...articles.values()].filter(one => one.articleId > after).slice(0, limit)
      clock.judged += page.length
      return page
    },
    isReady: () => true,
    owns,
    now: () => clock.ms,
    logger: { warn: () => undefined },
    againMs: 5_000,
  })
  return { articles, asked, clock, sweep }
}

describe('who is asked to be released once more', () => {
  it('a few at a time, the others when there is room again', async () => {
    const { articles, asked, sweep } = open(10_000)
    await sweep.round()
    assert.deepEqual([asked.length, sweep.underWay()], [AT_ONCE, AT_ONCE])
    await sweep.round()
    assert.equal(asked.length, AT_ONCE)
    for (let handled = 0; handled < 1_000; handled += 1) {
      const articleId = asked[handled] ?? ''
      articles.delete(articleId)
      sweep.handled(articleId)
      await sweep.round()
      assert.equal(sweep.underWay(), AT_ONCE)
    }
    assert.equal(new Set(asked).size, asked.length, 'nobody twice')
  })

  it('and few more are looked at than are asked, however many wait', async () => {
    const { articles, asked, clock, sweep } = open(2_000)
    await sweep.round()
    for (let handled = 0; handled < 2_000; handled += 1) {
      const articleId = asked[handled] ?? ''
      articles.delete(articleId)
      sweep.handled(articleId)
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.equal(asked.length, 2_000, 'all of them come to their turn')
    assert.ok(clock.judged < 4 * 2_000, `${clock.judged} looked at`)
  })

  it('nobody again whose new version the view has only not seen yet, but at once for the next difference', async () => {
    const { articles, asked, sweep } = open(1)
    await sweep.round()
    const [articleId = ''] = asked
    sweep.handled(articleId)
    await sweep.round()
    assert.equal(asked.length, 1)
    articles.set(articleId, { articleId, version: 2, isOutdated: true })
    await sweep.round()
    assert.equal(asked.length, 2)
  })

  it('what was lost on the way is asked for again after a while, also when the log was away', async () => {
    const { asked, clock, sweep } = open(3)
    clock.isLogAway = true
    await sweep.round()
    clock.isLogAway = false
    await sweep.round()
    assert.deepEqual(asked, [])
    clock.ms = 5_000
    await sweep.round()
    assert.equal(asked.length, 3)
    clock.ms = 10_000
    await sweep.round()
    assert.deepEqual([asked.length, sweep.underWay()], [6, 3])
  })

  it("only this process's articles, however many of others stand before them", async () => {
    const { asked, sweep } = open(1_000, articleId => articleId.endsWith('999'))
    await sweep.round()
    assert.deepEqual(asked, ['baoqk.so-00999'])
  })

  it('nobody after the end', async () => {
    const { asked, sweep } = open(1)
    await sweep.stop()
    await sweep.round()
    assert.deepEqual(asked, [])
  })
})
