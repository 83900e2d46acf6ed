/** An operator takes an article back and brings it back, without the publisher's token; the configuration that is shown is one that can be applied. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { newFolder, runCommand } from './support/newswire.ts'
import { articleIdOf, createSystem } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

test('the console retracts, republishes and resends an article, and what config show prints changes nothing when it is applied', async t => {
  const system = await createSystem(t)
  const running = await system.start()
  const article = createWriter(404)()
  await running.publish('bai', article)

  const act = async (name: string, body: object) => {
    const url = new URL(`/v1/articles/${articleIdOf('bai')}/${name}`, running.newswire.url('console'))
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    assert.equal(response.status, 202, await response.clone().text())
  }
  const pageIs = (status: number) =>
    waitFor(`the page to answer ${status}`, async () => (await running.get(`/articles/${articleIdOf('bai')}`)).status === status)

  const sentOf = (version: number) => system.partner.requests.filter(one => one.article === articleIdOf('bai') && one.version === version)
  const isResent = async (version: number) => {
    const [first] = sentOf(version)
    assert.ok(first)
    await waitFor(`version ${version} to come once more`, async () => sentOf(version).length > 1)
    const again = sentOf(version).at(-1)
    assert.deepEqual([again?.id, again?.action, again?.body], [first.id, first.action, first.body], 'the same delivery')
  }
  const replayed = await runCommand({ args: ['replay', 'article', 'bai', '--outlet', 'tinh-doan', '--json', '--data', system.dataDir] })
  assert.equal(replayed.code, 0, replayed.output)
  assert.deepEqual(JSON.parse(replayed.stdout).outlets, ['tinh-doan'])
  await isResent(1)

  await act('retract', { mode: 'withdraw', reason: 'sai tên' })
  await pageIs(410)
  await running.everywhere('bai', 2)
  await act('resend', {})
  await isResent(2)
  await act('republish', {})
  await pageIs(200)
  await running.everywhere('bai', 3)
  assert.equal(system.partner.held(articleIdOf('bai'))?.article['title'], article.title)
  assert.deepEqual(system.partner.findOffences(), [])

  const shown = await runCommand({ args: ['config', 'show', '--data', system.dataDir] })
  assert.equal(shown.code, 0, shown.output)
  const file = join(await newFolder(t), 'shown.yaml')
  await writeFile(file, shown.stdout)
  const applied = await runCommand({ args: ['apply', file, '--dry-run', '--json', '--data', system.dataDir] })
  assert.equal(applied.code, 0, applied.output)
  const { changes } = JSON.parse(applied.stdout) as { changes: { kind: string; change: string }[] }
  assert.deepEqual(
    changes.filter(one => one.change !== 'unchanged'),
    [],
  )
})

test('one object of the configuration is in force everywhere without a restart, and what moves is told as it moves', async t => {
  const system = await createSystem(t)
  const running = await system.start()
  const consoleUrl = running.newswire.url('console')
  const events = await fetch(new URL('/v1/events', consoleUrl))
  let told = ''
  const listening = (async () => {
    for await (const part of events.body ?? []) told += Buffer.from(part).toString()
  })().catch(() => undefined) // ended by the stop, however far it had come

  const put = (value: object, headers: Record<string, string>) =>
    fetch(new URL('/v1/config/feeds/moi', consoleUrl), {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(value),
    })
  const made = await put({ title: 'Mới' }, { 'if-none-match': '*' })
  assert.equal(made.status, 201, await made.text())
  await running.publish('bai', createWriter(405)())
  const read = async () => (await running.get('/feeds/moi/feed.json')).text
  await waitFor('the new feed to show the article', async () => (await read()).includes(articleIdOf('bai')))
  assert.equal((await put({ title: 'Khác' }, { 'if-match': '"0-00000000"' })).status, 412)
  assert.equal((await put({ title: 'Mới nhất' }, { 'if-match': made.headers.get('etag') ?? '' })).status, 200)
  await waitFor('the feed to have its new name', async () => (await read()).includes('Mới nhất'))

  await running.publisher.retract('bai', { mode: 'withdraw', reason: 'thử' })
  await waitFor('its retraction to be told', () => /event: retracted\ndata: \{"articleId":"[a-z]+\.bai"/.test(told))
  for (const name of ['submission', 'released', 'fanned-out', 'sink'])
    await waitFor(`${name} to be told`, () => told.includes(`event: ${name}\n`))
  assert.deepEqual(await running.newswire.stop(), { code: 0, signal: null }, 'whoever listens holds nothing up')
  await listening
})
