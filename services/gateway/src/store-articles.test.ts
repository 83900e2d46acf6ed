import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { UnavailableError } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { makeLive, makeRetracted, site } from './sample-facts.ts'
import { createStoreArticles } from './store-articles.ts'

const AWAY = new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away')

const rssOf = (...articleIds: readonly string[]) =>
  Buffer.from(
    [
      '<rss>\n    <channel>',
      ...articleIds.map(id => `\n        <item>\n            <guid isPermaLink="false">tag:${site.id}:${id}</guid>\n        </item>`),
      '\n    </channel>\n</rss>',
    ].join(''),
  )

/** `unreadable`: articles whose document the store does not give now. */
const open = async (t: TestContext) => {
  const root = mkdtempSync(join(tmpdir(), 'newswire-store-articles-'))
  const disk = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await disk.close()
    rmSync(root, { recursive: true, force: true })
  })
  const reads: string[] = []
  const unreadable = new Set<string>()
  const gate = { open: Promise.resolve() }
  const objects = {
    get: async (key: string) => {
      reads.push(key)
      await gate.open
      if ([...unreadable].some(id => key === keys.current(id))) throw AWAY
      return disk.get(key)
    },
  }
  const unusable: string[] = []
  const stored = createStoreArticles(objects, () => site.publicUrl, {
    onUnreadable: ({ articleId }) => unusable.push(articleId),
  })
  const keep = (fact: Fact) => disk.put(keys.current(fact.articleId), Buffer.from(JSON.stringify({ released: { fact } })))
  /** Reads begin and do not end until the answer is called. */
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate.open = promise
    return resolve
  }
  return { stored, keep, disk, reads, unreadable, unusable, hold }
}

test('an article that is known to be taken back keeps a feed from being shown, although another one cannot be read', async t => {
  const { stored, keep, unreadable } = await open(t)
  await keep(makeLive())
  await keep(makeRetracted({ articleId: 'press.back' }))
  unreadable.add('press.a')
  for (const order of [rssOf('press.a', 'press.back'), rssOf('press.back', 'press.a')])
    assert.equal(await stored.mayShow('rss', order), false)
  await assert.rejects(stored.mayShow('rss', rssOf('press.a')), { code: 'NEWSWIRE_OBJECTS_UNAVAILABLE' })
})

test('an article whose document is not as it should be is one of which nothing is known, and whoever runs this is told', async t => {
  const { stored, disk, keep, unusable } = await open(t)
  await keep(makeLive())
  await disk.put(keys.current('press.broken'), Buffer.from('{"released": {"fact": 1}}'))
  assert.equal((await stored.around('press.broken')).article('press.broken'), null)
  assert.equal(await stored.mayShow('rss', rssOf('press.a', 'press.broken')), false)
  assert.equal(await stored.shownBy('a'.repeat(64), 'press.broken'), null)
  assert.ok(unusable.length > 0 && unusable.every(id => id === 'press.broken'))
})

test('who asks at once for the same articles shares one reading of each, and what was seen is not asked for again at once', async t => {
  const { stored, keep, reads, hold } = await open(t)
  const ids = Array.from({ length: 100 }, (_, index) => `press.n${index}`)
  for (const articleId of ids.slice(1)) await keep(makeLive({ articleId }))
  const letGo = hold()
  const began = performance.now()
  const asked = Array.from({ length: 50 }, () => stored.mayShow('rss', rssOf(...ids)))
  letGo()
  assert.deepEqual([...new Set(await Promise.all(asked))], [false])
  assert.equal(reads.length, ids.length)
  for (let index = 0; index < 20; index += 1) assert.equal(await stored.mayShow('rss', rssOf(...ids)), false)
  assert.ok(reads.length <= ids.length * (1 + Math.floor((performance.now() - began) / 5_000)), `${reads.length} reads`)
})

test('when thousands of readings wait, whoever asks for more is told to come again, and feeds are looked through all the same', async t => {
  const { stored, keep, hold } = await open(t)
  await keep(makeLive())
  const letGo = hold()
  const asked = Array.from({ length: 5_000 }, (_, index) => stored.around(`press.n${index}`))
  const answers = Promise.allSettled(asked)
  const feed = stored.mayShow('rss', rssOf('press.a'))
  letGo()
  assert.equal(await feed, true)
  const refused = (await answers).flatMap(one => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []))
  assert.ok(refused.length > 0 && refused.length < 5_000)
  assert.deepEqual([...new Set(refused)], ['NEWSWIRE_GATEWAY_BUSY'])
})

test('an address of an article of ours is vouched for by the article it names alone, whoever else says that it is theirs', async t => {
  const { stored, keep } = await open(t)
  const sitemap = Buffer.from(`<urlset>\n    <url>\n        <loc>${site.publicUrl}/articles/press.real</loc>\n    </url>\n</urlset>\n`)
  await keep(makeLive({ article: { canonicalUrl: `${site.publicUrl}/articles/press.real` } }))
  assert.equal(await stored.mayShow('rss', rssOf('press.a')), true)
  assert.equal(await stored.mayShow('sitemap', sitemap), false, 'the real one is not known here')
  await keep(makeLive({ articleId: 'press.real' }))
  assert.equal(await stored.mayShow('rss', rssOf('press.real')), true)
  assert.equal(await stored.mayShow('sitemap', sitemap), true)
})
