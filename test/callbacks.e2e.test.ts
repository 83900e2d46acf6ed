/** A publisher is told what became of its submissions, in order, signed, also when it was away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { startPartner } from './support/partner.ts'
import { articleIdOf, createSystem } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

test('a publisher is told of every release and refusal at its callbackUrl, in order, and of what it missed when it is back', async t => {
  const receiver = await startPartner()
  t.after(() => receiver.close())
  const system = await createSystem(t, {
    publisher: { callbackUrl: receiver.url, callbackSecretEnv: 'CMS_CALLBACK' },
    env: { CMS_CALLBACK: receiver.secret },
    retryScale: 0.1,
  })
  const write = createWriter(95)
  const running = await system.start()
  type Told = { type: string; data: { submissionId: string; articleId: string; version?: number; code?: string; command?: string } }
  const toldOf = (submissionId: string): Told[] =>
    receiver.requests
      .filter(one => one.answered === 204)
      .map(one => one.json as unknown as Told)
      .filter(one => one.data.submissionId === submissionId)
  const until = (submissionId: string, type: string) =>
    waitFor(`${type} of ${submissionId}`, () => toldOf(submissionId).find(one => one.type === `submission.${type}`))

  const embargoed = await running.put('hen', { ...write(), embargoUntil: new Date(Date.now() + 2_000).toISOString() })
  await t.test('of a release with its version, of a duplicate, of a retraction', async () => {
    const article = write()
    const first = await running.put('mot', article)
    const { data } = await until(first, 'released')
    assert.deepEqual(data, { submissionId: first, articleId: articleIdOf('mot'), command: 'publish', version: 1 })
    await until(await running.put('mot', article), 'duplicate')
    const { body } = await running.publisher.retract('mot', { mode: 'gone', reason: 'sai' })
    assert.equal((await until(String(body['submissionId']), 'released')).data.command, 'retract')
  })

  await t.test('of a refusal with its code', async () => {
    const embargoUntil = new Date(Date.now() + 3_600_000).toISOString()
    await running.settled(await running.put('cu', { ...write(), sourceVersion: 3, embargoUntil }), 'held')
    const late = await running.put('cu', { ...write(), sourceVersion: 2 })
    const settled = await running.settled(late)
    const { data } = await until(late, String(settled['state']))
    assert.ok(typeof settled['code'] === 'string', JSON.stringify(settled))
    assert.equal(data.code, settled['code'])
  })

  await t.test('that it is held before that it is released', async () => {
    await until(embargoed, 'released')
    assert.deepEqual(
      toldOf(embargoed).map(one => one.type),
      ['submission.held', 'submission.released'],
    )
  })

  await t.test('of what it missed, also over a restart, and it costs nobody else anything', async () => {
    await receiver.setMode({ status: 500 })
    const missed = await running.put('lo', write())
    await running.settled(missed, 'released')
    await waitFor('a try', () => receiver.requests.some(one => one.answered === 500))
    await waitFor('the partner to have it', () => system.partner.held(articleIdOf('lo'))?.version === 1)
    await running.newswire.stop()
    await receiver.setMode('ok')
    await system.start()
    await until(missed, 'released')
    assert.equal(toldOf(missed).length, 1)
  })

  for (const one of receiver.requests) assert.equal(one.signatureOffence, null)
  const bodies = new Map<string, string>()
  for (const { id, body } of receiver.requests) assert.equal(bodies.set(id, bodies.get(id) ?? body).get(id), body, 'one id has one body')
})
