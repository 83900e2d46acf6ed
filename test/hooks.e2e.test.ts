/** A CMS's own webhook, all the way: what is published there is in the feed, what is unpublished is out of it, until somebody republishes it, and what is deleted is gone; what it holds back is out nowhere. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { articleIdOf, createSystem, PUBLISHER } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const SECRET = 'ghost-secret-59c1'
const ID = '67447438e61fb200012f48e0'

test('a post of Ghost is published, changed, unpublished and deleted by what Ghost tells; what was taken back waits for a republish', async t => {
  const hooks = [
    { id: 'ghost-main', preset: 'ghost', secretEnv: 'GHOST_SECRET', mapping: { categories: { 'tin-tuc': 'thoi-su' }, idPrefix: 'ghost-' } },
  ]
  const system = await createSystem(t, { publisher: { hooks }, env: { GHOST_SECRET: SECRET } })
  const running = await system.start()
  const localId = `ghost-${ID}`

  const tell = async (current: object, previous: object = {}) => {
    const body = JSON.stringify({ post: { current, previous } })
    const time = String(Date.now())
    const signature = createHmac('sha256', SECRET).update(`${body}${time}`).digest('hex')
    const response = await fetch(new URL(`/v1/hooks/${PUBLISHER}/ghost-main`, running.newswire.url('ingest')), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-ghost-signature': `sha256=${signature}, t=${time}` },
      body,
      signal: AbortSignal.timeout(30_000),
    })
    assert.equal(response.status, 202, await response.clone().text())
    return (await response.json()) as { submissionId: string; articleId: string }
  }
  /** As Ghost has it at this moment. */
  const post = (title: string, changes: object = {}) => ({
    id: ID,
    title,
    slug: 'bai-viet',
    html: `<p>${title}</p>`,
    status: 'published',
    visibility: 'public',
    updated_at: new Date().toISOString(),
    published_at: '2026-01-02T03:04:05.000Z',
    tags: [{ name: 'Tin tức', slug: 'tin-tuc' }],
    ...changes,
  })
  const shown = (title: string) =>
    waitFor(`${title} to be in its feed`, async () => (await running.item('thoi-su', 'atom.xml', localId))?.title === title)
  const pageIs = (status: number) =>
    waitFor(`its page to answer ${status}`, async () => (await running.get(`/articles/${articleIdOf(localId)}`)).status === status)

  const first = await tell(post('Một'), { status: 'draft' })
  assert.equal(first.articleId, articleIdOf(localId))
  await shown('Một')
  await tell(post('Hai'), { title: 'Một' })
  await shown('Hai')

  await running.settled((await tell(post('Hai', { status: 'draft' }), { status: 'published' })).submissionId)
  await pageIs(410)
  const again = await tell(post('Ba'), { status: 'draft' })
  assert.equal((await running.settled(again.submissionId, 'held'))['code'], 'NEWSWIRE_DESK_AWAITS_REPUBLISH')
  await pageIs(410)
  assert.equal((await running.publisher.republish(localId)).status, 202)
  await shown('Ba')
  await pageIs(200)
  await waitFor('the partner to hold it', () => system.partner.held(articleIdOf(localId))?.article['title'] === 'Ba')

  await tell({}, post('Ba'))
  await pageIs(410)
  assert.ok(!running.newswire.output().includes(SECRET))
})

test('what Superdesk holds back, or another CMS plans, is out nowhere before its time; what is not understood is refused', async t => {
  const hooks = [
    { id: 'desk', preset: 'superdesk', secretEnv: 'DESK_SECRET', mapping: { everyCategory: ['thoi-su'] } },
    { id: 'any', preset: 'generic', secretEnv: 'DESK_SECRET', mapping: { everyCategory: ['thoi-su'] } },
  ]
  const system = await createSystem(t, { publisher: { hooks }, env: { DESK_SECRET: SECRET } })
  const running = await system.start()
  const tell = async (hook: string, body: object) => {
    const text = JSON.stringify(body)
    const response = await fetch(new URL(`/v1/hooks/${PUBLISHER}/${hook}`, running.newswire.url('ingest')), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-superdesk-signature': `sha1=${createHmac('sha1', SECRET).update(text).digest('hex')}`,
        'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(text).digest('hex')}`,
      },
      body: text,
      signal: AbortSignal.timeout(30_000),
    })
    return { status: response.status, body: (await response.json()) as Record<string, string> }
  }
  const ninjs = (guid: string, more: object = {}) => ({
    guid,
    type: 'text',
    pubstatus: 'usable',
    version: '1',
    headline: guid,
    body_html: '<p>Tin</p>',
    ...more,
  })
  const later = '2199-01-01T00:00:00+0000'
  const held = [
    await tell('desk', ninjs('cam-van', { embargoed: later })),
    await tell('desk', ninjs('ke-hoach', { publish_schedule: later })),
    await tell('any', { event: 'publish', article: { id: 'ngay-sau', title: 'ngay-sau', text: 'Tin', publishedAt: later } }),
  ]
  for (const one of held) {
    assert.equal(one.status, 202, JSON.stringify(one.body))
    await running.settled(one.body['submissionId'] ?? '', 'held')
  }
  const refused = await tell('any', {
    event: 'publish',
    article: { id: 'khong-ro', title: 'khong-ro', text: 'Tin', embargo: 'sau họp báo' },
  })
  assert.deepEqual([refused.status, refused.body['code']], [422, 'NEWSWIRE_HOOK_EMBARGO'])
  await tell('desk', ninjs('ra-ngay'))
  await waitFor('what is not held to be in the feed', async () => (await running.item('thoi-su', 'atom.xml', 'ra-ngay')) !== undefined)
  for (const id of ['cam-van', 'ke-hoach', 'ngay-sau', 'khong-ro']) {
    assert.equal((await running.get(`/articles/${articleIdOf(id)}`)).status, 404, id)
    assert.equal(system.partner.held(articleIdOf(id)), undefined, id)
  }
})
