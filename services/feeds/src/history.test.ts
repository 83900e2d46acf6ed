import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { Fact, LiveFact } from '@newswire/events/fact'
import type { Objects } from '@newswire/objects/objects'
import { getUnpacked } from '@newswire/objects/packed'
import fc from 'fast-check'
import { retireFeed } from './feed-store.ts'
import { strideOf } from './pages.ts'
import { feedOf, makeFact, makeRetraction } from './sample-facts.ts'
import { everyFile, openStore, readChain, startProcess } from './sample-history.ts'

const LOOK = '2026-03-20T00:00:00.000Z'
const at = (day: number, minute = 0) => new Date(Date.UTC(2026, 2, day, 0, minute)).toISOString()
const fact = (id: string, day: number, minute = 0, more: Parameters<typeof makeFact>[0] = {}): LiveFact =>
  makeFact({ articleId: `baoqk.${id}`, firstReleasedAt: at(day, minute), releasedAt: at(day, minute), ...more })
const range = (count: number, day: number, prefix = 'n') =>
  Array.from({ length: count }, (_, index) => fact(`${prefix}${String(index).padStart(3, '0')}`, day, index))
const retract = (of: LiveFact, day: number, more: object = {}): Fact => ({
  ...makeRetraction({
    articleId: of.articleId,
    version: of.version + 1,
    firstReleasedAt: of.firstReleasedAt,
    releasedAt: at(day),
    facetsEver: of.facetsEver,
  }),
  ...more,
})
const purge = (of: LiveFact, day: number): Fact => {
  const { retraction: _, ...rest } = retract(of, day) as Extract<Fact, { state: 'retracted' }>
  return { ...rest, state: 'purged', action: 'purged', reason: 'law' }
}

const begin = async (objects: Objects, feed = feedOf(), db?: DatabaseSync) => {
  const one = startProcess(objects, feed, db)
  await one.sweep(LOOK)
  return one
}
const idsOf = (items: readonly { id: string }[]) => items.map(one => one.id.replace('baoqk.', ''))

test('what leaves the feed is on the page of the day it was first released, and the chain leads back to the first article', async t => {
  const objects = await openStore(t)
  const one = await begin(objects)
  await one.release(fact('a', 1), fact('b', 1, 5), fact('c', 3), fact('d', 4), fact('e', 5), fact('f', 6))
  await one.settle()
  const { feed, pages } = await readChain(objects)
  assert.deepEqual(idsOf(feed), ['f', 'e', 'd'])
  assert.deepEqual(
    pages.map(page => [page.name, idsOf(page.items)]),
    [
      ['pages/2026-03-04', ['d']],
      ['pages/2026-03-03', ['c']],
      ['pages/2026-03-01', ['b', 'a']],
    ],
  )
  await one.stop()
})

test('a feed that shows all there is links no page', async t => {
  const objects = await openStore(t)
  const one = await begin(objects, feedOf({ limit: 10 }))
  await one.release(fact('a', 1), fact('b', 2))
  await one.settle()
  assert.equal((await readChain(objects)).pages.length, 0)
  await one.stop()
})

test('a day of more than a hundred is split by hundreds, and what comes later moves nothing to another page', async t => {
  const objects = await openStore(t)
  const one = await begin(objects, feedOf({ limit: 50 }))
  await one.release(...range(230, 1))
  await one.settle()
  const first = await readChain(objects)
  assert.deepEqual(
    first.pages.map(page => [page.name, page.items.length]),
    [
      ['pages/2026-03-01-3', 25],
      ['pages/2026-03-01-2', 100],
      ['pages/2026-03-01', 100],
    ],
  )
  const before = await everyFile(objects)
  const [gone] = range(1, 1)
  assert.ok(gone)
  await one.release(retract(gone, 2), ...range(3, 2, 'm'))
  await one.settle()
  const after = await everyFile(objects)
  const moved = [...before].filter(([key, tag]) => key.includes('/pages/') && after.get(key) !== tag).map(([key]) => key)
  assert.deepEqual(
    moved.sort(),
    ['atom.xml', 'json', 'rss.xml'].map(end => `feeds/all/pages/2026-03-01.${end}`),
  )
  await one.stop()
})

