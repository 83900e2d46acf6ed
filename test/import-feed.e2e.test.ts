/** A Newswire's feed, imported into an empty Newswire, gives the same articles: through its archive pages, with their pictures. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { newFolder, runCommand } from './support/newswire.ts'
import { makePng } from './support/pictures.ts'
import { articleIdOf, createSystem, PUBLIC_URL, type Running, type System } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const LIMIT = 4

/** The site at its public address, which here is an address of this machine. */
const openPublicly = async (t: TestContext, running: Running): Promise<string> => {
  const server = createServer(async (request, response) => {
    const answer = await fetch(new URL(request.url ?? '/', running.newswire.url('gateway')), { headers: { 'accept-encoding': 'identity' } })
    const bytes = Buffer.from(await answer.arrayBuffer())
    const type = answer.headers.get('content-type') ?? ''
    const isText = /xml|json|html/.test(type)
    response.writeHead(answer.status, { 'content-type': type })
    response.end(isText ? bytes.toString().replaceAll(PUBLIC_URL, url) : bytes)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return url
}

const importFeed = async ({ dataDir, env }: System, feed: string, cwd: string) => {
  const args = ['import', feed, '--data', dataDir, '--json', '--journal', join(cwd, 'journal')]
  const { code, stdout, output } = await runCommand({ args, env, cwd, deadlineMs: 120_000 })
  assert.equal(code, 0, output)
  return JSON.parse(stdout) as { sent: number; skipped: number; passedOver: Record<string, number> }
}

type Told = Record<string, unknown> & { images?: { caption: string; alt: string; credit: string; role: string; renditions: unknown[] }[] }

/** Versions and times of release: of a way through a pipeline, not of an article. */
const OF_THE_WAY = new Set(['version', 'supersedes', 'sourceVersion', 'action', 'updatedAt', 'firstReleasedAt', 'releasedAt'])

/** What an article says, without what its way through a pipeline makes of it: versions, the addresses of its pictures. */
const tell = async (running: Running, localId: string) => {
  const { status, text } = await running.get(`/articles/${articleIdOf(localId)}/article.json`)
  assert.equal(status, 200)
  const { change, images = [], ...said } = JSON.parse(text) as Told
  const rest = Object.fromEntries(Object.entries(said).filter(([name]) => !OF_THE_WAY.has(name)))
  return {
    ...rest,
    isCorrected: change === 'correction',
    images: images.map(({ caption, alt, credit, role }) => ({ caption, alt, credit, role })),
  }
}

test('a Newswire that imports the feed of another one has the same articles, and again nothing new', async t => {
  const from = await createSystem(t, { limit: LIMIT })
  const source = await from.start()
  const write = createWriter(303)
  const { body } = await source.publisher.upload('bai-0', makePng({ width: 700, height: 500, seed: 303 }), 'image/png')
  const image = { url: String(body['url']), role: 'lead', caption: 'Bến đò <sáng>', alt: 'Người & đò', credit: 'Ảnh: An' }
  const dated = (n: number) => ({ publishedAt: new Date(Date.UTC(2026, 1, n + 1, 3)).toISOString() })
  const articles = [
    { ...write(), ...dated(0), images: [image], byline: 'Trần Văn Đức', urgency: 3, tags: ['đò ngang', 'R&D'] },
    ...[1, 2, 3, 4, 5].map(n => ({ ...write({ categories: [n % 2 === 0 ? 'doi-song' : 'the-thao'] }), ...dated(n) })),
  ]
  const ids = articles.map((_, n) => `bai-${n}`)
  for (const [n, article] of articles.entries()) await source.publish(`bai-${n}`, article)
  await source.publish('bai-1', { ...articles[1], title: 'Đúng hơn', change: 'correction', correction: { note: 'Tên đúng là A < B.' } })
  await source.publish('bai-go', write())
  await source.publisher.retract('bai-go', { mode: 'withdraw', reason: 'thử' })
  await source.everywhere('bai-go', 2)
  await waitFor('the feed to link its archive', async () => (await source.get('/feeds/all/atom.xml')).text.includes('prev-archive'))
  const site = await openPublicly(t, source)

  const into = await createSystem(t, { limit: LIMIT })
  const target = await into.start()
  const folder = await newFolder(t)
  const done = await importFeed(into, `${site}/feeds/all/atom.xml`, folder)
  assert.deepEqual([done.sent, done.skipped, Object.keys(done.passedOver)], [ids.length, 0, ['taken back']])
  for (const localId of ids) {
    const { versions } = (await waitFor(`${localId} to be released`, async () => {
      const { status, body: trace } = await target.console(`/v1/articles/${articleIdOf(localId)}/trace`)
      return status === 200 && (trace['versions'] as unknown[]).length > 0 && trace
    })) as { versions: { version: number }[] }
    await target.everywhere(localId, versions.at(-1)?.version ?? 1)
    const wanted = await tell(source, localId)
    await waitFor(`${localId} to be as it was`, async () => {
      assert.deepEqual(await tell(target, localId), wanted)
      return true
    })
  }
  assert.equal((await target.get(`/articles/${articleIdOf('bai-go')}`)).status, 404)

  const again = await importFeed(into, `${site}/feeds/all/atom.xml`, folder)
  assert.deepEqual([again.sent, again.skipped], [0, ids.length])
})
