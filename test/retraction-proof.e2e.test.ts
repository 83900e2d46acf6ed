/** A retraction is proved: by our own looking at every public exit, and by what partners acknowledged. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RetractionProof } from '@newswire/events/retraction-proof'
import { createWriter } from './support/articles.ts'
import { makePng } from './support/pictures.ts'
import { articleIdOf, createSystem, type Running } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const proofOf = async (running: Running, localId: string): Promise<RetractionProof> => {
  const { status, body } = await running.console(`/v1/articles/${articleIdOf(localId)}/retraction-proof`)
  assert.equal(status, 200, JSON.stringify(body))
  return body as unknown as RetractionProof
}
const retract = async (running: Running, localId: string) => {
  const { status, body } = await running.publisher.retract(localId, { mode: 'gone', reason: 'sai tên' })
  assert.equal(status, 202)
  await running.settled(String(body['submissionId']))
}
/** A wrong verdict is thrown, so that the last one is seen when the time is up. */
const proved = (running: Running, localId: string, verdict: RetractionProof['verdict']): Promise<RetractionProof> =>
  waitFor(`the proof that ${localId} is ${verdict}`, async () => {
    const proof = await proofOf(running, localId)
    assert.equal(
      proof.verdict,
      verdict,
      JSON.stringify({ sentence: proof.sentence, exits: proof.exits.filter(one => one.state !== 'gone') }),
    )
    return proof
  })

test('a retraction is proved gone from every exit, and a partner that does not acknowledge is named', async t => {
  const system = await createSystem(t, { outlets: ['tinh-doan', 'dai-truyen'], retryScale: 0.1 })
  const running = await system.start()
  const write = createWriter(91)
  const upload = async (seed: number) => {
    const { body } = await running.publisher.upload('anh', makePng({ width: 640, height: 480, seed }), 'image/png')
    return { url: String(body['url']), role: 'lead' as const }
  }
  const [own, shared] = [await upload(91), await upload(92)]
  await running.publish('khac', { ...write(), images: [shared] })
  await running.publish('rut', { ...write(), images: [own, { ...shared, role: 'inline' }] })
  await running.publish('rut', { ...write(), images: [own, { ...shared, role: 'inline' }] })

  await t.test('what stands has nothing to be proved', async () => {
    assert.equal((await running.console(`/v1/articles/${articleIdOf('rut')}/retraction-proof`)).status, 404)
  })

  await t.test('gone everywhere, with what was looked at', async () => {
    await retract(running, 'rut')
    const proof = await proved(running, 'rut', 'gone')
    assert.match(proof.sentence, /^Gone everywhere: \d+ exits looked at, 2 outlets acknowledged\.$/)
    assert.deepEqual(
      proof.outlets.map(({ id, state, first }) => [id, state, first]),
      [
        ['dai-truyen', 'done', 1],
        ['tinh-doan', 'done', 1],
      ],
    )
    assert.deepEqual([...new Set(proof.exits.map(one => one.kind))].sort(), [
      'document',
      'feed',
      'feed-page',
      'list',
      'page',
      'rendition',
      'search',
    ])
    const page = `/articles/${articleIdOf('rut')}`
    for (const address of [
      page,
      `${page}/print`,
      `${page}/article.json`,
      `${page}/ninjs.json`,
      '/feeds/all/rss.xml',
      '/feeds/all/atom.xml',
      '/feeds/all/feed.json',
      '/feeds/all/news-sitemap.xml',
      '/',
    ])
      assert.equal(proof.exits.find(one => one.address === address)?.state, 'gone', address)
    const renditions = proof.exits.filter(one => one.kind === 'rendition')
    assert.ok(
      renditions.some(one => one.detail === 'it answered 410'),
      'those that only it used',
    )
    assert.ok(
      renditions.some(one => one.detail === `${articleIdOf('khac')} shows it`),
      'those that another article shows',
    )
    await waitFor('the proof to be written down', async () => (await proofOf(running, 'rut')).provedAt !== null)
    const { body } = await running.console(`/v1/articles/${articleIdOf('rut')}/trace`)
    assert.equal((body['retraction'] as { verdict: string }).verdict, 'gone')
  })

  await t.test('a partner that does not acknowledge is named until it does, and explained why it is told', async () => {
    await running.publish('treo', write())
    system.partners['dai-truyen']?.setModeFor(articleIdOf('treo'), { status: 500 })
    await retract(running, 'treo')
    const waiting = await proved(running, 'treo', 'waiting')
    assert.match(waiting.sentence, /^Gone from every public exit; not acknowledged since \S+ by dai-truyen \(/)
    assert.doesNotMatch(waiting.sentence, /tinh-doan/)
    const { body } = await running.console(`/v1/explain?article=${articleIdOf('treo')}&outlet=dai-truyen`)
    assert.deepEqual([body['due'], body['why'], body['basis']], ['retraction', 'taken-back', 'record'])
    const metrics = await fetch(new URL('/metrics', running.newswire.url('console'))).then(answer => answer.text())
    assert.match(metrics, /newswire_retraction_still_visible\{exit="feed"\} 0/)
    assert.match(metrics, /newswire_retraction_oldest_unproved_seconds\{where="outlets"\} \d/)
    system.partners['dai-truyen']?.setModeFor(articleIdOf('treo'), null)
    await proved(running, 'treo', 'gone')
  })

  await t.test('what was proved is still proved after a restart', async () => {
    await running.newswire.stop()
    const again = await system.start()
    const proof = await proved(again, 'rut', 'gone')
    assert.ok(proof.provedAt !== null)
  })
})
