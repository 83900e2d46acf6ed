/** The history of a feed as a reader by RFC 5005 sees it: from the feed along `prev-archive` back to the first article. */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { walkHistory } from './support/history-reader.ts'
import { articleIdOf, createSystem, type Running, tagOf } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const COUNT = 130
const LIMIT = 20
/** How the newest page is linked in the end: as many of its slots as there will be. Everything can be seen along the chain before that. */
const LAST_LINK = /-2\.atom\.xml\?n=20$/

const publishAll = async (running: Running, ids: readonly string[]) => {
  const write = createWriter(5)
  const submissions = await Promise.all(ids.map(id => running.put(id, write({ categories: ['the-thao'] }))))
  for (const [at, one] of submissions.entries()) {
    const { state, version } = await running.settled(one)
    assert.equal(state, 'released')
    await running.everywhere(ids[at] as string, Number(version))
  }
}

test('no article is missing from the chain, a retraction reaches its page, and a rebuild changes no byte', async t => {
  const system = await createSystem(t, { limit: LIMIT })
  const running = await system.start()
  const ids = Array.from({ length: COUNT }, (_, index) => `tin-${index}`)
  await publishAll(running, ids)
  const base = `${running.newswire.url('gateway')}/feeds/the-thao`
  const everything = (seen: ReadonlyMap<string, string>) => ids.every(id => seen.has(tagOf(id)))

  const whole = await waitFor('all articles along the chain', async () => {
    const walked = await walkHistory(`${base}/atom.xml`)
    return everything(walked.seen) && LAST_LINK.test(walked.pages[0]?.url ?? '') && walked
  })
  assert.equal(whole.pages.length, 2, 'more than a hundred articles of one day are two pages')

  await t.test('the chain is the same in RSS and JSON', async () => {
    for (const file of ['rss.xml', 'feed.json']) {
      const walked = await walkHistory(`${base}/${file}`)
      assert.ok(everything(walked.seen), file)
      assert.equal(walked.pages.length, 2, file)
    }
  })

  await t.test('an old article that is taken back is a notice on its page when the feed says done, and its words are nowhere', async () => {
    const [first] = ids as [string]
    const title = whole.seen.get(tagOf(first)) ?? ''
    assert.notEqual(title, '')
    const answer = await running.publisher.retract(first, { mode: 'gone', reason: 'sai người' })
    const { version } = await running.settled(String(answer.body['submissionId']))
    await running.everywhere(first, Number(version))
    const walked = await walkHistory(`${base}/atom.xml`)
    assert.ok(walked.deleted.has(tagOf(first)))
    assert.ok(!walked.seen.has(tagOf(first)))
    for (const { text } of walked.pages) assert.ok(!text.includes(title))
  })

  const settled = async () => {
    const walked = await walkHistory(`${base}/atom.xml`)
    return walked.pages.map(page => [page.url, page.etag, page.lastModified])
  }
  const before = await settled()

  await t.test('a rebuild changes no byte, tag or date', async () => {
    const asked = await running.console('/v1/feeds/the-thao/rebuild', 'POST')
    assert.equal(asked.status, 202, JSON.stringify(asked.body))
    const done = await waitFor('the rebuild', async () => {
      const { body } = await running.console('/v1/rebuilds')
      const found = (body['rebuilds'] as { feedId: string; id: string; state: string }[]).find(one => one.id === asked.body['id'])
      return found?.state === 'done' && found
    })
    assert.deepEqual((done as unknown as { changed: boolean; pages: object }).changed, false, JSON.stringify(done))
    assert.deepEqual(await settled(), before)
  })

  await t.test('the same after a restart without the local views', async () => {
    await running.newswire.stop()
    await rm(join(system.dataDir, 'views'), { recursive: true, force: true })
    const again = await system.start()
    const renamed = (url: string) => url.replace(/^http:\/\/[^/]*/, '')
    const now = await waitFor('the feed again', async () => {
      const walked = await walkHistory(`${again.newswire.url('gateway')}/feeds/the-thao/atom.xml`)
      return walked.pages.length === 2 && walked.pages.map(page => [renamed(page.url), page.etag, page.lastModified])
    })
    assert.deepEqual(
      now,
      before.map(([url, ...rest]) => [renamed(String(url)), ...rest]),
    )
    assert.equal((await again.get(`/articles/${articleIdOf(ids[1] as string)}`)).status, 200)
  })
})