test('the newest page is not written for every article, and its link says when it has grown', async t => {
  const objects = await openStore(t)
  const one = await begin(objects, feedOf({ limit: 10 }))
  const linkNow = async () => JSON.parse(Buffer.from((await getUnpacked(objects, 'feeds/all/feed.json'))?.bytes ?? []).toString()).next_url
  const links = new Set<string>()
  let writes = 0
  let last = ''
  for (const each of range(30, 1)) {
    await one.release(each)
    await one.settle()
    links.add(await linkNow())
    const tag = (await objects.head('feeds/all/pages/2026-03-01.json'))?.etag ?? ''
    if (tag !== last) writes += 1
    last = tag
    const { feed, pages } = await readChain(objects)
    const there = new Set([...idsOf(feed), ...pages.flatMap(page => idsOf(page.items))])
    assert.equal(there.size, Number(each.articleId.slice(-3)) + 1)
  }
  assert.equal(strideOf(10), 5)
  assert.equal(writes, 5)
  assert.deepEqual(
    [...links].map(link => link?.slice(-4)),
    [undefined, '?n=5', '=10', '=15', '=20', '=25'].map(end => (end?.length === 3 ? `n${end}` : end)),
  )
  await one.stop()
})

test('a retraction is on the page when it is handled, a purge leaves nothing of the article, and no other page moves', async t => {
  const objects = await openStore(t)
  const one = await begin(objects)
  const facts = [fact('a', 1), fact('b', 2), fact('c', 2, 1), fact('d', 3), fact('e', 4), fact('f', 5), fact('g', 6)]
  await one.release(...facts)
  await one.settle()
  const before = await everyFile(objects)
  const [, b, c] = facts as [LiveFact, LiveFact, LiveFact]
  await one.release(retract(b, 7), purge(c, 7))
  const rss = Buffer.from((await objects.get('feeds/all/pages/2026-03-02.rss.xml'))?.bytes ?? []).toString()
  assert.match(rss, /baoqk\.b</)
  assert.match(rss, /dcterms:valid/)
  assert.doesNotMatch(rss, /Nội dung của bài|baoqk\.c/)
  await one.settle()
  const { pages } = await readChain(objects)
  assert.deepEqual(pages.find(page => page.name === 'pages/2026-03-02')?.items, [{ id: 'baoqk.b', version: 2, status: 'retracted' }])
  const after = await everyFile(objects)
  for (const [key, tag] of before) if (key.includes('/pages/') && !key.includes('03-02')) assert.equal(after.get(key), tag, key)
  await one.stop()
})

test('a correction of an old article rewrites its page and no other', async t => {
  const objects = await openStore(t)
  const one = await begin(objects)
  await one.release(fact('a', 1), fact('b', 2), fact('c', 3), fact('d', 4), fact('e', 5), fact('f', 6))
  await one.settle()
  const before = await everyFile(objects)
  await one.release(fact('a', 1, 0, { version: 2, releasedAt: at(7), article: { title: 'Corrected' } }))
  await one.settle()
  const after = await everyFile(objects)
  const moved = [...before].filter(([key, tag]) => after.get(key) !== tag).map(([key]) => key)
  assert.deepEqual([...new Set(moved.map(key => key.replace(/\.(rss\.xml|atom\.xml|json)$/, '')))], ['feeds/all/pages/2026-03-01'])
  await one.stop()
})

