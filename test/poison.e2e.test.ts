/** A record that nobody can handle is set aside with its bytes and the reason, and what comes behind it goes on. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { topics } from '@newswire/events/topics'
import type { Log, NewRecord } from '@newswire/log/log'
import { createWriter } from './support/articles.ts'
import { runCommand } from './support/newswire.ts'
import { measureRelease } from './support/on-time.ts'
import { readTopic, withLog, withObjects } from './support/stopped.ts'
import { articleIdOf, createSystem, formats, type Running } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const BEHIND = 'sau-doc'

/** The key that the good record behind has in each topic: one lane, so the good one waits for the bad one. */
const LANES: readonly (readonly [topic: string, key: string, type: string])[] = [
  [topics.submissions.name, articleIdOf(BEHIND), 'submission.accepted'],
  [topics.submissionsBackfill.name, articleIdOf(BEHIND), 'submission.accepted'],
  [topics.prepared.name, articleIdOf(BEHIND), 'submission.prepared'],
  [topics.articles.name, articleIdOf(BEHIND), 'article.published'],
  [topics.feedChanges.name, 'all', 'feed.changed'],
  [topics.feeds.name, 'all', 'feed.built'],
  [topics.deliveries.name, 'tinh-doan', 'delivery.wanted'],
  [topics.milestones.name, articleIdOf(BEHIND), 'milestone.reached'],
  [topics.configChanges.name, 'feeds/all', 'config.changed'],
  [topics.deadLetters.name, 'whatever', 'dead-letter.recorded'],
]

const envelope = (type: string, subject: string): Record<string, string> => ({
  ce_specversion: '1.0',
  ce_id: randomUUID(),
  ce_type: type,
  ce_source: '/nobody',
  ce_subject: subject,
  ce_time: '2026-01-01T00:00:00.000Z',
  'content-type': 'application/json',
})

const POISONS: readonly (readonly [string, (topic: string, key: string, type: string) => NewRecord])[] = [
  ['no event at all', (topic, key) => ({ topic, key, value: Buffer.from([0, 1, 2, 0xff, 0xfe]) })],
  ['an event without data', (topic, key, type) => ({ topic, key, value: null, headers: envelope(type, key) })],
  [
    'data that is not UTF-8',
    (topic, key, type) => ({ topic, key, value: Buffer.from([0x7b, 0x22, 0xc3, 0x28]), headers: envelope(type, key) }),
  ],
  ['data of another shape', (topic, key, type) => ({ topic, key, value: Buffer.from('{"wrong":true}'), headers: envelope(type, key) })],
]

/** What a publisher sent, again as another article: a good record, written where no front door is. */
const cloneSubmission = async (log: Log, from: string, to: string): Promise<NewRecord> => {
  const model = (await readTopic(log, topics.submissions.name)).find(record => record.key === articleIdOf(from))
  assert.ok(model?.value)
  const id = randomUUID()
  const rename = (text: string) => text.replaceAll(articleIdOf(from), articleIdOf(to)).replaceAll(model.headers['ce_id'] ?? '', id)
  const headers = Object.fromEntries(Object.entries(model.headers).map(([name, value]) => [name, rename(value)]))
  return { topic: model.topic, key: articleIdOf(to), value: Buffer.from(rename(Buffer.from(model.value).toString())), headers }
}

type Letter = {
  id: string
  at: string
  service: string
  topic: string
  code: string
  message: string
  key: string | null
  bytes: number
  state: string
}
const lettersOf = async (running: Running): Promise<Letter[]> =>
  (await running.console('/v1/dead-letters?limit=500')).body as unknown as Letter[]

