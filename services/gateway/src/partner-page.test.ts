/** A partner at its own page, with forms and no scripts, and the same acts as JSON. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256Hex } from '@newswire/events/ids'
import { isOwnPage } from './partner-forms.ts'
import { makeLive, makeRetracted } from './sample-facts.ts'
import { OTHER_TOKEN, openPartnerSide, PARTNER_TOKEN } from './sample-partner.ts'

type Side = Awaited<ReturnType<typeof openPartnerSide>>
const HTML = { accept: 'text/html' }
const OWN = { 'sec-fetch-site': 'same-origin' }
const COOKIE = `newswire-partner=${PARTNER_TOKEN}`

const submit = async ({ app }: Side, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) => {
  const answer = await app.inject({
    method: 'POST',
    url: path,
    headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: COOKIE, ...OWN, ...HTML, ...headers },
    payload: new URLSearchParams(fields).toString(),
  })
  return {
    status: answer.statusCode,
    text: answer.body,
    location: answer.headers.location,
    cookie: String(answer.headers['set-cookie'] ?? ''),
    headers: answer.headers,
  }
}
const send = async ({ app }: Side, path: string, body: unknown, token = PARTNER_TOKEN) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const answer = await app.inject({ method: 'POST', url: path, headers, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) })
  return { status: answer.statusCode, body: answer.json() }
}
const look = (side: Side, query = '') => side.ask(`/partners/tinh-doan${query}`, { token: null, headers: { ...HTML, cookie: COOKIE } })

test('who has no token sees the same form at every outlet, and at none', async t => {
  const side = await openPartnerSide(t)
  const at = async (id: string) => {
    const { status, text, headers } = await side.ask(`/partners/${id}`, { token: null, headers: HTML })
    return { status, text: text.replaceAll(id, '…'), policy: headers['content-security-policy'] }
  }
  const [first, ...others] = await Promise.all(['tinh-doan', 'kin', 'khong-co'].map(at))
  assert.equal(first?.status, 401)
  assert.match(String(first?.policy), /form-action 'self'/)
  for (const other of others) assert.deepEqual(other, first)
})

test('signing in sets a cookie for this outlet’s addresses alone, that no script and no other site can use; signing out ends it', async t => {
  const side = await openPartnerSide(t)
  const good = await submit(side, '/partners/tinh-doan/session', { token: PARTNER_TOKEN }, { cookie: '' })
  assert.deepEqual([good.status, good.location], [303, '/partners/tinh-doan'])
  assert.match(good.cookie, /; Path=\/partners\/tinh-doan; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/)
  for (const token of ['nw_wrong', OTHER_TOKEN, '', 'a"b;c'])
    assert.deepEqual([(await submit(side, '/partners/tinh-doan/session', { token }, { cookie: '' })).status], [401], token)
  assert.equal(
    (await submit(side, '/partners/tinh-doan/session', { token: PARTNER_TOKEN }, { 'sec-fetch-site': 'cross-site' })).status,
    403,
  )
  assert.match((await submit(side, '/partners/tinh-doan/leave', {})).cookie, /newswire-partner=; .*Max-Age=0/)
  assert.ok(!side.lines.join('').includes(PARTNER_TOKEN))
})

test('the address that a sign-in leaves in the browser leads back to the form, at every outlet and at none', async t => {
  const { app } = await openPartnerSide(t)
  for (const [id, act] of [
    ['tinh-doan', 'session'],
    ['tinh-doan', 'leave'],
    ['khong-co', 'session'],
  ]) {
    const { statusCode, headers } = await app.inject({ method: 'GET', url: `/partners/${id}/${act}`, headers: HTML })
    assert.deepEqual([statusCode, headers.location, headers['cache-control']], [303, `/partners/${id}`, 'private, no-store'])
  }
})

test('a token as `openssl rand -base64` makes it, with its padding, signs in and is signed in', async t => {
  const side = await openPartnerSide(t)
  const outlet = side.outlets.get('tinh-doan')
  assert.ok(outlet)
  for (const token of ['Zm9v+/8=', 'Zm9vYg==']) {
    side.outlets.set('tinh-doan', { ...outlet, tokens: [{ id: 'a', sha256: sha256Hex(token) }] })
    const { status, cookie } = await submit(side, '/partners/tinh-doan/session', { token }, { cookie: '' })
    assert.equal(status, 303, token)
    const page = await side.ask('/partners/tinh-doan', { token: null, headers: { ...HTML, cookie: cookie.split(';', 1)[0] ?? '' } })
    assert.equal(page.status, 200, token)
  }
})

test('a form with a cookie is taken from our own page only', async t => {
  const side = await openPartnerSide(t)
  for (const site of ['cross-site', 'same-site', 'none'])
    assert.equal((await submit(side, '/partners/tinh-doan/pause', { id: 'x' }, { 'sec-fetch-site': site })).status, 403, site)
  const json = await side.app.inject({
    method: 'POST',
    url: '/partners/tinh-doan/pause',
    headers: { cookie: COOKIE, 'content-type': 'application/json' },
    payload: '{}',
  })
  assert.equal(json.statusCode, 403, 'nor is JSON with a cookie')
  assert.equal((await side.control.state('tinh-doan')).paused, null)
  const from = (headers: Record<string, string>) => isOwnPage({ headers } as never, 'https://news.example')
  assert.ok(from({ origin: 'https://news.example', host: 'internal:8080' }))
  assert.ok(from({ origin: 'http://127.0.0.1:8080', host: '127.0.0.1:8080' }))
  for (const headers of [{}, { origin: 'null' }, { origin: 'https://evil.example', host: '127.0.0.1:8080' }])
    assert.ok(!from(headers as never))
})

test('the page shows how it stands, what came, and does what its forms say, each once', async t => {
  const side = await openPartnerSide(t)
  const fact = makeLive({ articleId: 'press.a', article: { title: 'Cầu <b>mới</b> & đường' } })
  const sequence = await side.route(fact)
  await side.route(makeLive({ articleId: 'press.hidden', article: { audience: 'editorial', title: 'Chưa ai biết' } }))
  side.titled.set('press.a', { state: 'public', fact } as never)
  const page = await look(side)
  assert.equal(page.status, 200)
  assert.deepEqual(
    ['cache-control', 'x-robots-tag', 'referrer-policy'].map(name => page.headers[name]),
    ['private, no-store', 'noindex', 'no-referrer'],
  )
  assert.match(page.text, /Cầu &lt;b&gt;mới&lt;\/b&gt; &amp; đường/)
  assert.match(page.text, /press\.hidden/)
  assert.ok(!page.text.includes('Chưa ai biết') && !page.text.includes('<script'))
  assert.match(page.text, new RegExp(`<td>${sequence}</td>`))

  const paused = await submit(side, '/partners/tinh-doan/pause', { id: 'a' })
  assert.deepEqual([paused.status, paused.location], [303, '/partners/tinh-doan?said=saidPaused'])
  assert.match((await look(side, '?said=saidPaused')).text, /Việc gửi tin đã tạm dừng\..*bởi bạn/s)
  await submit(side, '/partners/tinh-doan/resume', { id: 'b' })
  assert.equal((await side.control.state('tinh-doan')).paused, null)

  for (const id of ['c', 'c']) assert.match(String((await submit(side, '/partners/tinh-doan/test', { id })).location), /saidAsked/)
  assert.match(String((await submit(side, '/partners/tinh-doan/replay', { id: 'd', fromSequence: '0' })).location), /saidAsked/)
  assert.match(String((await submit(side, '/partners/tinh-doan/replay', { id: 'e', fromTime: 'hôm qua' })).location), /saidTime/)
  assert.match(String((await submit(side, '/partners/tinh-doan/replay', { id: 'f', fromSequence: '1' })).location), /saidBusy/)
  assert.deepEqual(
    (await side.control.requests('tinh-doan')).map(one => [one.id, one.kind, one.by]),
    [
      ['d', 'replay', 'partner'],
      ['c', 'test', 'partner'],
    ],
  )
  assert.ok(!(await look(side, '?said=%3Cscript%3E')).text.includes('<script'))
})

test('what a newer version settled is not said to have been received', async t => {
  const side = await openPartnerSide(t)
  await side.route(makeLive({ articleId: 'press.a' }))
  await side.route(makeRetracted({ articleId: 'press.a', version: 2 }), 'tinh-doan', { kill: true })
  await side.settle()
  const states = [...(await look(side)).text.matchAll(/<span class="(?:fine|open|trouble)">([^<]*)<\/span>/g)].map(one => one[1])
  assert.deepEqual(states, ['đã nhận bản mới hơn', 'đã nhận'])
})

test('a new secret is in the answer to its form and nowhere else; the same form again does not show it', async t => {
  const side = await openPartnerSide(t)
  const made = await submit(side, '/partners/tinh-doan/secrets', { id: 'one' })
  const secret = /whsec_[A-Za-z0-9+/=]+/.exec(made.text)?.[0]
  assert.ok(made.status === 200 && secret)
  assert.equal(made.headers['cache-control'], 'private, no-store')
  const again = await submit(side, '/partners/tinh-doan/secrets', { id: 'one' })
  assert.match(String(again.location), /saidShown/)
  assert.ok(!(await look(side)).text.includes(secret))
  assert.ok(!side.lines.join('').includes(secret))
  const without = await openPartnerSide(t, { canSeal: false })
  assert.match(String((await submit(without, '/partners/tinh-doan/secrets', { id: 'x' })).location), /saidNoKey/)
})

test('the same as JSON for programs, with the token as Bearer', async t => {
  const side = await openPartnerSide(t)
  assert.equal((await send(side, '/partners/tinh-doan/pause', {})).body.paused.by, 'partner')
  const shown = await side.ask('/partners/tinh-doan')
  assert.deepEqual([shown.status, shown.body.outlet, shown.body.state], [200, 'tinh-doan', 'paused'])
  assert.deepEqual((await send(side, '/partners/tinh-doan/resume', undefined)).body, { paused: null }, 'no body is an empty one')
  assert.equal((await send(side, '/partners/tinh-doan/test', { id: 'mine' })).status, 202)
  assert.equal((await send(side, '/partners/tinh-doan/replay', { fromSequence: 0 })).status, 202)
  assert.deepEqual((await send(side, '/partners/tinh-doan/replay', { fromSequence: 0 })).body.code, 'NEWSWIRE_OUTLET_BUSY')
  assert.equal((await send(side, '/partners/tinh-doan/replay', { since: 0 })).status, 422)
  assert.match((await send(side, '/partners/tinh-doan/secrets', {})).body.secret, /^whsec_/)
  assert.equal((await send(side, '/partners/tinh-doan/pause', {}, OTHER_TOKEN)).status, 401)
  await side.control.pause('tinh-doan', 'operator')
  assert.deepEqual((await send(side, '/partners/tinh-doan/resume', {})).body.code, 'NEWSWIRE_OUTLET_PAUSED')
})