test('an import is on the page of its own date', async t => {
  const objects = await openStore(t)
  const one = await begin(objects)
  await one.release(fact('a', 1), fact('b', 2), fact('c', 3), fact('d', 4), fact('e', 5), fact('f', 6))
  await one.settle()
  await one.release(makeFact({ articleId: 'baoqk.old', lane: 'backfill', firstReleasedAt: '2001-05-06T00:00:00.000Z', releasedAt: at(9) }))
  await one.settle()
  const { feed, pages } = await readChain(objects)
  assert.deepEqual(idsOf(feed), ['f', 'e', 'd'])
  assert.deepEqual(
    pages.map(page => page.name),
    ['pages/2026-03-04', 'pages/2026-03-03', 'pages/2026-03-02', 'pages/2026-03-01', 'pages/2001-05-06'],
  )
  await one.stop()
})

test('a feed whose filter changes has the pages of the new one, and those that are none any more end as tombstones', async t => {
  const objects = await openStore(t)
  const one = await begin(objects)
  const english = (id: string, day: number) => fact(id, day, 0, { article: { language: 'en' } })
  await one.release(fact('a', 1), english('b', 2), fact('c', 3), english('d', 4), english('e', 5), english('f', 6), english('g', 7))
  await one.settle()
  one.configure(feedOf({ match: { languages: ['en'] } }))
  await one.build([], { lookedAt: LOOK })
  assert.doesNotMatch(
    Buffer.from((await getUnpacked(objects, 'feeds/all/feed.json'))?.bytes ?? []).toString(),
    /next_url/,
    'old pages are not linked',
  )
  await one.sweep(LOOK)
  await one.settle()
  const { pages } = await readChain(objects)
  assert.deepEqual(
    pages.map(page => page.name),
    ['pages/2026-03-05', 'pages/2026-03-04', 'pages/2026-03-02'],
  )
  assert.equal((await objects.head('feeds/all/pages/2026-03-01.json'))?.size, 0)
  await one.stop()
})

test('lost and damaged pages are made again byte for byte, and so is everything when the view and the window are lost', async t => {
  const objects = await openStore(t)
  const db = new DatabaseSync(':memory:')
  const one = await begin(objects, feedOf(), db)
  const facts = [...range(4, 1), ...range(4, 2, 'm'), ...range(4, 3, 'k')]
  await one.release(...facts)
  await one.settle()
  const before = await everyFile(objects)
  await objects.delete('feeds/all/pages/2026-03-01.json')
  await objects.put('feeds/all/pages/2026-03-02.rss.xml', Buffer.from('<rss'))
  await one.sweep(LOOK)
  await one.settle()
  assert.deepEqual(await everyFile(objects), before)
  await one.stop()

  for (const { key } of await objects.list('feeds/all/'))
    if (key.includes('/pages/') || key.endsWith('feed.bundle')) await objects.delete(key)
  const next = startProcess(objects, feedOf())
  next.view.put(...facts)
  await next.sweep(LOOK)
  await next.settle()
  assert.deepEqual(await everyFile(objects), before)
  await next.stop()
})

test('a rebuild of a feed that is as state has it looks at everything and writes nothing', async t => {
  const objects = await openStore(t)
  const one = await begin(objects)
  const facts = [...range(4, 1), ...range(4, 2, 'm'), ...range(4, 3, 'k')]
  await one.release(...facts, retract(facts[2] as LiveFact, 19))
  await one.settle()
  const listed = async () => (await objects.list('feeds/all/')).map(({ key, etag, lastModified }) => [key, etag, lastModified.getTime()])
  const before = await listed()
  const files = await everyFile(objects)
  assert.deepEqual(await one.rebuild(LOOK), { changed: false, looked: 3, written: 0 })
  assert.deepEqual(await listed(), before)

  await objects.put('feeds/all/pages/2026-03-02.atom.xml', Buffer.from('<feed'))
  await objects.put('feeds/all/feed.bundle', Buffer.from('<rss'))
  assert.deepEqual(await one.rebuild(LOOK), { changed: true, looked: 3, written: 1 })
  assert.deepEqual(await everyFile(objects), files)
  await one.stop()
})