test('a poison record in every topic is set aside with its bytes and reason, and the next one goes on at once', async t => {
  const system = await createSystem(t)
  const first = await system.start()
  const article = createWriter(41)({ categories: ['thoi-su'] })
  await first.publish('mau', article)
  assert.deepEqual(await lettersOf(first), [])
  assert.deepEqual(await first.newswire.stop(), { code: 0, signal: null })

  await withLog(system, async log => {
    const poisons = LANES.flatMap(lane => POISONS.map(([, make]) => make(...lane)))
    await log.publish([await cloneSubmission(log, 'mau', 'truoc-doc'), ...poisons, await cloneSubmission(log, 'mau', BEHIND)])
  })

  const running = await system.start()
  for (const localId of ['truoc-doc', BEHIND]) {
    await running.everywhere(localId, 1)
    for (const format of formats) assert.equal((await running.item('all', format, localId))?.title, article.title)
    assert.equal(system.partner.held(articleIdOf(localId))?.article['title'], article.title)
  }
  const letters = await waitFor('a dead letter for each', async () => {
    const found = await lettersOf(running)
    return LANES.every(([topic]) => found.filter(one => one.topic === topic).length >= POISONS.length) && found
  })

  await t.test('every letter has the bytes as they were, who gave up and why', async () => {
    for (const [topic, key, type] of LANES)
      for (const [what, make] of POISONS) {
        const { value, headers } = make(topic, key, type)
        const wanted = value === null ? null : Buffer.from(value).toString('base64')
        const details = await Promise.all(
          letters.filter(one => one.topic === topic).map(async one => (await running.console(`/v1/dead-letters/${one.id}`)).body),
        )
        const found = details.find(one => one['value'] === wanted && 'ce_type' in (one['headers'] as object) === (headers !== undefined))
        assert.ok(found, `${topic}: ${what}`)
        assert.equal(found['key'], key)
        assert.match(String(found['code']), /^NEWSWIRE_/)
        assert.ok(String(found['message']).length > 10 && String(found['service']).length > 0)
      }
  })

  await t.test('the next record of the lane is done within two seconds of the bad one and what any article takes', async () => {
    const { body } = await running.console(`/v1/articles/${articleIdOf(BEHIND)}/trace`)
    const [version] = body['versions'] as { sinks: { kind: string; id: string; doneAt: string }[] }[]
    const given = Math.max(...letters.map(one => Date.parse(one.at)))
    const allowedMs = 2_000 + (await measureRelease(running))
    for (const sink of version?.sinks ?? [])
      assert.ok(Date.parse(sink.doneAt) - given < allowedMs, `${sink.kind} ${sink.id}: ${sink.doneAt}`)
  })

  await t.test('a redrive gives it to the group that failed once more, and it comes back as a letter of its own', async () => {
    const old = letters.find(one => one.topic === topics.articles.name && one.service === 'archive' && one.bytes > 0)
    assert.ok(old)
    const { code, output } = await runCommand({ args: ['dead-letters', 'redrive', old.id, '--data', system.dataDir], env: system.env })
    assert.equal(code, 0, output)
    const after = await waitFor('one more letter', async () => {
      const found = await lettersOf(running)
      return found.length > letters.length && found
    })
    const fresh = after.filter(one => !letters.some(before => before.id === one.id))
    assert.deepEqual(
      fresh.map(one => [one.service, one.topic, one.state, one.code]),
      [['archive', old.topic, 'open', old.code]],
    )
    assert.equal(after.find(one => one.id === old.id)?.state, 'redriven')
    const discarded = await running.console(`/v1/dead-letters/${old.id}/discard`, 'POST')
    assert.equal(discarded.status, 200)
    assert.equal((await running.console(`/v1/dead-letters/${old.id}/redrive`, 'POST')).status, 409)
    assert.equal((await running.console(`/v1/dead-letters/${randomUUID()}/redrive`, 'POST')).status, 404)
  })
  assert.deepEqual(system.partner.findOffences(), [])
  assert.deepEqual(await running.newswire.stop(), { code: 0, signal: null })
})

/** Well-formed, and about what cannot be: ids that are paths, other people's articles, feeds and outlets that nobody knows. */
const impossible = async (log: Log): Promise<NewRecord[]> => {
  const found = async (topic: string, type: string) => {
    const record = (await readTopic(log, topic)).find(one => one.headers['ce_type'] === type)
    assert.ok(record?.value, `${topic} has a ${type}`)
    return { record, data: JSON.parse(Buffer.from(record.value).toString()) as Record<string, unknown> }
  }
  const forge = async (topic: string, type: string, changes: Record<string, unknown>): Promise<NewRecord> => {
    const { record, data } = await found(topic, type)
    const value = Buffer.from(JSON.stringify({ ...data, ...changes }))
    return { topic, key: articleIdOf(BEHIND), value, headers: { ...record.headers, ce_id: randomUUID() } }
  }
  const ids = ['../../etc', `${articleIdOf('mau')}/../x`, '__proto__', 'nobody', '']
  const about = (topic: string, type: string, changes: (id: string) => Record<string, unknown>) =>
    ids.map(id => forge(topic, type, changes(id)))
  const feedChanges = topics.feedChanges.name
  return await Promise.all([
    ...about(topics.submissions.name, 'submission.accepted', articleId => ({ articleId, submissionId: randomUUID() })),
    ...about(topics.prepared.name, 'submission.prepared', articleId => ({ articleId, submissionId: randomUUID(), position: 1 })),
    forge(topics.submissions.name, 'submission.accepted', { articleId: 'nobody.mau', submissionId: randomUUID() }),
    forge(topics.prepared.name, 'submission.prepared', { articleId: 'nobody.mau', submissionId: randomUUID() }),
    ...about(topics.articles.name, 'article.published', articleId => ({ articleId, version: 1 })),
    forge(topics.articles.name, 'article.published', { firstReleasedAt: 'yesterday' }),
    ...about(feedChanges, 'feed.changed', articleId => ({ articleId, version: 1 })),
    ...about(feedChanges, 'feed.changed', feedId => ({ feedId })),
    ...about(topics.feeds.name, 'feed.built', feedId => ({ feedId, counter: Number.MAX_SAFE_INTEGER })),
    ...about(topics.deliveries.name, 'delivery.wanted', outletId => ({ outletId })),
    ...about(topics.deliveries.name, 'delivery.wanted', articleId => ({ articleId, version: 1 })),
    ...about(topics.milestones.name, 'milestone.reached', articleId => ({ articleId })),
    ...about(topics.configChanges.name, 'config.changed', id => ({ id })),
  ])
}

