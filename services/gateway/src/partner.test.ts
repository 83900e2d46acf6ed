/** What a partner reads with its own token: what it missed, and what its payloads link to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keys } from '@newswire/objects/keys'
import { cookieToken } from './partner-access.ts'
import { makeLive, makePicture, makeRetracted } from './sample-facts.ts'
import { OTHER_TOKEN, openPartnerSide, PARTNER_TOKEN } from './sample-partner.ts'

const PICTURE = 'a'.repeat(64)
const BARRED = 'b'.repeat(64)
type Listed = { deliveries: { sequence: number; articleId: string; state: string }[]; next: number; more: boolean; gap: boolean }

const since = async (side: Awaited<ReturnType<typeof openPartnerSide>>, after: number, limit = 100) => {
  const { status, body } = await side.ask(`/partners/tinh-doan/deliveries?after=${after}&limit=${limit}`)
  assert.equal(status, 200)
  return body as Listed
}

test('no token, a wrong one, another outlet’s, an outlet without tokens and one that there is not: all get the same answer', async t => {
  const side = await openPartnerSide(t)
  const answers = await Promise.all([
    side.ask('/partners/tinh-doan/deliveries', { token: null }),
    side.ask('/partners/tinh-doan/deliveries', { token: 'nw_wrong' }),
    side.ask('/partners/tinh-doan/deliveries', { token: OTHER_TOKEN }),
    side.ask('/partners/kin/deliveries'),
    side.ask('/partners/khong-co/deliveries'),
    side.ask('/partners/..%2Fx/deliveries'),
    side.ask('/partners/tinh-doan/articles/press.a/article.json', { token: 'nw_wrong' }),
  ])
  const [first] = answers
  for (const { status, body, headers } of answers) {
    assert.equal(status, 401)
    assert.deepEqual({ ...body, correlationId: '' }, { ...first?.body, correlationId: '' })
    assert.match(String(headers['www-authenticate']), /^Bearer/)
    assert.equal(headers['cache-control'], 'no-store')
  }
  assert.ok(!side.lines.join('').includes('nw_'), 'no token is logged')
})

test('who tries tokens is stopped, and a partner with a right one at another address is not', async t => {
  const side = await openPartnerSide(t)
  for (let n = 0; n < 30; n++) assert.equal((await side.ask('/partners/tinh-doan/deliveries', { token: `nw_${n}` })).status, 401)
  const stopped = await side.ask('/partners/tinh-doan/deliveries')
  assert.equal(stopped.status, 429)
  assert.ok(Number(stopped.headers['retry-after']) > 0)
  const elsewhere = await side.app.inject({
    url: '/partners/tinh-doan/deliveries',
    headers: { authorization: `Bearer ${PARTNER_TOKEN}` },
    remoteAddress: '192.0.2.7',
  })
  assert.equal(elsewhere.statusCode, 200)
})

test('everything that came since a sequence is listed once, in order, in pages that join', async t => {
  const side = await openPartnerSide(t)
  const sequences: number[] = []
  for (let n = 1; n <= 7; n++) {
    sequences.push(await side.route(makeLive({ articleId: `press.a${n}` })))
    await side.route(makeLive({ articleId: `press.b${n}` }), 'bao-ban')
  }
  const listed: number[] = []
  let pages = 0
  for (let after = 0, more = true; more; pages++) {
    const page = await since(side, after, 3)
    listed.push(...page.deliveries.map(one => one.sequence))
    more = page.more
    after = page.next
  }
  assert.deepEqual(listed, sequences)
  assert.ok(pages <= 4)
  const third = sequences[2] ?? 0
  assert.deepEqual(
    (await since(side, third)).deliveries.map(one => one.sequence),
    sequences.slice(3),
  )
  const end = await since(side, sequences.at(-1) ?? 0)
  assert.deepEqual([end.deliveries, end.more, end.gap], [[], false, false])
  assert.equal((await side.ask('/partners/tinh-doan/deliveries?after=x')).status, 400)
  assert.equal((await side.ask('/partners/tinh-doan/deliveries?limit=0')).status, 400)
})

test('each says what it is and how it stands: done, still to come, tried again and why, refused', async t => {
  const side = await openPartnerSide(t)
  await side.route(makeLive({ articleId: 'press.well' }))
  await side.route(makeLive({ articleId: 'press.failing' }))
  await side.route(makeLive({ articleId: 'press.blocked' }))
  await side.route(makeLive({ articleId: 'press.refused' }))
  const write = (articleId: string, delivery: object) =>
    side.objects.put(
      keys.pending('tinh-doan', articleId),
      Buffer.from(JSON.stringify({ n: 1, outletId: 'tinh-doan', articleId, cause: { id: 'x' }, sinceMs: 1_800_000_000_000, delivery })),
    )
  const base = { want: 1, kill: false, sequence: 1, open: [1], version: 1, attempts: 3, nextAtMs: 1_800_000_060_000, firstFailedAtMs: 1 }
  await write('press.failing', { ...base, phase: 'wait', lastError: 'it answered 503' })
  await write('press.blocked', { ...base, phase: 'wait', lastError: 'no connection could be made (ECONNREFUSED)' })
  await write('press.refused', { ...base, phase: 'rejected', lastError: 'it answered 422' })
  await side.settle()
  await side.route(makeRetracted({ articleId: 'press.well', version: 2 }), 'tinh-doan', { kill: true })
  const { body } = await side.ask('/partners/tinh-doan/deliveries')
  const short = (body.deliveries as Record<string, unknown>[]).map(one => [
    one['articleId'],
    one['version'],
    one['action'],
    one['state'],
    one['lastError'],
  ])
  assert.deepEqual(short, [
    ['press.well', 1, 'published', 'done', null],
    ['press.failing', 1, 'published', 'retrying', 'it answered 503'],
    ['press.blocked', 1, 'published', 'retrying', 'no answer came from its address'],
    ['press.refused', 1, 'published', 'rejected', 'it answered 422'],
    ['press.well', 2, 'retracted', 'pending', null],
  ])
  assert.equal(body.deliveries[1].nextAt, '2027-01-15T08:01:00.000Z')
  await side.control.pause('tinh-doan', 'operator')
  const held = await since(side, 0)
  assert.deepEqual(
    held.deliveries.map(one => one.state),
    ['done', 'suspended', 'suspended', 'rejected', 'suspended'],
  )
})

test('a payload’s links open with the outlet’s token what it is entitled to, and nothing else', async t => {
  const side = await openPartnerSide(t)
  const images = [makePicture(PICTURE, { rights: { outlets: ['tinh-doan'] } }), makePicture(BARRED, { rights: { outlets: ['bao-ban'] } })]
  await side.route(makeLive({ articleId: 'press.a', article: { images } }))
  for (const sha256 of [PICTURE, BARRED]) await side.objects.put(`${keys.renditionPrefix(sha256)}w640-r1.jpg`, Buffer.from('JPEG'))

  const whole = await side.ask('/partners/tinh-doan/articles/press.a/article.json')
  assert.equal(whole.status, 200)
  assert.equal(whole.headers['cache-control'], 'private, no-store')
  assert.equal(whole.headers['x-robots-tag'], 'noindex')
  const [shown, ...others] = whole.body.images as { renditions: { url: string }[] }[]
  assert.equal(others.length, 0)
  const url = shown?.renditions[0]?.url ?? ''
  assert.equal(url, `https://news.example/partners/tinh-doan/renditions/press.a/${PICTURE}/w640-r1.jpg`)
  const picture = await side.ask(new URL(url).pathname)
  assert.deepEqual([picture.status, picture.text, picture.headers['content-type']], [200, 'JPEG', 'image/jpeg'])
  assert.equal((await side.ask(`/partners/tinh-doan/renditions/press.a/${BARRED}/w640-r1.jpg`)).status, 404)
  assert.equal((await side.ask(new URL(url).pathname, { token: OTHER_TOKEN })).status, 401)
  assert.equal((await side.ask('/partners/bao-ban/articles/press.a/article.json', { token: OTHER_TOKEN })).status, 404, 'never routed')
  assert.equal((await side.ask('/partners/tinh-doan/articles/press.none/article.json')).status, 404)

  const outlet = side.outlets.get('tinh-doan')
  assert.ok(outlet)
  side.outlets.set('tinh-doan', { ...outlet, retired: true })
  for (const path of ['/partners/tinh-doan/articles/press.a/article.json', new URL(url).pathname])
    assert.equal((await side.ask(path)).status, 404, 'the article is not gone, it is given to this outlet no more')

  await side.route(makeRetracted({ articleId: 'press.a', version: 2 }))
  const gone = await side.ask('/partners/tinh-doan/articles/press.a/article.json')
  assert.deepEqual([gone.status, gone.body], [410, { id: 'press.a', version: 2, status: 'retracted' }])
  assert.equal((await side.ask(new URL(url).pathname)).status, 410)
})

test('an editorial article opens for an outlet that asks for such, and is taken back from one that does not any more', async t => {
  const side = await openPartnerSide(t)
  await side.route(makeLive({ articleId: 'press.e', article: { audience: 'editorial' } }))
  assert.equal((await side.ask('/partners/tinh-doan/articles/press.e/article.json')).status, 410)
  const outlet = side.outlets.get('tinh-doan')
  assert.ok(outlet)
  side.outlets.set('tinh-doan', { ...outlet, audience: 'editorial' })
  assert.equal((await side.ask('/partners/tinh-doan/articles/press.e/article.json')).status, 200)
})

test('an article opens no sooner than the outlet’s own offset after its release', async t => {
  const side = await openPartnerSide(t)
  const outlet = side.outlets.get('tinh-doan')
  assert.ok(outlet)
  side.outlets.set('tinh-doan', { ...outlet, embargoOffsetHours: 2 })
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
  await side.route(makeLive({ articleId: 'press.early', firstReleasedAt: hoursAgo(1) }))
  await side.route(makeLive({ articleId: 'press.due', firstReleasedAt: hoursAgo(3) }))
  assert.equal((await side.ask('/partners/tinh-doan/articles/press.early/article.json')).status, 404)
  assert.equal((await side.ask('/partners/tinh-doan/articles/press.due/article.json')).status, 200)
})

test('an article is listed and counted no sooner than the outlet’s own offset after its release, whatever else is known of it', async t => {
  const side = await openPartnerSide(t)
  const outlet = side.outlets.get('tinh-doan')
  assert.ok(outlet)
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
  await side.route(makeLive({ articleId: 'press.due', firstReleasedAt: hoursAgo(3) }))
  await side.route(makeLive({ articleId: 'press.early', firstReleasedAt: hoursAgo(1) }))
  await side.route(makeLive({ articleId: 'press.taken', firstReleasedAt: hoursAgo(1) }))
  await side.route(makeRetracted({ articleId: 'press.taken', version: 2, firstReleasedAt: hoursAgo(1) }), 'tinh-doan', { kill: true })
  await side.settle()
  for (const articleId of ['press.due', 'press.early'])
    await side.objects.put(
      keys.pending('tinh-doan', articleId),
      Buffer.from(
        JSON.stringify({
          n: 1,
          outletId: 'tinh-doan',
          articleId,
          cause: { id: 'x' },
          sinceMs: Date.now(),
          // Written down before anybody asked what its time is, as when the outlet is paused.
          delivery: { phase: 'pending', want: 1, kill: false, sequence: 1, open: [1], attempts: 0, nextAtMs: Date.now(), lastError: null },
        }),
      ),
    )
  const seen = async () => {
    const { body } = await side.ask('/partners/tinh-doan')
    const page = await side.ask('/partners/tinh-doan', { token: null, headers: { cookie: `newswire-partner=${PARTNER_TOKEN}` } })
    assert.equal(page.status, 200)
    const { deliveries, next, more } = await since(side, 0)
    return {
      listed: deliveries.map(one => one.articleId),
      next,
      more,
      counted: body.pending.articles,
      onPage: ['press.due', 'press.early', 'press.taken'].filter(id => page.text.includes(id)),
    }
  }
  const all = await seen()
  assert.deepEqual([all.listed, all.counted, all.onPage.length], [['press.due', 'press.early', 'press.taken', 'press.taken'], 2, 3])
  side.outlets.set('tinh-doan', { ...outlet, embargoOffsetHours: 2 })
  assert.deepEqual(await seen(), { ...all, listed: ['press.due'], counted: 1, onPage: ['press.due'] })
  assert.equal((await side.control.status({ ...outlet, embargoOffsetHours: 2 }, 'operator')).pending.articles, 2, 'operators know of all')
  side.outlets.set('tinh-doan', { ...outlet, embargoOffsetHours: 0.5 })
  assert.deepEqual(await seen(), all)
})

test('a cookie is read by its name alone', () => {
  assert.equal(cookieToken('a=b; newswire-partner=nw_x; newswire-partner=nw_y'), 'nw_x')
  for (const header of [
    undefined,
    '',
    'newswire-partner=',
    'xnewswire-partner=nw_x',
    'newswire-partner="nw x"',
    `newswire-partner=${'x'.repeat(600)}`,
  ])
    assert.equal(cookieToken(header), null)
})