test('a feed that is no longer in force leaves nothing behind, and one that comes back is what state has now', async t => {
  const objects = await openStore(t)
  const one = await begin(objects)
  const facts = [...range(4, 1), ...range(4, 2, 'm')]
  await one.release(...facts)
  await one.settle()
  await one.stop()
  await retireFeed(objects, 'all')
  assert.deepEqual([...(await everyFile(objects)).keys()], [])
  await retireFeed(objects, 'all')

  const [first] = facts as [LiveFact]
  const gone = retract(first, 5)
  await objects.put(`current/${first.articleId}.json`, Buffer.from(JSON.stringify({ released: { fact: gone } })))
  const back = startProcess(objects, feedOf())
  back.view.put(...facts, gone)
  await back.sweep(LOOK)
  await back.settle()
  await back.stop()
  const { pages } = await readChain(objects)
  assert.equal(pages.flatMap(page => page.items).find(each => each.id === first.articleId)?.status, 'retracted')
})

/** A store whose nth put never happens, as if the process died there. */
const dyingAt = (objects: Objects, nth: number): Objects => {
  let puts = 0
  return {
    ...objects,
    put: async (key, ...rest) => {
      if (key.startsWith('current/')) return objects.put(key, ...rest)
      puts += 1
      if (puts >= nth) throw new Error('the process died here')
      return objects.put(key, ...rest)
    },
  }
}

test('killed before any write of a build and its pages, the next process ends with the same bytes', async t => {
  const facts = [...range(4, 1), ...range(4, 2, 'm'), ...range(4, 3, 'k')]
  const whole = await openStore(t)
  const calm = await begin(whole)
  await calm.release(...facts)
  await calm.settle()
  await calm.stop()
  const expected = await everyFile(whole)
  const writes = 5 + expected.size + 5
  for (let nth = 1; nth <= writes; nth += 1) {
    const objects = await openStore(t)
    const db = new DatabaseSync(':memory:')
    const dying = startProcess(dyingAt(objects, nth), feedOf(), db)
    const lived = async () => {
      await dying.sweep(LOOK)
      await dying.release(...facts)
      await dying.settle(() => dying.errors.length > 0)
    }
    await lived().catch(() => undefined)
    await dying.stop()
    for (const each of facts) await objects.put(`current/${each.articleId}.json`, Buffer.from(JSON.stringify({ released: { fact: each } })))
    const next = startProcess(objects, feedOf(), db)
    next.view.put(...facts)
    await next.sweep(LOOK)
    await next.settle()
    await next.stop()
    assert.deepEqual(await everyFile(objects), expected, `killed before write ${nth}`)
  }
})

test('two processes that both believe to hold the feed end with the pages that state has', async t => {
  const objects = await openStore(t)
  const both = [await begin(objects), await begin(objects)] as const
  const facts = [...range(6, 1), ...range(6, 2, 'm')]
  for (const [index, each] of facts.entries()) {
    both[((index + 1) % 2) as 0 | 1].view.put(each)
    await both[(index % 2) as 0 | 1].release(each)
  }
  const [first] = facts as [LiveFact]
  const gone = retract(first, 5)
  both[1].view.put(gone)
  await both[0].release(gone)
  for (const one of both) await one.sweep(LOOK)
  // One of them loses the partition in the middle of it: as long as there are two, either may link less far than the other has written,
  // and the next look of the one that holds it makes that good.
  await both[1].stop()
  await both[0].sweep(LOOK)
  await both[0].settle()
  await both[0].stop()
  const { pages } = await readChain(objects)
  assert.equal(pages.flatMap(page => page.items).find(one => one.id === first.articleId)?.status, 'retracted')
  const last = startProcess(objects, feedOf())
  last.view.put(...facts, gone)
  const before = await everyFile(objects)
  await last.sweep(LOOK)
  await last.settle()
  await last.stop()
  assert.deepEqual(await everyFile(objects), before)
})

type Step = {
  act: 'publish' | 'correct' | 'retract' | 'purge' | 'import' | 'leave' | 'restart' | 'forget' | 'lose' | 'limit' | 'settle'
  pick: number
}
const steps = fc.array(
  fc.record({
    act: fc.constantFrom(
      ...(['publish', 'publish', 'publish', 'publish', 'correct', 'retract', 'purge', 'import', 'leave'] as const),
      ...(['restart', 'forget', 'lose', 'limit', 'settle'] as const),
    ),
    pick: fc.nat(1000),
  }),
  { minLength: 15, maxLength: 45 },
) as fc.Arbitrary<Step[]>