test('well-formed records about what cannot be harm nothing, and what comes behind them goes on', async t => {
  const system = await createSystem(t, { retryScale: 0.01 })
  const first = await system.start()
  const article = createWriter(43)({ categories: ['thoi-su'] })
  await first.publish('mau', article)
  await first.newswire.stop()
  await withLog(system, async log => {
    await log.publish([...(await impossible(log)), await cloneSubmission(log, 'mau', BEHIND)])
  })
  const running = await system.start()
  await running.everywhere(BEHIND, 1)
  assert.equal(await running.publish('mau', { ...article, title: 'Bản hai' }), 2)
  for (const format of formats) {
    const { items } = await running.feed('all', format).read()
    assert.deepEqual(items.map(one => one.title).sort(), [article.title, 'Bản hai'].sort(), 'two articles and nothing else')
  }
  assert.equal((await running.get('/')).status, 200)
  assert.deepEqual(system.partner.heldIds(), [BEHIND, 'mau'].map(articleIdOf).sort())
  assert.deepEqual(system.partner.findOffences(), [])
  const { body } = await running.console('/v1/config')
  assert.equal((body['feeds'] as unknown[]).length, 4)
  assert.deepEqual(await running.newswire.stop(), { code: 0, signal: null })
  const again = await system.start()
  await waitFor('the gateway to answer', async () => (await again.get(`/articles/${articleIdOf('mau')}`)).text.includes('Bản hai'))
})

test('what failed for a reason that has gone succeeds when it is redriven', async t => {
  const system = await createSystem(t, { retryScale: 0.01 })
  const write = createWriter(42)
  const first = await system.start()
  await first.publish('chuoi', write())
  await first.newswire.stop()
  const lost = await withObjects(system, async objects => {
    const [archived] = await objects.list('archive/')
    assert.ok(archived)
    const object = await objects.get(archived.key)
    await objects.delete(archived.key)
    return { key: archived.key, bytes: object?.bytes ?? Buffer.alloc(0) }
  })

  const second = await system.start()
  await second.settled(await second.put('chuoi', write()))
  const letter = await waitFor('the archive to give up', async () => (await lettersOf(second)).find(one => one.service === 'archive'))
  assert.match(letter.message, /version 1 .* is not archived/)
  assert.equal((await second.console(`/v1/articles/${articleIdOf('chuoi')}/versions/2`)).status, 404)
  await second.newswire.stop()
  await withObjects(system, objects => objects.put(lost.key, lost.bytes))

  const third = await system.start()
  const list = async (...args: string[]) =>
    await runCommand({ args: ['dead-letters', ...args, '--data', system.dataDir, '--json'], env: system.env })
  assert.ok((await list('list')).stdout.includes(letter.id))
  assert.ok((await list('show', letter.id)).stdout.includes(articleIdOf('chuoi')))
  assert.equal((await list('redrive', letter.id)).code, 0)
  await waitFor(
    'version 2 to be archived',
    async () => (await third.console(`/v1/articles/${articleIdOf('chuoi')}/versions/2`)).status === 200,
  )
  await third.everywhere('chuoi', 2)
  assert.deepEqual(
    (await lettersOf(third)).map(one => one.state),
    ['redriven'],
  )
  assert.deepEqual(system.partner.taken(articleIdOf('chuoi')), [1, 2], 'only the group that failed got it again')
})
