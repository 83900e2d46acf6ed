import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createWriter } from './articles.ts'
import { createPublisher } from './publisher.ts'

test('equal seeds write equal articles, and no two of one writer are alike', () => {
  const [one, two] = [createWriter(5), createWriter(5)]
  const titles = new Set<string>()
  for (let n = 0; n < 50; n += 1) {
    const article = one({ language: n % 2 === 0 ? 'vi' : 'en' })
    assert.deepEqual(article, two({ language: n % 2 === 0 ? 'vi' : 'en' }))
    titles.add(article.title)
  }
  assert.equal(titles.size, 50)
})

test('bodies carry the characters that break careless pipelines, as valid HTML', () => {
  const { body } = createWriter(1)({ language: 'en', paragraphs: 30 })
  assert.ok('html' in body)
  assert.ok(body.html.includes('a &lt; b &amp;&amp; c ]]&gt; d') && body.html.includes('👩‍🌾'))
  assert.ok(!/<(?!\/?p>)/.test(body.html))
})

test('the publisher speaks the front door’s language: token, key, JSON, multipart', async t => {
  const seen: { method: string; url: string; token: string; key: string; type: string; body: string }[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const header = (name: string) => String(request.headers[name] ?? '')
    seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      token: header('authorization'),
      key: header('idempotency-key'),
      type: header('content-type'),
      body: Buffer.concat(parts).toString('latin1'),
    })
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"submissionId":"s1"}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  const publisher = createPublisher(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'secret')
  const answer = await publisher.put('bai-1', createWriter(1)(), 'key-1')
  assert.deepEqual([answer.status, answer.body], [202, { submissionId: 's1' }])
  await publisher.retract('bai-1', { mode: 'gone', reason: 'wrong' })
  await publisher.upload('bai-1', Buffer.from('PNG'), 'image/png')
  const [put, retract, upload] = seen
  assert.deepEqual(
    [put?.method, put?.url, put?.token, put?.key, put?.type],
    ['PUT', '/v1/articles/bai-1', 'Bearer secret', 'key-1', 'application/json'],
  )
  assert.deepEqual(
    [retract?.method, retract?.url, retract?.body],
    ['POST', '/v1/articles/bai-1/retract', '{"mode":"gone","reason":"wrong"}'],
  )
  assert.match(upload?.type ?? '', /^multipart\/form-data; boundary=/)
  assert.match(upload?.body ?? '', /filename="picture\.png"\r\nContent-Type: image\/png\r\n\r\nPNG\r\n/)
})
