/** The archive on the embedded log and the disk. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { canonicalJson } from '@newswire/events/canonical'
import { fromRecord, type NewswireEvent, toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { deriveId, sha256Hex } from '@newswire/events/ids'
import { sampleFact } from '@newswire/events/sample-fact'
import { createEmbeddedLog } from '@newswire/log/embedded'
import type { NewRecord } from '@newswire/log/log'
import { getArchived, listArchived } from '@newswire/objects/archived'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { createLogger } from '@newswire/runtime/logger'
import { createMetrics } from '@newswire/runtime/metrics'
import type { ServiceContext } from '@newswire/runtime/service'
import { keepVersion, type ToKeep } from './keep.ts'
import { start } from './main.ts'
import { createPackedHashes } from './packed-hashes.ts'

const FIRST = '2026-03-01T23:59:59.000Z'
const factOf = (version: number, title = `Tin ${version}`): Fact =>
  sampleFact({ articleId: 'press.Ab', version, action: version === 1 ? 'published' : 'updated', at: FIRST, article: { title } })
const toKeep = (version: number, title?: string): ToKeep => ({
  eventId: deriveId('e', version),
  time: FIRST,
  fact: factOf(version, title),
})
const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-archive-'))
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal', retryScale: 0.001 })
  t.after(async () => {
    await log.close()
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const bytesOf = async (version: number) => {
    const [found] = (await objects.list('archive/')).filter(one => one.key.endsWith(`v000${version}.json`))
    return Buffer.from((found && (await objects.get(found.key))?.bytes) ?? [])
  }
  const readAll = async (topic: string) => {
    const found = []
    for (const { partition } of await log.ends(topic))
      found.push(...(await log.read({ topic, partition, from: 'start', limit: 100 })).records)
    return found
  }
  const needs = { objects, packed: createPackedHashes(objects, Date.now), isPurged: () => false }
  return { needs, objects, log, bytesOf, readAll }
}

const until = async (what: string, look: () => Promise<boolean>) => {
  const deadline = Date.now() + 10_000
  while (!(await look())) {
    assert.ok(Date.now() < deadline, `${what}: not within 10 s`)
    await setTimeout(10)
  }
}

test('keeping a version twice is keeping it once, with the same bytes', async t => {
  const { needs, objects, bytesOf } = await open(t)
  assert.equal(await keepVersion(needs, toKeep(1)), 'kept')
  const bytes = await bytesOf(1)
  await keepVersion(needs, toKeep(1))
  assert.deepEqual(await bytesOf(1), bytes)
  assert.equal((await objects.list('archive/')).length, 1)
})

test('versions are chained: each holds the hash of the bytes before it, and all are canonical JSON', async t => {
  const { needs, bytesOf } = await open(t)
  for (const version of [1, 2, 3]) await keepVersion(needs, toKeep(version))
  const [one, two, three] = [await bytesOf(1), await bytesOf(2), await bytesOf(3)]
  const parsed = [one, two, three].map(bytes => JSON.parse(bytes.toString()))
  assert.deepEqual(
    parsed.map(version => version.previousSha256),
    [null, sha256Hex(one), sha256Hex(two)],
  )
  for (const [index, bytes] of [one, two, three].entries()) assert.equal(bytes.toString(), canonicalJson(parsed[index]))
})

test('other content under a number that is taken is refused, and the first stays', async t => {
  const { needs, bytesOf } = await open(t)
  await keepVersion(needs, toKeep(1))
  const before = await bytesOf(1)
  await assert.rejects(keepVersion(needs, toKeep(1, 'History, rewritten')), { code: 'NEWSWIRE_ARCHIVE_CONFLICT' })
  assert.deepEqual(await bytesOf(1), before)
})

test('a version whose predecessor is missing is not kept unchained', async t => {
  const { needs, objects } = await open(t)
  await assert.rejects(keepVersion(needs, toKeep(2)), /version 1 of press\.Ab is not archived/)
  assert.deepEqual(await objects.list('archive/'), [])
})

test('a version is read back by its article and number', async t => {
  const { needs, objects } = await open(t)
  assert.deepEqual(await listArchived(objects, 'press.Ab'), [])
  for (const version of [1, 2]) await keepVersion(needs, toKeep(version))
  await objects.put(keys.current('press.Ab'), Buffer.from(JSON.stringify({ released: { fact: factOf(2) } })))
  assert.deepEqual(await listArchived(objects, 'press.Ab'), [1, 2])
  const found = await getArchived(objects, 'press.Ab', 1)
  assert.equal(found?.fact.state === 'live' && found.fact.article.title, 'Tin 1')
  assert.equal(found?.eventId, deriveId('e', 1))
  assert.equal(await getArchived(objects, 'press.Ab', 3), null)
  assert.equal(await getArchived(objects, 'press.other', 1), null)
})

const eventOf = (fact: Fact): NewRecord =>
  toRecord({
    id: deriveId('e', fact.version),
    type: `article.${fact.action}`,
    source: '/services/desk',
    subject: fact.articleId,
    time: fact.releasedAt,
    correlationid: 's',
    data: fact,
  } as NewswireEvent)

const startArchive = async (t: TestContext, world: Awaited<ReturnType<typeof open>>) => {
  const logger = createLogger({ service: 'archive', level: 'silent' })
  const metrics = createMetrics({ processMetrics: false })
  const running = await start({ log: world.log, objects: world.objects, logger, metrics, now: Date.now } as ServiceContext)
  t.after(() => running.stop())
  return { running, metrics }
}

test('the service archives every version of the topic and says so, once however often it is told', async t => {
  const world = await open(t)
  const { metrics } = await startArchive(t, world)
  const records = [1, 2, 3].map(version => eventOf(factOf(version)))
  await world.log.publish([...records, ...records])
  const milestones = async () => (await world.readAll('milestones')).map(record => fromRecord(record))
  await until('told', async () => (await milestones()).length >= 6)
  const found = await milestones()
  assert.equal(new Set(found.map(one => one?.id)).size, 3)
  for (const one of found) {
    assert.ok(one?.type === 'milestone.reached' && one.data.kind === 'sink')
    assert.deepEqual([one.data.sink, one.data.state], [{ kind: 'archive', id: 'archive' }, 'done'])
  }
  assert.equal((await world.objects.list('archive/')).length, 3)
  assert.match(await metrics.text(), /newswire_archive_versions_total\{action="updated"\}/)
})

test('a rewritten version and poison end in the dead letters, and the next version is archived', async t => {
  const world = await open(t)
  await startArchive(t, world)
  const poison = { topic: 'articles', key: 'press.Ab', value: Buffer.from('{"half') }
  await world.log.publish([eventOf(factOf(1)), poison, eventOf(factOf(1, 'Rewritten')), eventOf(factOf(2))])
  await until('archived', async () => (await world.objects.list('archive/')).length === 2)
  await until('buried', async () => (await world.readAll('dead-letters')).length === 2)
  const codes = (await world.readAll('dead-letters')).map(record => record.headers['newswire-dead-error-code'])
  assert.deepEqual(codes.sort(), ['NEWSWIRE_ARCHIVE_CONFLICT', 'NEWSWIRE_EVENT_ENVELOPE'])
})
