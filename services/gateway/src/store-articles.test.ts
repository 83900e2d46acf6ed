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
  const stored = createStoreArticles(objects, () => site.publicUrl)
  const keep = (fact: Fact) => disk.put(keys.current(fact.articleId), Buffer.from(JSON.stringify({ released: { fact } })))
  /** Reads begin and do not end until the answer is called. */
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate.open = promise
    return resolve
  }
  return { stored, keep, disk, reads, unreadable, hold }
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
