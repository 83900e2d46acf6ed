/** Search as a reader finds it: what was published is found by its words, what was taken back is not, and an operator makes the index again meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { runCommand } from './support/newswire.ts'
import { articleIdOf, createSystem, type Running, type System } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

/** From the fact in the log to no answer that shows it (invariant 2). */
const WITHIN_MS = 1_000

const find = async (running: Running, query: string): Promise<readonly string[]> => {
  const { status, text } = await running.get(`/v1/search?${query}`)
  assert.equal(status, 200, text)
  return (JSON.parse(text) as { hits: { id: string }[] }).hits.map(({ id }) => id)
}

const rebuild = (system: System, source: string) =>
  runCommand({ args: ['rebuild', 'search', '--from', source, '--wait', '--json', '--data', system.dataDir], env: system.env })

test('a story is found as people type it, until the moment it is taken back, also while the index is made again', async t => {
  const system = await createSystem(t)
  const running = await system.start()
  const write = createWriter(5)
  const title = 'Thuỷ điện Hoà Bình mở cửa xả đáy'
  await running.publish('thuy-dien', { ...write(), title, tags: ['lũ muộn'], categories: ['doi-song'] })
  await running.publish('mat', { ...write(), title: 'Thuỷ điện bí mật', audience: 'editorial' })
  await waitFor('the story to be found', async () => (await find(running, 'q=thuy+dien')).length > 0)

  for (const q of ['thủy điện hòa bình', 'THUY DIEN', '"hoà bình mở cửa"', 'lu muon', 'hoa binh mo cu'])
    assert.deepEqual(await find(running, `q=${encodeURIComponent(q)}`), [articleIdOf('thuy-dien')], q)
  assert.deepEqual(await find(running, 'q=bi+mat'), [], 'what is for editors is nobody’s to find')
  const page = await running.get(`/search?q=${encodeURIComponent('thủy điện')}`)
  assert.match(page.text, /<mark>Thuỷ điện<\/mark> Hoà Bình/)
  assert.match((await running.get('/search/rss.xml?q=thuy+dien')).text, /<title>Thuỷ điện Hoà Bình mở cửa xả đáy<\/title>/)

  for (const source of ['log', 'archive']) {
    const { code, stdout, output } = await rebuild(system, source)
    assert.equal(code, 0, output)
    assert.equal((JSON.parse(stdout) as { standing: string }).standing, 'done')
    assert.deepEqual(await find(running, 'q=thuy+dien'), [articleIdOf('thuy-dien')], source)
  }
  assert.equal((await rebuild(system, 'nowhere')).code, 2)

  assert.equal((await running.publisher.retract('thuy-dien', { mode: 'withdraw', reason: 'test' })).status, 202)
  await waitFor('the page to be gone', async () => (await running.get(`/articles/${articleIdOf('thuy-dien')}`)).status === 410)
  await waitFor('no answer to show it', async () => (await find(running, 'q=thuy+dien')).length === 0, {
    deadlineMs: WITHIN_MS,
    everyMs: 20,
  })
})
