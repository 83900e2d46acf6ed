/** The WebSub hub from outside, with a subscriber written to the Recommendation: what websub.rocks asserts of hubs and publishers, and more. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { topics } from '@newswire/events/topics'
import { createWriter } from './support/articles.ts'
import { readTopic, withLog } from './support/stopped.ts'
import { createSystem, formats, PUBLIC_URL, type Running } from './support/system.ts'
import { staysTrue, waitFor } from './support/wait-for.ts'
import { type Asking, discoverByBody, discoverByHeader, type Subscriber, startSubscriber } from './support/websub-subscriber.ts'

const write = createWriter(41)
const topicOf = (format: string, feed = 'all') => `${PUBLIC_URL}/feeds/${feed}/${format}`

let hosts = 1
const subscriberFor = async (t: TestContext): Promise<Subscriber> => {
  hosts += 1
  const subscriber = await startSubscriber({ host: `127.0.1.${hosts}` })
  t.after(() => subscriber.close())
  return subscriber
}

const hubOf = (running: Running) => `${running.newswire.url('gateway')}/hub`
const join202 = async (running: Running, one: Subscriber, topic: string, more: Omit<Asking, 'hub' | 'topic'> = {}) => {
  const before = one.questions.length
  const { status, text } = await one.subscribe({ hub: hubOf(running), topic, ...more })
  assert.equal(status, 202, text)
  await waitFor('its verification', () => one.isSubscribed(topic) && one.questions.length > before)
  await settled(one)
}
/** The hub writes down what the callback answered a moment after it did. */
const settled = async (one: Subscriber) => {
  const count = one.questions.length
  await staysTrue('no more questions', () => one.questions.length === count, 200)
}
const feedBytes = async (running: Running, topic: string) => (await running.get(topic)).text
const isTold = (one: Subscriber, title: string) => one.distributions.some(({ body }) => body.toString().includes(title))
const assertClean = (...all: Subscriber[]) => {
  for (const one of all) assert.deepEqual([...new Set(one.distributions.map(({ offence }) => offence))].filter(Boolean), [])
}

