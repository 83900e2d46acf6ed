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
