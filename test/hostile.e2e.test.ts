/** What strangers write comes out clean, and what they name is not reached. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { heldBy } from './support/exits.ts'
import { attributesOf, findElements, textsOf } from './support/html.ts'
import { makePng } from './support/pictures.ts'
import { articleIdOf, createSystem, formats, type Running } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const HOSTILE = [
  '<p onclick="alert(1)">Một</p>',
  '<script>alert(2)</script>',
  '<img src="x" onerror="alert(3)">',
  '<a href="javascript:alert(4)">bấm</a>',
  '<a href=" java\tscript:alert(5)">bấm nữa</a>',
  '<iframe src="https://evil.example"></iframe>',
  '<svg><script>alert(6)</script></svg>',
  '<math><mtext></p><style>*{color:red}</style>',
  '<p style="background:url(javascript:alert(7))">Hai</p>',
  '<form action="https://evil.example"><input name="x"></form>',
  '<a href="data:text/html,<script>alert(8)</script>">dữ liệu</a>',
  '<p>Ba ]]> &lt;script&gt;alert(9)&lt;/script&gt; --></p>',
  '<!-- ><script>alert(10)</script> -->',
].join('')

const FORBIDDEN = ['script', 'iframe', 'svg', 'math', 'style', 'form', 'input', 'object', 'embed']

const assertClean = (what: string, html: string) => {
  for (const name of FORBIDDEN) assert.equal(findElements(html, name), 0, `${what}: <${name}>`)
  for (const name of ['p', 'a', 'img'])
    for (const attribute of ['onclick', 'onerror', 'style'])
      assert.deepEqual(attributesOf(html, name, attribute), [], `${what}: ${attribute}`)
  for (const href of attributesOf(html, 'a', 'href')) assert.match(href, /^(https?:|mailto:|\/|#)/, `${what}: ${href}`)
}

/** Words that no XML can carry as they are: control characters, half a surrogate pair, characters that are none. */
const UNPRINTABLE =
  '{"title":"Bài \\u0000\\u0008\\ufffe x","summary":"nửa \\ud800 cặp","body":{"text":"một \\u000b\\u001f hai \\udc00"},"byline":"\\u200b"}'

test('hostile HTML and hostile words come out clean of every exit', async t => {
  const system = await createSystem(t)
  const running = await system.start()
  const title = 'Tiêu đề <script>alert("t")</script> & ]]> </title>'
  await running.publish('doc', {
    title,
    body: { html: HOSTILE },
    byline: '"><img src=x onerror=alert(1)>',
    summary: '</script><script>alert(2)</script>',
  })
  const path = `/articles/${articleIdOf('doc')}`
  for (const view of [path, `${path}/print`]) {
    const { text, headers } = await running.get(view)
    const ours = text.match(/<svg class="qr" [^<]*(?:<(?:rect|path) [^<]*)*<\/svg>/g) ?? []
    assert.equal(ours.length, view === path ? 0 : 1, 'the print view has one drawing, its QR code')
    assertClean(view, text.replace(ours[0] ?? '', ''))
    assert.deepEqual(textsOf(text, 'h1'), [title])
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/)
    assert.equal((text.match(/<script/g) ?? []).length, view === path ? 1 : 0, 'only our own JSON-LD')
  }
  for (const format of formats) {
    const item = await running.item('all', format, 'doc')
    assert.equal(item?.title, title)
    assertClean(format, item?.content ?? '')
    assert.ok(item?.content.includes('&lt;script&gt;alert(9)&lt;/script&gt;'), 'what was written as text stays text')
  }
  const odd = await running.publisher.send('PUT', '/v1/articles/la', UNPRINTABLE, { 'content-type': 'application/json' })
  assert.equal(odd.status, 202, JSON.stringify(odd.body))
  await running.settled(String(odd.body['submissionId']))
  await running.everywhere('la', 1)
  // The reader's parser is strict: one such character would fail it.
  for (const format of formats) assert.match((await running.item('all', format, 'la'))?.title ?? '', /^Bài .*x$/)
  assertClean('partner', heldBy(system.partner, 'doc').html)
})

