import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { createHistory, PAGES_AT_ONCE } from './history.ts'
import type { PageWriter } from './page-writer.ts'
import { createProfiles } from './profile.ts'
import { feedOf, makeFact } from './sample-facts.ts'
import { snapshotOf } from './sample-history.ts'
import { openSampleView, toRule } from './sample-view.ts'

const DEADLINE_MS = 20_000
const at = (day: number) => new Date(Date.UTC(2026, 2, day)).toISOString()
const fact = (id: string, day: number) => makeFact({ articleId: `baoqk.${id}`, firstReleasedAt: at(day), releasedAt: at(day) })

test('pages of two feeds are written side by side, of one feed never, and each once', async () => {
  const feeds = ['a', 'b', 'c', 'd'].map(id => feedOf({ id, limit: 2 }))
  const snapshot = snapshotOf(...feeds)
  const view = openSampleView(feeds)
  const written: string[] = []
  const inHand: string[] = []
  let most = 0
  let asking = 0
  let mostAsking = 0
  const together = Promise.withResolvers<void>()
  const late = setTimeout(DEADLINE_MS, undefined, { ref: false }).then(() => assert.fail(`written: ${written}; in hand: ${inHand}`))
  const writer: Pick<PageWriter, 'write' | 'isClaimed' | 'offer'> = {
    offer: () => undefined,
    isClaimed: (page, { feed }) => written.includes(`${feed.id} ${page.day}`),
    write: async (page, { feed }) => {
      assert.ok(!inHand.includes(feed.id), `two pages of ${feed.id}`)
      inHand.push(feed.id)
      most = Math.max(most, inHand.length)
      if (inHand.length === PAGES_AT_ONCE) together.resolve()
      await Promise.race([together.promise, late])
      inHand.splice(inHand.indexOf(feed.id), 1)
      written.push(`${feed.id} ${page.day}`)
      return { written: true, busyMs: 0 }
    },
  }
  const linked = new Set<string>()
  const over = Promise.withResolvers<void>()
  const history = createHistory({
    objects: { list: async () => [], put: async () => ({ ok: true, etag: '' }), delete: async () => undefined },
    view,
    writer,
    configuration: { current: () => snapshot },
    profileOf: createProfiles(),
    isHeld: () => true,
    now: () => Date.UTC(2026, 5, 1),
    rest: async () => undefined,
    askForLink: async feedId => {
      assert.deepEqual(inHand, [], 'a link is asked for when all pages are written')
      asking += 1
      mostAsking = Math.max(mostAsking, asking)
      await setTimeout(1)
      asking -= 1
      if (linked.add(feedId).size === feeds.length) over.resolve()
    },
    retryMs: 5,
    onError: (_feedId, error) => over.reject(error),
  })
  await view.ensure(feeds.map(toRule))
  for (const feed of feeds) await history.check(feed.id)
  view.onPlaced(history.touch)
  view.put(fact('x', 1), fact('y', 2), fact('z', 3), fact('w', 4))
  await Promise.race([over.promise, late])
  await history.stop()
  assert.equal(most, PAGES_AT_ONCE)
  assert.equal(mostAsking, 1, 'one asks, for all feeds')
  assert.equal(new Set(written).size, written.length, written.join())
  for (const { id } of feeds) assert.equal(written.filter(one => one.startsWith(`${id} `)).length, 3, written.join())
})
