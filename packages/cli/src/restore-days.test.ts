import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { closeOnce } from '@newswire/archive/close'
import { newestOfDay } from '@newswire/archive/read-days'
import { openSampleArchive, SAMPLE_DAY_MS } from '@newswire/archive/sample-archive'
import { factEvent } from '@newswire/desk/outcomes'
import { restoredState } from '@newswire/desk/restore'
import type { State } from '@newswire/desk/state'
import { UnavailableError } from '@newswire/events/errors'
import { toRecord } from '@newswire/events/events'
import { daysOf } from '@newswire/objects/archived-days'
import { keys } from '@newswire/objects/keys'
import { startRestorer } from './restore-days.ts'
import { prepareArticles } from './restore-prepare.ts'

const DAYS = 5

/** A closed archive of some days, two articles each, the first of which has two versions. */
const open = async (t: TestContext) => {
  const archive = await openSampleArchive()
  t.after(archive.close)
  for (let day = 0; day < DAYS; day++) {
    const firstReleasedAt = new Date(archive.clock.nowMs + day * SAMPLE_DAY_MS).toISOString()
    await archive.add(`press.a${day}`, 1, 'A', { firstReleasedAt })
    await archive.add(`press.a${day}`, 2, 'A changed', { firstReleasedAt })
    await archive.add(`press.b${day}`, 1, 'B', { firstReleasedAt })
  }
  archive.clock.nowMs += DAYS * SAMPLE_DAY_MS
  while ((await closeOnce(archive.needs)).hasMore);
  const restorer = startRestorer()
  t.after(restorer.stop)
  return { archive, restorer, days: await daysOf(archive.objects) }
}

const readAll = async (read: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of read);
}

test('what comes back of an article is what its newest version is, byte for byte, in the order of the days', async t => {
  const { archive, restorer, days } = await open(t)
  const ended: string[] = []
  const seen: string[] = []
  for await (const { folder, articles, isLast } of restorer.read(archive.objects, days)) {
    if (isLast) ended.push(folder)
    if (articles.length === 0) continue
    const expected = (await newestOfDay(archive.objects, folder)).map(({ newest: { fact }, live }) => {
      const current = restoredState(fact, live?.fact ?? null)
      const released = current.released as NonNullable<State['released']>
      return { id: fact.articleId, state: JSON.stringify(current), record: { ...toRecord(factEvent(released)) } }
    })
    assert.deepEqual(
      articles.map(({ articleId, state, record }) => ({
        id: articleId,
        state: Buffer.from(state).toString(),
        record: { ...record, value: Buffer.from(record.value) },
      })),
      expected,
    )
    seen.push(...articles.map(one => `${one.articleId} ${one.version}`))
  }
  assert.deepEqual(ended, days)
  assert.deepEqual(seen, Array.from({ length: DAYS }, (_, day) => [`press.a${day} 2`, `press.b${day} 1`]).flat())
})

test('a damaged pack ends a restoring with what is wrong, wherever it was read', async t => {
  const { archive, restorer, days } = await open(t)
  for (const { key } of await archive.objects.list(keys.archivePacksOf(days[3] ?? '')))
    if (key.endsWith('.gz')) await archive.objects.put(key, Buffer.from('no pack'))
  await assert.rejects(readAll(restorer.read(archive.objects, days)), { name: 'RejectError', code: 'NEWSWIRE_ARCHIVE_PACK' })
})

test('what is no damage of the archive is not told as one', async t => {
  const { archive, restorer, days } = await open(t)
  const objects = { get: archive.objects.get, list: () => Promise.resolve(null as never) }
  await assert.rejects(readAll(restorer.read(objects, days)), { name: 'Error' })
})

test('a message holds so many articles and so many bytes, and an article that is larger goes alone', async t => {
  const { archive, days } = await open(t)
  const found = await newestOfDay(archive.objects, days[0] ?? '')
  const split = (limits?: { articles: number; bytes: number }): string[][] => {
    const messages: string[][] = []
    for (let from = 0; from < found.length; ) {
      const { articles, memory, next } = prepareArticles(found, from, limits)
      const held = articles.reduce(
        (sum, { state, record, restored }) => sum + state.byteLength + record.value.byteLength + restored.value.byteLength,
        0,
      )
      assert.equal(memory.byteLength, held)
      messages.push(articles.map(one => one.articleId))
      from = next
    }
    return messages
  }
  assert.deepEqual(split(), [['press.a0', 'press.b0']])
  assert.deepEqual(split({ articles: 400, bytes: 1 }), [['press.a0'], ['press.b0']])
  assert.deepEqual(split({ articles: 1, bytes: 1_000_000 }), [['press.a0'], ['press.b0']])
})

test('a store that is away while the archive is read is told as it said it', async t => {
  const { archive, restorer, days } = await open(t)
  const away = new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'the store is away')
  const objects = { list: archive.objects.list, get: () => Promise.reject(away) }
  await assert.rejects(readAll(restorer.read(objects, days)), error => error === away)
})