test('whatever happens, every released article is in the feed or on exactly one page of the chain, as it is now and in order', async t => {
  await fc.assert(
    fc.asyncProperty(steps, async list => {
      const objects = await openStore(t)
      let db = new DatabaseSync(':memory:')
      let feed = feedOf({ limit: 4, match: { languages: ['vi'] } })
      let one = await begin(objects, feed, db)
      const model = new Map<string, Fact>()
      const live = () => [...model.values()].filter((each): each is LiveFact => each.state === 'live')
      let minute = 0
      const now = () => at(1, minute)
      const put = async (each: Fact) => {
        model.set(each.articleId, each)
        await one.release(each)
      }
      const restart = async () => {
        await one.stop()
        one = startProcess(objects, feed, db)
        one.view.put(...model.values())
        await one.sweep(LOOK)
      }
      for (const { act, pick } of list) {
        minute += (pick % 7) * 100
        const any = live()[pick % Math.max(1, live().length)]
        const next = { version: (any?.version ?? 0) + 1, releasedAt: now() }
        if (act === 'publish') await put(fact(`p${model.size}`, 1, minute))
        else if (act === 'import')
          await put(fact(`i${model.size}`, 1, -1440 * (pick % 5) - (pick % 3), { lane: 'backfill', releasedAt: now() }))
        else if (act === 'settle') await one.settle()
        else if (act === 'restart') await restart()
        else if (act === 'forget') {
          db = new DatabaseSync(':memory:')
          await restart()
        } else if (act === 'lose') {
          const listed = (await objects.list('feeds/all/')).map(({ key }) => key)
          const key = listed[pick % Math.max(1, listed.length)]
          if (key !== undefined) await objects.delete(key)
          await one.sweep(LOOK)
        } else if (act === 'limit') {
          feed = { ...feed, limit: 2 + (pick % 5) }
          one.configure(feed)
          await one.sweep(LOOK)
        } else if (any !== undefined) {
          if (act === 'correct') await put({ ...any, ...next, action: 'corrected' })
          else if (act === 'leave')
            await put({
              ...any,
              ...next,
              article: { ...any.article, language: 'en' },
              facetsEver: { ...any.facetsEver, languages: ['vi', 'en'] },
            })
          else if (act === 'purge') await put({ ...purge(any, 1), releasedAt: now() })
          else await put({ ...retract(any, 1), releasedAt: now() } as Fact)
        }
      }
      await one.sweep(LOOK)
      await one.settle()
      await one.stop()
      assert.deepEqual(one.errors, [])
      const { feed: shown, pages } = await readChain(objects)
      const onPages = pages.flatMap(page => page.items)
      assert.equal(new Set(onPages.map(each => each.id)).size, onPages.length, 'on one page only')
      assert.equal(new Set(shown.map(each => each.id)).size, shown.length)
      const everywhere = new Map([...onPages, ...shown].map(each => [each.id, each]))
      for (const each of [...onPages, ...shown]) {
        const known = model.get(each.id)
        assert.equal(each.version, known?.version, `${each.id} as it is now`)
        assert.equal(each.status === 'retracted', known?.state !== 'live')
        if (known?.state === 'live') assert.equal(known.article.language, 'vi')
      }
      for (const each of live())
        if (each.article.language === 'vi') assert.ok(everywhere.has(each.articleId), `${each.articleId} is nowhere`)
      for (const each of onPages) assert.notEqual(model.get(each.id)?.state, 'purged')
      const times = onPages.map(each => model.get(each.id)?.firstReleasedAt ?? '')
      assert.deepEqual(times, [...times].sort().reverse(), 'newest first')
    }),
    { numRuns: 12, seed: 5005 },
  )
})
