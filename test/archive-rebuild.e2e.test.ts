/** The broker is lost, and with it all that is derived: the archive alone brings it back. */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { keys } from '@newswire/objects/keys'
import { createWriter } from './support/articles.ts'
import { runCommand } from './support/newswire.ts'
import { makePng } from './support/pictures.ts'
import { listAll, withObjects } from './support/stopped.ts'
import { articleIdOf, createSystem, formats, type Running, type System } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

/** Feeds, and how many articles each ever had. */
const FEEDS = { all: 5, 'thoi-su': 3, 'the-thao': 2 }
/** All but the newest article of a feed that shows two is on its pages too. */
const LIMIT = 2
const DERIVED = ['current/', 'feeds/', 'holds/']

const command = async (system: System, args: readonly string[]) =>
  await runCommand({ args: [...args, '--data', system.dataDir, '--json'], env: system.env })

type Page = Readonly<{ next_url?: string; items: readonly unknown[] }>

/** The pages that a feed leads to, the newest first. */
const readPages = async (running: Running, feed: string): Promise<string[]> => {
  const pages: string[] = []
  const nextOf = (text: string) => (JSON.parse(text) as Page).next_url
  for (let next = nextOf((await running.get(`/feeds/${feed}/feed.json`)).text); next !== undefined; next = nextOf(pages.at(-1) ?? ''))
    pages.push((await running.get(next)).text)
  return pages
}

/** Every file of the feeds, and their pages in JSON, once the feeds lead to all that should be on pages. */
const readFeeds = async (running: Running): Promise<string[]> => {
  const linked = async () => {
    const found = await Promise.all(Object.keys(FEEDS).map(feed => readPages(running, feed)))
    const counts = found.map(texts => texts.reduce((sum, text) => sum + (JSON.parse(text) as Page).items.length, 0))
    return Object.values(FEEDS).every((articles, at) => counts[at] === articles - 1) ? found.flat() : Promise.reject(counts)
  }
  const pages = await waitFor('feeds to link all of their pages', linked, { deadlineMs: 60_000 })
  const files = Object.keys(FEEDS).flatMap(feed => formats.map(async format => (await running.get(`/feeds/${feed}/${format}`)).text))
  return [...(await Promise.all(files)), ...pages]
}

test('with the log, current/, feeds and views gone, the archive alone gives the same feeds and pages byte for byte, and nobody is sent anything', async t => {
  const system = await createSystem(t, { limit: LIMIT })
  const first = await system.start()
  const write = createWriter(63)
  const { body } = await first.publisher.upload('bai-0', makePng({ width: 700, height: 500, seed: 63 }), 'image/png')
  const pictured = write({ categories: ['thoi-su'] })
  await first.publish('bai-0', {
    ...pictured,
    images: [{ url: String(body['url']), role: 'lead', caption: 'Ảnh' }],
  })
  const replaced = write({ categories: ['the-thao'] })
  await first.publish('bai-1', replaced)
  for (const n of [2, 3, 4]) await first.publish(`bai-${n}`, write({ categories: [n % 2 === 0 ? 'thoi-su' : 'the-thao'] }))
  assert.equal((await command(system, ['archive', 'close'])).code, 0)
  await first.publish('bai-1', write({ categories: ['the-thao'] }))
  await first.publisher.retract('bai-2', { mode: 'withdraw', reason: 'thử' })
  await first.everywhere('bai-2', 2)
  // A change comes to the page of its article a little later than to the feeds, and the picture may be late.
  const feeds = await waitFor('pages to have what is newest', async () => {
    const texts = await readFeeds(first)
    const isNewest = texts.every(
      text => !text.includes(replaced.title) && (!text.includes(pictured.title) || text.includes('/renditions/')),
    )
    return isNewest && texts
  })
  const sent = system.partner.requests.length

  assert.equal((await command(system, ['rebuild', 'all'])).code, 1, 'not while the system runs')
  await first.newswire.stop()
  assert.equal((await command(system, ['rebuild', 'all'])).code, 1, 'not on a log that is there')
  for (const end of ['', '-wal', '-shm']) await rm(join(system.dataDir, `log.db${end}`), { force: true })
  await rm(join(system.dataDir, 'views'), { recursive: true, force: true })
  await withObjects(system, async objects => {
    for (const prefix of DERIVED) for (const { key } of await listAll(objects, prefix)) await objects.delete(key)
    await objects.put(keys.pictureMarks(0), Buffer.from('{}'))
  })

  const rebuilt = await command(system, ['rebuild', 'all'])
  assert.deepEqual([rebuilt.code, JSON.parse(rebuilt.stdout).articles], [0, 5], rebuilt.output)
  await withObjects(system, async objects => {
    assert.deepEqual(await listAll(objects, keys.pictureMarksPrefix), [], 'who has which picture is looked at anew')
  })
  const again = await system.start()
  await waitFor('the same feeds', async () => {
    const now = await readFeeds(again)
    const other = now.findIndex((text, at) => text !== feeds[at])
    return other === -1 || Promise.reject(new Error(`feed ${other}:\n${now[other]?.slice(0, 1500)}\nwas:\n${feeds[other]?.slice(0, 1500)}`))
  })
  assert.equal((await again.get(`/articles/${articleIdOf('bai-2')}`)).status, 410)
  assert.equal((await again.get(`/articles/${articleIdOf('bai-1')}`)).status, 200)
  assert.equal(system.partner.requests.length, sent, 'partners have it already')

  // Life goes on where it stood: the next version, a return, and the chain of the archive.
  assert.equal(await again.publish('bai-1', write({ categories: ['the-thao'] })), 3)
  await again.publisher.republish('bai-2')
  await again.everywhere('bai-2', 3)
  assert.equal((await command(system, ['archive', 'close'])).code, 0)
  assert.equal((await command(system, ['archive', 'verify'])).code, 0)
})