test('a subscriber finds the hub, subscribes, is told of every change, renews, and leaves', async t => {
  const system = await createSystem(t, { retryScale: 0.02 })
  const running = await system.start()
  await running.publish('dau-tien', write())

  await t.test('hub and topic are found in the headers and in the body, and they are the same', async () => {
    for (const format of formats) {
      const { headers, text } = await running.get(`/feeds/all/${format}`)
      const expected = { hub: `${PUBLIC_URL}/hub`, self: topicOf(format) }
      assert.deepEqual(discoverByHeader(headers.get('link')), expected, format)
      assert.deepEqual(discoverByBody(headers.get('content-type') ?? '', text), expected, format)
    }
  })

  const plain = await subscriberFor(t)
  const signed = await subscriberFor(t)
  const json = await subscriberFor(t)
  await t.test('a subscription is answered with 202 and verified afterwards; unknown parameters are ignored', async () => {
    await join202(running, plain, topicOf('rss.xml'), { more: { foo: 'bar', 'hub.foo': 'bar', 'hub.verify': 'sync' } })
    await join202(running, signed, topicOf('atom.xml'), { secret: 'bí mật thứ nhất', leaseSeconds: 86_400 })
    await join202(running, json, topicOf('feed.json'), { secret: 'x'.repeat(199) })
    const [question] = signed.questions
    assert.equal(question?.query.get('hub.lease_seconds'), '86400')
    assert.equal(question?.query.get('hub.topic'), topicOf('atom.xml'))
    assert.match(question?.path ?? '', /^\/callback\/[0-9a-f]+\?reader=7&hub\.mode=mine&hub\.mode=subscribe&/)
    assert.equal(plain.questions.length, 1)
  })

  await t.test('what is distributed is the topic, byte for byte, with its type and its links, signed for who gave a secret', async () => {
    const article = write()
    await running.publish('thu-hai', article)
    for (const [one, format] of [
      [plain, 'rss.xml'],
      [signed, 'atom.xml'],
      [json, 'feed.json'],
    ] as const) {
      await waitFor(`${format} to be distributed`, () => isTold(one, article.title))
      const got = one.distributions.at(-1)
      const { headers, text } = await running.get(`/feeds/all/${format}`)
      assert.equal(got?.body.toString(), text)
      assert.equal(got?.contentType, headers.get('content-type'))
      assert.deepEqual(discoverByHeader(got?.headers['link'] ?? null), { hub: `${PUBLIC_URL}/hub`, self: topicOf(format) })
      assert.match(got?.path ?? '', /\?reader=7&hub\.mode=mine$/)
    }
    assertClean(plain, signed, json)
    const { headers } = signed.distributions.at(-1) ?? {}
    assert.ok(headers?.['webhook-id'] && headers['webhook-timestamp'] && headers['webhook-signature'])
  })

  await t.test('a retraction is told like any other change', async () => {
    const article = write()
    await running.publish('rut-lai', article)
    await waitFor('the article', () => isTold(plain, article.title))
    await running.publisher.retract('rut-lai', { mode: 'withdraw', reason: 'sai tên' })
    await waitFor('the retraction', () => !(plain.distributions.at(-1)?.body.toString() ?? article.title).includes(article.title))
  })

  await t.test('who subscribes again is told once, with the new secret', async () => {
    await join202(running, signed, topicOf('atom.xml'), { secret: 'bí mật thứ hai' })
    const before = signed.distributions.length
    const article = write()
    await running.publish('mot-lan', article)
    await waitFor('the distribution', () => isTold(signed, article.title))
    const bytes = await feedBytes(running, topicOf('atom.xml'))
    assert.equal(signed.distributions.slice(before).filter(({ body }) => body.toString() === bytes).length, 1)
    assertClean(signed)
  })

  await t.test('a failed renewal leaves the subscription and its secret in force', async () => {
    signed.setAgreeing(false)
    assert.equal((await signed.subscribe({ hub: hubOf(running), topic: topicOf('atom.xml'), secret: 'bí mật thứ hai' })).status, 202)
    await waitFor('the question', () => signed.questions.at(-1)?.agreed === false)
    signed.setAgreeing(true)
    const article = write()
    await running.publish('van-con', article)
    await waitFor('the distribution', () => isTold(signed, article.title))
    assertClean(signed)
  })

  await t.test('somebody else cannot end it: an unsubscription is verified', async () => {
    plain.setAgreeing(false)
    await plain.unsubscribe({ hub: hubOf(running), topic: topicOf('rss.xml') })
    await waitFor('the question', () => plain.questions.at(-1)?.query.getAll('hub.mode').at(-1) === 'unsubscribe')
    plain.setAgreeing(true)
    const article = write()
    await running.publish('khong-roi', article)
    await waitFor('the distribution', () => isTold(plain, article.title))
  })

  await t.test('who has left is told nothing any more', async () => {
    assert.equal((await plain.unsubscribe({ hub: hubOf(running), topic: topicOf('rss.xml') })).status, 202)
    await waitFor('the question', () => !plain.isSubscribed(topicOf('rss.xml')))
    await settled(plain)
    const before = plain.distributions.length
    const article = write()
    await running.publish('da-roi', article)
    await waitFor('the others', () => isTold(signed, article.title) && isTold(json, article.title))
    assert.equal(plain.distributions.length, before)
  })

  await t.test('who answers 410 has left', async () => {
    json.setMode({ status: 410 })
    const [gone, after] = [write(), write()]
    await running.publish('mot-muoi', gone)
    await waitFor('the 410', () => json.distributions.at(-1)?.answered === 410)
    await waitFor('the end of it', async () => (await subscribersOf(running, 'all'))['live'] === 1)
    const before = json.distributions.length
    json.setMode('ok')
    await running.publish('sau-do', after)
    await waitFor('the other', () => isTold(signed, after.title))
    assert.equal(json.distributions.length, before)
  })

  await t.test('secrets are in no object in clear, and the key that seals them is its owner’s alone', async () => {
    const key = join(system.dataDir, 'secret-key')
    assert.equal((await stat(key)).mode & 0o777, 0o600)
    await running.newswire.stop()
    for (const file of ['objects/objects.db', 'objects/objects.db-wal', 'log.db', 'log.db-wal']) {
      const bytes = await readFile(join(system.dataDir, file)).catch(() => Buffer.alloc(0))
      for (const secret of ['bí mật thứ', 'x'.repeat(199)]) assert.equal(bytes.includes(secret), false, `${file} holds a secret`)
    }
    assert.equal(running.newswire.output().includes('bí mật thứ'), false)
    assert.equal(running.newswire.output().includes(signed.callback), false, 'nor is a callback in the log')
  })
})

