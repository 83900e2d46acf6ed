import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromRecord, toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'
import type { Prepared } from '@newswire/events/submission'
import type { LogRecord } from '@newswire/log/log'
import { getReleased } from '@newswire/objects/released'
import { common, give, open, openFolder, openSystem, toEvent, toPublish, toRetract, until } from './desk.system.ts'

const soon = (ms: number): string => new Date(Date.now() + ms).toISOString()

describe('the desk on the embedded log and the disk', () => {
  it('a submission becomes a fact, a state that others may read, and an outcome', async t => {
    const system = await open(t)
    await give(system, toPublish('s1', 'baoqk.Mot'))
    const fact = await system.fact('baoqk.Mot', 1)
    await system.outcome('s1', 'released')
    assert.deepEqual([fact.state, fact.action, fact.submissionId], ['live', 'published', 's1'])
    assert.deepEqual((await getReleased(system.objects, 'baoqk.Mot'))?.fact, fact)
    const event = fromRecord(system.records[0] as LogRecord)
    assert.deepEqual([event?.id, event?.source, event?.correlationid], [deriveId('fact', 'baoqk.Mot', 1), '/services/desk', 's1'])
    assert.match(event?.traceparent ?? '', /^00-0af7/)
    const released = await until('the milestone', () => system.milestones.find(one => one.kind === 'released'))
    assert.ok(released.kind === 'released')
    assert.deepEqual([released.title, released.version, typeof released.receivedAt], ['s1', 1, 'string'])
    assert.match(await system.metrics.text(), /newswire_articles_released_total\{action="published"\} 1/)
    assert.match(await system.metrics.text(), /newswire_submissions_total\{state="released"\} 1/)
  })

  it('the title of what is not public is in no milestone', async t => {
    const system = await open(t)
    await give(system, toPublish('s1', 'baoqk.kin', { audience: 'editorial' }))
    await system.fact('baoqk.kin', 1)
    await system.outcome('s1', 'released')
    assert.equal(JSON.stringify(system.milestones).includes('"title"'), false)
  })

  it('the same record again is one fact and one outcome', async t => {
    const system = await open(t)
    const prepared = toPublish('s1', 'baoqk.mot')
    await give(system, prepared, prepared, prepared)
    await give(system, toPublish('s2', 'baoqk.mot'))
    await system.fact('baoqk.mot', 2)
    assert.deepEqual(
      system.facts().map(one => one.version),
      [1, 2],
    )
    assert.deepEqual(
      new Set(system.milestones.filter(one => one.kind === 'submission' && one.submissionId === 's1').map(one => JSON.stringify(one))).size,
      1,
    )
  })

  it('an embargo is ended by its timer, never early and within a second', async t => {
    const system = await open(t)
    const embargoUntil = soon(700)
    await give(system, toPublish('s1', 'baoqk.hen', { embargoUntil }))
    await system.outcome('s1', 'held')
    assert.equal(await getReleased(system.objects, 'baoqk.hen'), null)
    const fact = await system.fact('baoqk.hen', 1)
    const lateMs = Date.now() - Date.parse(embargoUntil)
    assert.ok(lateMs >= 0 && lateMs < 1_000, `released ${lateMs} ms after its time`)
    assert.ok(fact.releasedAt >= embargoUntil)
    const outcome = await system.outcome('s1', 'released')
    assert.ok(outcome.kind === 'submission' && outcome.version === 1)
  })

  it('an expiry ends the article, and a later submission revives it', async t => {
    const system = await open(t)
    await give(system, toPublish('s1', 'baoqk.het', { expiresAt: soon(500), expiryMode: 'withdraw' }))
    assert.equal((await system.fact('baoqk.het', 1)).state, 'live')
    const ended = await system.fact('baoqk.het', 2)
    assert.ok(ended.state === 'expired' && ended.retraction.mode === 'withdraw')
    await give(system, toPublish('s2', 'baoqk.het'))
    assert.equal((await system.fact('baoqk.het', 3)).state, 'live')
  })

  it('what is retracted while held never shows, also not at its time', async t => {
    const system = await open(t)
    const embargoUntil = soon(400)
    await give(system, toPublish('s1', 'baoqk.thoi', { embargoUntil }), toRetract('r1', 'baoqk.thoi'))
    await system.outcome('s1', 'refused')
    await system.outcome('r1', 'released')
    await until('the time', () => Date.now() > Date.parse(embargoUntil) + 50)
    await give(system, toPublish('other', 'baoqk.khac'))
    await system.fact('baoqk.khac', 1)
    await system.log.publish([
      toRecord({
        id: deriveId('a hold'),
        type: 'hold.due',
        source: '/services/desk',
        subject: 'baoqk.thoi',
        time: embargoUntil,
        data: { articleId: 'baoqk.thoi', dueAt: embargoUntil },
      }),
    ])
    await until('it to be handled', async () => (await system.log.lag('desk')).every(one => one.records === 0))
    assert.deepEqual(
      system.facts().filter(one => one.articleId === 'baoqk.thoi'),
      [],
    )
  })

  it('a republish brings back what was submitted since the retraction', async t => {
    const system = await open(t)
    await give(system, toPublish('s1', 'baoqk.ve'), toRetract('r1', 'baoqk.ve'), toPublish('s2', 'baoqk.ve'))
    await system.outcome('s2', 'held')
    assert.equal((await getReleased(system.objects, 'baoqk.ve'))?.fact.state, 'retracted')
    await give(system, { command: 'republish', ...common('p1', 'baoqk.ve') })
    const fact = await system.fact('baoqk.ve', 3)
    assert.ok(fact.state === 'live' && fact.article.title === 's2')
    await system.outcome('s2', 'released')
    await system.outcome('p1', 'released')
  })

  it('a hold survives a restart', async t => {
    const dir = openFolder(t)
    const first = await openSystem(dir)
    // Far enough that a machine under load still takes it in before its time.
    const embargoUntil = new Date(Math.ceil(Date.now() / 1000) * 1000 + 4_000).toISOString()
    await give(first, toPublish('s1', 'baoqk.Hen', { embargoUntil }))
    await first.outcome('s1', 'held')
    await first.close()
    const second = await openSystem(dir)
    t.after(second.close)
    const released = await getReleased(second.objects, 'baoqk.Hen')
    if (Date.now() < Date.parse(embargoUntil)) assert.equal(released, null)
    const fact = await second.fact('baoqk.Hen', 1)
    assert.ok(fact.releasedAt >= embargoUntil)
  })

  it('a late picture is one more version of what is live', async t => {
    const system = await open(t)
    const url = 'https://example.org/a.jpg'
    await give(system, toPublish('s1', 'baoqk.anh', { images: [{ url, caption: 'chú thích' }] }))
    const before = await system.fact('baoqk.anh', 1)
    assert.ok(before.state === 'live' && before.article.images[0]?.state === 'waiting')
    const ready = { ...before.article.images[0], caption: 'khác', state: 'ready' as const, sha256: 'b'.repeat(64) }
    await system.log.publish([
      toRecord({
        id: deriveId('late'),
        type: 'pictures.arrived',
        source: '/services/images',
        subject: 'baoqk.anh',
        time: soon(0),
        data: { articleId: 'baoqk.anh', submissionId: 's1', pictures: [ready] },
      }),
    ])
    const fact = await system.fact('baoqk.anh', 2)
    assert.ok(fact.state === 'live')
    assert.deepEqual(
      [fact.article.images[0]?.state, fact.article.images[0]?.caption, fact.updatedAt],
      ['ready', 'chú thích', before.updatedAt],
    )
  })

  it('an older version that lands after a newer one is followed by the newest again, byte for byte', async t => {
    const system = await open(t)
    await give(system, toPublish('s1', 'baoqk.tre'), toPublish('s2', 'baoqk.tre'))
    await system.fact('baoqk.tre', 2)
    const [one, two] = system.records as [LogRecord, LogRecord]
    await system.log.publish([{ topic: 'articles', key: one.key, value: one.value, headers: one.headers }])
    const last = await until('the newest again', () => system.records[3])
    assert.deepEqual([last.value, last.headers], [two.value, two.headers])
  })

  const poison: readonly (readonly [what: string, code: string, spoil: (data: Prepared) => Prepared, key?: string])[] = [
    ['an id that could become a path', 'NEWSWIRE_DESK_ARTICLE_ID', data => ({ ...data, articleId: 'baoqk.../../secrets' })],
    ["another publisher's article", 'NEWSWIRE_DESK_PUBLISHER', data => ({ ...data, publisher: 'khac' })],
    ['a key that is not the article', 'NEWSWIRE_DESK_KEY', data => data, 'baoqk.khac'],
    [
      'an embargo that cannot be read',
      'NEWSWIRE_DESK_INSTANT',
      data => (data.command === 'publish' ? { ...data, article: { ...data.article, embargoUntil: 'mai' } } : data),
    ],
    [
      'markup that is not allowed',
      'NEWSWIRE_DESK_MARKUP',
      data => (data.command === 'publish' ? { ...data, article: { ...data.article, body: { html: '<script>x</script>' } } } : data),
    ],
  ]
  for (const [what, code, spoil, key] of poison)
    it(`${what} ends in dead letters, and the next record is handled`, async t => {
      const system = await open(t)
      const record = toRecord(toEvent(spoil(toPublish('bad', 'baoqk.hong'))))
      await system.log.publish([{ ...record, key: key ?? record.key }])
      await give(system, toPublish('good', 'baoqk.hong'))
      assert.equal((await system.fact('baoqk.hong', 1)).submissionId, 'good')
      const dead = await until('the dead letter', () => system.dead[0])
      assert.ok(`${JSON.stringify(dead.headers)}${Buffer.from(dead.value ?? []).toString()}`.includes(code))
      if (code === 'NEWSWIRE_DESK_ARTICLE_ID') return // no front door ever answered that one
      const told = await system.outcome('bad', 'refused')
      assert.equal(told.kind === 'submission' && told.code, code)
    })

  it('a submission that no try could handle, in whichever service, is told as refused, also when its data cannot be read', async t => {
    const system = await open(t)
    const group = await system.log.subscribe({
      topic: 'submissions',
      group: 'images',
      retry: [],
      handle: async () => {
        throw new TypeError('a bug')
      },
    })
    t.after(() => group.stop())
    const { position: _, ...data } = toPublish('lost', 'baoqk.mat')
    const record = toRecord({ ...toEvent({ ...data, position: 0 }), type: 'submission.accepted', data })
    await system.log.publish([{ ...record, value: Buffer.from('{') }])
    const told = await system.outcome('lost', 'refused')
    assert.ok(told.kind === 'submission')
    assert.deepEqual([told.stage, told.code, told.articleId], ['images', 'NEWSWIRE_INTERNAL', 'baoqk.mat'])
  })

  it('the whole topic delivered a second time publishes nothing', async t => {
    const system = await open(t)
    const articles = Array.from({ length: 20 }, (_, index) => `baoqk.hai-${index}`)
    const submissions = articles.flatMap(articleId => [
      toPublish(`one-${articleId.slice(6)}`, articleId),
      toPublish(`two-${articleId.slice(6)}`, articleId),
    ])
    await give(system, ...submissions)
    for (const articleId of articles) await system.fact(articleId, 2)
    await system.log.publish(submissions.map(toEvent).map(toRecord))
    await until('the repeats to be handled', async () => (await system.log.lag('desk')).every(one => one.records === 0))
    const bytes = new Map<string, string>()
    for (const record of system.records) {
      const fact = fromRecord(record)?.data as Fact
      const id = `${fact.articleId} ${fact.version}`
      assert.equal(bytes.has(id), false, `${id} was published twice`)
      bytes.set(id, Buffer.from(record.value ?? []).toString())
    }
    assert.equal(bytes.size, 40)
  })
})
