/** The whole service on the embedded log and the disk, with a real picture. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { articleInput, toArticle } from '@newswire/events/article'
import { fromRecord, toRecord } from '@newswire/events/events'
import { newId, sha256Hex } from '@newswire/events/ids'
import type { Submission } from '@newswire/events/submission'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { createOutbound } from '@newswire/outbound/create-outbound'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { createLogger } from '@newswire/runtime/logger'
import { createMetrics } from '@newswire/runtime/metrics'
import type { ServiceContext } from '@newswire/runtime/service'
import { readSettings } from '@newswire/runtime/settings'
import { start } from './main.ts'
import { makePng } from './sample-pictures.ts'

const open = async (
  t: TestContext,
  { now = Date.now, seed }: { now?: () => number; seed?: (objects: Objects) => Promise<unknown> } = {},
) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-images-'))
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal', retryScale: 0.01 })
  const outbound = createOutbound({ network: () => ({ allow: [], allowHttp: false }) })
  await seed?.(objects)
  const running = await start({
    log,
    objects,
    outbound,
    logger: createLogger({ service: 'images', level: 'silent' }),
    metrics: createMetrics({ processMetrics: false }),
    now,
    configuration: { current: () => ({}) as ConfigSnapshot, onChange: () => () => undefined, close: async () => undefined },
    settings: readSettings({}),
  } as unknown as ServiceContext)
  t.after(async () => {
    await running.stop()
    await outbound.close()
    await log.close()
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { objects, log, running }
}

const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
  for (const deadline = Date.now() + 50_000; !(await isSo()); await setTimeout(10))
    assert.ok(Date.now() < deadline, `${what}: not within 50 s`)
}

test('submissions of both lanes come out prepared with their positions, a bad record ends in the dead letters, and nothing waits for it', async t => {
  const { objects, log, running } = await open(t)
  const png = makePng(50, 20)
  await objects.put(keys.original(sha256Hex(png)), png)
  const article = toArticle(articleInput.parse({ title: 'Tin', body: { text: 'x' }, images: [{ url: `newswire:${sha256Hex(png)}` }] }), {
    language: 'vi',
  })
  const common = (lane: 'live' | 'backfill') => ({
    submissionId: newId(),
    articleId: 'press.a',
    publisher: 'press',
    receivedAt: '2026-01-01T00:00:00.000Z',
    lane,
  })
  const accepted = (data: Submission) =>
    toRecord({
      id: data.submissionId,
      type: 'submission.accepted',
      source: '/publishers/press',
      subject: 'press.a',
      time: data.receivedAt,
      data,
    })
  const publish = (lane: 'live' | 'backfill') => accepted({ command: 'publish', ...common(lane), article, contentSha256: 'c'.repeat(64) })
  const retract = accepted({ command: 'retract', ...common('live'), retraction: { mode: 'gone', reason: 'r', legal: false } })
  const poison = { topic: 'submissions', key: 'press.a', value: Buffer.from('{"half') }
  const published = await log.publish([publish('live'), poison, retract, publish('backfill')])

  const readAll = async (topic: string) => {
    const found = []
    for (const { partition } of await log.ends(topic))
      found.push(...(await log.read({ topic, partition, from: 'start', limit: 100 })).records)
    return found
  }
  await until('prepared, and the dead letter', async () => {
    return (await readAll('prepared')).length === 3 && (await readAll('dead-letters')).length === 1
  })
  const prepared = (await readAll('prepared')).map(fromRecord).flatMap(event => (event?.type === 'submission.prepared' ? [event.data] : []))
  const positionOf = (lane: string, command: string) => prepared.find(one => one.lane === lane && one.command === command)?.position
  assert.equal(positionOf('live', 'publish'), published[0]?.position)
  assert.equal(positionOf('live', 'retract'), published[2]?.position)
  assert.equal(positionOf('backfill', 'publish'), published[3]?.position)
  for (const one of prepared) if (one.command === 'publish') assert.equal(one.article.images[0]?.state, 'ready')
  const [letter] = await readAll('dead-letters')
  assert.equal(letter?.value && Buffer.from(letter.value).toString(), '{"half')
  assert.equal(running.readiness().ready, true)
})

test('a running service removes what nobody used for its days, when its turn of the day has come', async t => {
  const DAY_MS = 86_400_000
  const png = makePng(50, 20)
  const sha256 = sha256Hex(png)
  const nowMs = Date.parse('2026-06-01T00:00:00Z') + ((Number.parseInt(sha256.slice(0, 2), 16) + 0.5) * DAY_MS) / 256
  const daysAgo = (days: number) => new Date(nowMs - days * DAY_MS).toISOString()
  const { objects } = await open(t, {
    now: () => nowMs,
    seed: async store => {
      await store.put(keys.original(sha256), png)
      const note = { n: 1, phase: 'unused', since: daysAgo(30), lookedAt: daysAgo(1) }
      await store.put(keys.pictureUnused(sha256), Buffer.from(JSON.stringify(note)))
    },
  })
  await until('the upload to be gone', async () => (await objects.head(keys.original(sha256))) === null)
})