type ConfiguredFeed = { id: string; [more: string]: unknown }
/** What an operator would do with `apply --prune`. */
const reconfigure = async (running: Running, change: (feeds: ConfiguredFeed[]) => ConfiguredFeed[]) => {
  const config = (await running.console('/v1/config')).body as { feeds: ConfiguredFeed[] }
  const put = await fetch(new URL('/v1/config?prune=true', running.newswire.url('console')), {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...config, feeds: change(config.feeds) }),
  })
  assert.equal(put.status, 200, await put.text())
}

const subscribersOf = async (running: Running, feed: string) => (await running.console(`/v1/feeds/${feed}/subscribers`)).body

test('a subscriber in Python, of its standard library alone, is served too', {
  skip: spawnSync('python3', ['--version']).status !== 0 && 'there is no python3 here',
}, async t => {
  const system = await createSystem(t, { retryScale: 0.02 })
  const running = await system.start()
  await running.publish('dau-tien', write())
  const gateway = running.newswire.url('gateway')
  const script = join(import.meta.dirname, 'support', 'websub_subscriber.py')
  const child = spawn('python3', [script, `${gateway}/feeds/all/atom.xml`, 'bí mật', PUBLIC_URL, gateway], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const said: Record<string, unknown>[] = []
  createInterface({ input: child.stdout }).on('line', line => void said.push(JSON.parse(line)))
  const hears = (event: string) => waitFor(`its ${event}`, () => said.find(one => one['event'] === event))
  assert.equal((await hears('subscribed'))['status'], 202)
  assert.deepEqual(await hears('question'), { event: 'question', agreed: true, lease: '864000' })
  await waitFor('it to be in force', async () => (await subscribersOf(running, 'all'))['live'] === 1)
  await running.publish('thu-hai', write())
  const { headers, text } = await running.get('/feeds/all/atom.xml')
  assert.deepEqual(await hears('distribution'), {
    event: 'distribution',
    valid: true,
    type: headers.get('content-type'),
    sha256: createHash('sha256').update(text).digest('hex'),
  })
})

test('slow and failing subscribers delay nobody, and get the newest feed once they are well', async t => {
  const system = await createSystem(t, { retryScale: 0.02 })
  const running = await system.start()
  const [well, hanging, failing, asked] = await Promise.all([1, 2, 3, 4].map(() => subscriberFor(t)))
  assert.ok(well && hanging && failing && asked)
  for (const one of [well, hanging, failing, asked]) await join202(running, one, topicOf('rss.xml'), { secret: 'bí mật' })
  hanging.setMode('hang')
  failing.setMode({ status: 500 })
  asked.setMode({ status: 503, retryAfter: 1 })
  const articles = Array.from({ length: 5 }, () => write())
  for (const [n, article] of articles.entries()) {
    await running.publish(`bai-${n}`, article)
    await waitFor('the one that is well', () => isTold(well, article.title), { deadlineMs: 10_000 })
  }
  const view = await waitFor('the console to say who is behind', async () => {
    const found = await subscribersOf(running, 'all')
    return found['pending'] === 3 && found
  })
  assert.equal(view['live'], 4)
  assert.ok(JSON.stringify(view).includes('it answered 500'))
  assert.equal(JSON.stringify(view).includes('/callback/'), false, 'a callback is a capability')
  const waits = asked.distributions.map(({ at }) => at)
  for (const one of [hanging, failing, asked]) one.setMode('ok')
  for (const one of [hanging, failing, asked])
    await waitFor('the newest feed', () => isTold(one, articles[4]?.title ?? ''), { deadlineMs: 60_000 })
  const bytes = await feedBytes(running, topicOf('rss.xml'))
  for (const one of [hanging, failing, asked]) assert.equal(one.distributions.at(-1)?.body.toString(), bytes)
  assert.ok(waits.length >= 1)
  await waitFor('nobody to be behind', async () => (await subscribersOf(running, 'all'))['pending'] === 0)
  assertClean(well, hanging, failing, asked)
})

test('a kill between the 202 and the verification loses no subscription, and what is pending survives a kill', async t => {
  const system = await createSystem(t, { retryScale: 0.02 })
  const first = await system.start()
  const [one, behind] = [await subscriberFor(t), await subscriberFor(t)]
  await join202(first, behind, topicOf('rss.xml'))
  behind.setMode('hang')
  const missed = write()
  await first.publish('lo', missed)
  await waitFor('it to be written down', async () => (await subscribersOf(first, 'all'))['pending'] === 1)
  one.setAgreeing('silent')
  assert.equal((await one.subscribe({ hub: hubOf(first), topic: topicOf('rss.xml'), secret: 'bí mật' })).status, 202)
  await first.newswire.kill()
  one.setAgreeing(true)
  behind.setMode('ok')
  const second = await system.start()
  await waitFor('its verification by the next process', () => one.isSubscribed(topicOf('rss.xml')))
  await waitFor('what the other had missed', () =>
    behind.distributions.some(({ answered, body }) => answered === 204 && body.includes(missed.title)),
  )
  await settled(one)
  const article = write()
  await second.publish('moi', article)
  await waitFor('both to be told', () => isTold(one, article.title) && isTold(behind, article.title))
  assertClean(one, behind)
})

test('nothing is distributed after the end of a lease, and subscribers of a feed that is taken away are told so', async t => {
  // A thousandth: the shortest lease, an hour, ends after 3.6 s.
  const system = await createSystem(t, { retryScale: 0.001 })
  const running = await system.start()
  const [short, long] = [await subscriberFor(t), await subscriberFor(t)]
  await join202(running, long, topicOf('rss.xml', 'english'), { leaseSeconds: 2_592_000 })
  await join202(running, short, topicOf('rss.xml', 'english'), { leaseSeconds: 1 })
  assert.equal(short.questions[0]?.query.get('hub.lease_seconds'), '3600', 'it is told the lease it gets')
  const before = write({ language: 'en' })
  await running.publish('truoc', before)
  await waitFor('both to be told', () => isTold(short, before.title) && isTold(long, before.title))
  await waitFor('the end of the lease', async () => (await subscribersOf(running, 'english'))['live'] === 1)
  const after = write({ language: 'en' })
  await running.publish('sau', after)
  await waitFor('the other to be told', () => isTold(long, after.title))
  assert.equal(isTold(short, after.title), false)

  await reconfigure(running, feeds => feeds.filter(one => one.id !== 'english'))
  await waitFor('the denial', () => long.denials.length === 1)
  assert.equal(short.denials.length, 0)
})

test('a private feed tells whoever was given its topic, and ends with the token; neither token nor address lets others read or subscribe', async t => {
  const system = await createSystem(t, { retryScale: 0.02 })
  const running = await system.start()
  const tokens = { a: 'nw_test_reader_a_19c4', b: 'nw_test_reader_b_77e0' }
  const hashed = (id: keyof typeof tokens) => ({ id, sha256: createHash('sha256').update(tokens[id]).digest('hex') })
  const giveTokens = (...ids: (keyof typeof tokens)[]) =>
    reconfigure(running, feeds => [
      ...feeds.filter(one => one.id !== 'rieng'),
      { id: 'rieng', title: 'Riêng', match: {}, access: { tokens: ids.map(hashed) } },
    ])
  await giveTokens('a', 'b')
  await running.publish('dau-tien', write())
  const path = (file: string) => `/feeds/rieng/${file}`
  const read = (file: string, token: string) => running.get(`/feeds/rieng/~${token}/${file}`)
  await waitFor('the feed', async () => (await read('rss.xml', tokens.a)).status === 200)

  const topics: Record<string, string> = {}
  await t.test('hub and topic are told to who may read it, and to nobody else', async () => {
    for (const id of ['a', 'b'] as const)
      for (const file of formats) {
        const { hub, self } = discoverByHeader((await read(file, tokens[id])).headers.get('link'))
        assert.equal(hub, `${PUBLIC_URL}/hub`)
        assert.match(self ?? '', /^https:\/\/baothu\.example\/feeds\/rieng\/[a-z.]+\?hub=[\w-]{43}$/)
        assert.equal(self?.startsWith(`${PUBLIC_URL}${path(file)}?hub=`), true)
        topics[`${id} ${file}`] = self ?? ''
      }
    assert.notEqual(topics['a atom.xml'], topics['b atom.xml'])
    const { status, headers } = await running.get(path('atom.xml'))
    assert.equal(status, 401)
    assert.equal(headers.get('link'), null)
    assert.equal((await running.get(topics['a atom.xml'] ?? '')).status, 401, 'what may subscribe may not read')
  })

  const [one, other, stranger] = [await subscriberFor(t), await subscriberFor(t), await subscriberFor(t)]
  await t.test('its subscribers are told every change; who made a topic up is not', async () => {
    await join202(running, one, topics['a atom.xml'] ?? '', { secret: 'bí mật' })
    await join202(running, other, topics['b feed.json'] ?? '')
    const made = [
      `${PUBLIC_URL}${path('atom.xml')}`,
      `${PUBLIC_URL}${path('atom.xml')}?hub=${'A'.repeat(43)}`,
      `${topicOf('atom.xml')}?hub=${'A'.repeat(43)}`,
    ]
    for (const topic of made) assert.equal((await stranger.subscribe({ hub: hubOf(running), topic })).status, 404, topic)
    const article = write()
    await running.publish('thu-hai', article)
    await waitFor('both to be told', () => isTold(one, article.title) && isTold(other, article.title))
    assert.equal(one.distributions.at(-1)?.body.toString(), (await read('atom.xml', tokens.a)).text)
    assertClean(one, other)
    assert.equal((await subscribersOf(running, 'rieng'))['live'], 2)
  })

  await t.test('a token that is taken away ends its subscriptions, with a denial, and no other', async () => {
    await giveTokens('b')
    await waitFor('the denial', () => one.denials.length === 1)
    assert.equal(one.questions.at(-1)?.query.get('hub.topic'), topics['a atom.xml'])
    const article = write()
    await running.publish('sau-do', article)
    await waitFor('the other to be told', () => isTold(other, article.title))
    assert.equal(isTold(one, article.title), false)
    assert.equal((await one.subscribe({ hub: hubOf(running), topic: topics['a atom.xml'] ?? '' })).status, 404)
    assert.equal(other.denials.length, 0)
  })

  await t.test('no token is in any object, record or line of the log', async () => {
    await running.newswire.stop()
    for (const file of ['objects/objects.db', 'objects/objects.db-wal', 'log.db', 'log.db-wal']) {
      const bytes = await readFile(join(system.dataDir, file)).catch(() => Buffer.alloc(0))
      for (const token of Object.values(tokens)) assert.equal(bytes.includes(token), false, `${file} holds a token`)
    }
    const output = running.newswire.output()
    for (const secret of [...Object.values(tokens), '?hub=']) assert.equal(output.includes(secret), false, 'the log holds one')
    const log = await readFile(join(system.dataDir, 'log.db'))
    assert.equal(log.includes('?hub='), false, 'an event holds what may subscribe')
  })
})

test('a build that there never was is told to nobody, and the next real one is', async t => {
  const system = await createSystem(t, { retryScale: 0.02 })
  const first = await system.start()
  await first.publish('mot', write())
  const one = await subscriberFor(t)
  await join202(first, one, topicOf('rss.xml'))
  await first.newswire.stop()
  await withLog(system, async log => {
    const built = (await readTopic(log, topics.feeds.name)).find(record => record.key === 'all')
    assert.ok(built?.value)
    const data = { ...(JSON.parse(Buffer.from(built.value).toString()) as object), counter: Number.MAX_SAFE_INTEGER }
    const headers = { ...built.headers, ce_id: randomUUID() }
    await log.publish([{ topic: topics.feeds.name, key: 'all', value: Buffer.from(JSON.stringify(data)), headers }])
  })
  const running = await system.start()
  const article = write()
  await running.publish('hai', article)
  await waitFor('the news', () => isTold(one, article.title))
  const letters = (await running.console('/v1/dead-letters')).body as unknown as { service: string; code: string }[]
  assert.deepEqual(
    letters.map(({ service, code }) => `${service} ${code}`),
    ['outlets-hub NEWSWIRE_OUTLETS_FEED'],
  )
  assertClean(one)
})