const listenOn = async (t: TestContext, host: string, location?: string): Promise<{ port: number; hits: () => number }> => {
  let hits = 0
  const server = createServer((_, response) => {
    hits += 1
    if (location === undefined) response.writeHead(200, { 'content-type': 'image/png' }).end(makePng({ width: 400, height: 300 }))
    else response.writeHead(302, { location }).end()
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, hits: () => hits }
}

const picturesOf = async (running: Running, localId: string, urls: readonly string[]): Promise<unknown[]> => {
  await running.settled(await running.put(localId, { title: 'Bài', body: { text: 'Nội dung' }, images: urls.map(url => ({ url })) }))
  const { status, text } = await running.get(`/articles/${articleIdOf(localId)}/article.json`)
  assert.equal(status, 200, 'the article goes out without them')
  return (JSON.parse(text) as { images: unknown[] }).images
}

const notLinux = process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8'
test('a picture cannot be fetched from a private address that is not allowed, by literal, name or redirect', {
  skip: notLinux,
}, async t => {
  const network = { allow: ['127.0.0.2/32'], allowHttp: true }
  const forbidden = await createSystem(t, { network })
  await assert.rejects(forbidden.start(), /status 2[\s\S]*outlets\[0\]\.deliver\.url: .*loopback/, 'an outlet there is not even configured')
  // A name is looked at when it is connected to.
  const system = await createSystem(t, { network, partnerHost: 'localhost' })
  const running = await system.start()
  const inner = await listenOn(t, '127.0.0.1')
  const allowed = await listenOn(t, '127.0.0.2')
  const redirects = await Promise.all(
    [`http://127.0.0.1:${inner.port}/a`, `http://localhost:${inner.port}/b`, `//127.0.0.1:${inner.port}/c`].map(to =>
      listenOn(t, '127.0.0.2', to),
    ),
  )
  const refused = [
    `http://127.0.0.1:${inner.port}/`,
    `http://localhost:${inner.port}/`,
    `http://127.1:${inner.port}/`,
    `http://0x7f000001:${inner.port}/`,
    `http://2130706433:${inner.port}/`,
    `http://0.0.0.0:${inner.port}/`,
    `http://[::1]:${inner.port}/`,
    `http://[::ffff:127.0.0.1]:${inner.port}/`,
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
    'http://[fd00::1]/',
    `http://user:pass@127.0.0.2:${allowed.port}/`,
    ...redirects.map(({ port }) => `http://127.0.0.2:${port}/`),
  ]
  assert.deepEqual(await picturesOf(running, 'trong', refused), [])
  assert.equal(inner.hits(), 0, 'nobody knocked at the private address')
  assert.deepEqual(
    redirects.map(one => one.hits()),
    [1, 1, 1],
    'the redirects were asked, and not followed',
  )
  // On a busy machine the article may go out before its picture, which is one more version then.
  const isThere = (await picturesOf(running, 'ngoai', [`http://127.0.0.2:${allowed.port}/`])).length === 1
  await waitFor('what is allowed to be fetched', async () => {
    const { text } = await running.get(`/articles/${articleIdOf('ngoai')}/article.json`)
    return isThere || (JSON.parse(text) as { images: unknown[] }).images.length === 1
  })
  const { body } = await running.console(`/v1/articles/${articleIdOf('trong')}/trace`)
  assert.match(JSON.stringify(body), /0 of 15 pictures ready/)
  assert.match(JSON.stringify(body), /loopback/)
  await waitFor('the outlet to be refused', async () => {
    const trace = await running.console(`/v1/articles/${articleIdOf('ngoai')}/trace`)
    return JSON.stringify(trace.body).includes('NEWSWIRE_OUTBOUND_REFUSED')
  })
  assert.equal(system.partner.requests.length, 0, 'an outlet cannot be reached there either')
})
