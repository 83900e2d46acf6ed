/** How the S3 adapter takes bad answers, on a server that gives them on cue. What a good server does: `s3.integration.test.ts`. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { UnavailableError } from '@newswire/events/errors'
import { createS3Objects } from './s3.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const status =
  (code: number, { name = '', body = '' } = {}): Answer =>
  (_, response) => {
    response.writeHead(code, { etag: '"tag"', ...(name === '' ? {} : { 'content-type': 'application/xml' }) })
    response.end(name === '' ? body : `<Error><Code>${name}</Code><Message>told to</Message></Error>`)
  }
const cut: Answer = request => request.socket.destroy()

/** A store whose server answers the requests of one method in the order given, the last one again and again. */
const storeThatAnswers = async (t: TestContext, script: Readonly<Record<'PUT' | 'GET', readonly Answer[]>>) => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    const method = request.method === 'PUT' ? 'PUT' : 'GET'
    const count = seen.filter(earlier => earlier === method).length
    seen.push(method)
    request.resume().on('end', () => (script[method][count] ?? script[method].at(-1))?.(request, response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const objects = await createS3Objects({ endpoint, bucket: 'b', credentials: { accessKeyId: 'a', secretAccessKey: 's' } })
  t.after(() => objects.close())
  return { objects, seen }
}

const ours = Buffer.from('ours')
const create = { ifNoneMatch: '*' } as const
const conflict = status(409, { name: 'ConditionalRequestConflict' })
const refused = status(412, { name: 'PreconditionFailed' })
const nothing = status(404, { name: 'NoSuchKey' })

test('a put that meets another in flight is tried again', async t => {
  const { objects, seen } = await storeThatAnswers(t, { PUT: [conflict, conflict, status(200)], GET: [nothing] })
  assert.deepEqual(await objects.put('a', ours, create), { ok: true, etag: '"tag"' })
  assert.deepEqual(seen, ['PUT', 'PUT', 'PUT'])
})

test('a refused put whose bytes are there is the repeat of one whose answer was lost', async t => {
  const { objects } = await storeThatAnswers(t, { PUT: [refused], GET: [status(200, { body: 'ours' })] })
  assert.deepEqual(await objects.put('a', ours, create), { ok: true, etag: '"tag"' })
  assert.deepEqual(await objects.put('a', ours, { ifMatch: '"old"' }), { ok: true, etag: '"tag"' })
})

test('a refused put whose bytes are not there has lost', async t => {
  const { objects } = await storeThatAnswers(t, { PUT: [refused], GET: [status(200, { body: 'theirs' })] })
  assert.deepEqual(await objects.put('a', ours, create), { ok: false, reason: 'exists' })
  assert.deepEqual(await objects.put('a', ours, { ifMatch: '"old"' }), { ok: false, reason: 'stale' })
})

test('a create that was refused because of what is gone by now is tried again', async t => {
  const { objects } = await storeThatAnswers(t, { PUT: [refused, status(200)], GET: [nothing] })
  assert.deepEqual(await objects.put('a', ours, create), { ok: true, etag: '"tag"' })
})

test('a conditional put whose connection is cut is settled by what is there', async t => {
  const { objects } = await storeThatAnswers(t, {
    PUT: [cut],
    GET: [status(200, { body: 'ours' }), status(200, { body: 'theirs' }), nothing],
  })
  assert.deepEqual(await objects.put('a', ours, create), { ok: true, etag: '"tag"' })
  assert.deepEqual(await objects.put('a', ours, create), { ok: false, reason: 'exists' })
  await assert.rejects(objects.put('a', ours, create), UnavailableError)
})

test('a swap that fails while its tag is still the current one is unavailable, not stale', async t => {
  const { objects } = await storeThatAnswers(t, { PUT: [cut], GET: [status(200, { body: 'theirs' })] })
  await assert.rejects(objects.put('a', ours, { ifMatch: '"tag"' }), UnavailableError)
})

test('an answer that is no answer is unavailable, with its cause', async t => {
  const broken = status(503, { name: 'SlowDown' })
  const { objects } = await storeThatAnswers(t, { PUT: [broken], GET: [broken] })
  const expected = (error: unknown) =>
    error instanceof UnavailableError && error.code === 'NEWSWIRE_OBJECTS_UNAVAILABLE' && error.cause instanceof Error
  await assert.rejects(objects.put('a', ours), expected)
  await assert.rejects(objects.get('a'), expected)
})

test('a refusal for another reason than the condition is unavailable: permissions are ours to mend', async t => {
  const denied = status(403, { name: 'AccessDenied' })
  const { objects } = await storeThatAnswers(t, { PUT: [denied], GET: [denied] })
  await assert.rejects(objects.put('a', ours, create), UnavailableError)
  await assert.rejects(objects.list(''), UnavailableError)
})

test('once a request has gone by the SDK a get takes the short way, and the SDK’s when the short way meets trouble', async t => {
  const broken = status(503, { name: 'SlowDown' })
  const { objects, seen } = await storeThatAnswers(t, {
    PUT: [status(200)],
    GET: [status(200, { body: 'a' }), broken, broken, status(200, { body: 'b' })],
  })
  const read = async () => Buffer.from((await objects.get('a'))?.bytes ?? []).toString()
  assert.deepEqual([await read(), await read()], ['a', 'b'])
  assert.deepEqual(seen, ['GET', 'GET', 'GET', 'GET'])
})

for (const [sum, wrong, right] of [
  ['x-amz-checksum-crc32', 'AAAAAA==', 'xFkpTw=='],
  ['x-amz-checksum-sha256', Buffer.alloc(32).toString('base64'), 'XVdmzy14cBYUIAQY7hRQaQ2a8SyE1SVF5IAvABrVMJk='],
] as const)
  test(`bytes that do not fit their ${sum} are asked for again, never handed on`, async t => {
    const summed =
      (value: string, body: string): Answer =>
      (_, response) => {
        response.writeHead(200, { etag: '"tag"', [sum]: value })
        response.end(body)
      }
    const { objects, seen } = await storeThatAnswers(t, {
      PUT: [status(200)],
      GET: [status(200, { body: 'a' }), summed(wrong, 'changed on the way'), summed(right, 'whole')],
    })
    await objects.get('a')
    const read = async () => Buffer.from((await objects.get('a'))?.bytes ?? []).toString()
    assert.deepEqual([await read(), await read()], ['whole', 'whole'])
    assert.equal(seen.length, 4)
  })

test('an answer that is cut off in its middle is asked for again', async t => {
  const half: Answer = (request, response) => {
    response.writeHead(200, { etag: '"tag"', 'content-length': '10' })
    response.write('half', () => request.socket.destroy())
  }
  const { objects } = await storeThatAnswers(t, {
    PUT: [status(200)],
    GET: [status(200, { body: 'a' }), half, status(200, { body: 'whole' })],
  })
  await objects.get('a')
  assert.equal(Buffer.from((await objects.get('a'))?.bytes ?? []).toString(), 'whole')
})

test('a get that is given up throws the reason, whichever way it goes', async t => {
  const never: Answer = () => undefined
  const { objects } = await storeThatAnswers(t, { PUT: [status(200)], GET: [status(200, { body: 'a' }), never] })
  await objects.get('a')
  await assert.rejects(objects.get('a', { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' })
})
