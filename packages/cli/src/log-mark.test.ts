import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { factEvent } from '@newswire/desk/outcomes'
import { toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { sampleFact, sampleRetraction } from '@newswire/events/sample-fact'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { createLogger } from '@newswire/runtime/logger'
import { checkLogMark, checkLogMarkBeforeOpening, keepLogMark, keepMark, raiseEpoch, readEpoch, sideOf } from './log-mark.ts'
import { findAllLacking } from './rebuild-articles.ts'

const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-mark-'))
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  // Whatever is published is later than what was published before.
  let ticks = 0
  const openLog = async (name: string, floor = 0, now = () => ++ticks) => {
    const log = await createEmbeddedLog({ file: join(folder, name), fsync: 'normal', floor, now })
    t.after(() => log.close())
    return log
  }
  t.after(async () => {
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const keep = async (log: Awaited<ReturnType<typeof openLog>>) =>
    keepLogMark({ log, objects, logger: createLogger({ service: 'test', level: 'silent' }) }).stop()
  return { objects, openLog, keep, folder }
}
const say = (fact: Fact) => toRecord(factEvent({ fact, causationId: fact.submissionId, correlationId: fact.submissionId }))
const record = { topic: 'submissions', key: 'press.a', value: Buffer.from('x') }

test('a log that ends below its mark is another one, and starting is refused with what to do', async t => {
  const { objects, openLog, keep } = await open(t)
  const log = await openLog('one.db')
  await checkLogMark(sideOf(log), objects)
  await log.publish([record, record])
  await keep(log)
  await checkLogMark(sideOf(log), objects)
  const replaced = await openLog('two.db')
  await assert.rejects(checkLogMark(sideOf(replaced), objects), (error: { code?: string; message?: string }) => {
    assert.equal(error.code, 'NEWSWIRE_LOG_REPLACED')
    assert.match(String(error.message), /ends at 0, but was at 2/)
    assert.match(String(error.message), /log\.db|new-epoch/)
    assert.match(String(error.message), /`newswire rebuild all` .*from the archive/)
    return true
  })
})

test('the mark never goes back, so that a replaced log cannot make itself known by running once', async t => {
  const { objects, openLog, keep } = await open(t)
  const log = await openLog('one.db')
  await log.publish([record, record])
  await keep(log)
  const replaced = await openLog('two.db')
  await keep(replaced)
  await assert.rejects(checkLogMark(sideOf(replaced), objects), { code: 'NEWSWIRE_LOG_REPLACED' })
})

test('a log that a rebuild has made in part is refused until the rebuild has ended', async t => {
  const { objects, openLog } = await open(t)
  const log = await openLog('one.db')
  await objects.put(keys.rebuildMark(), Buffer.from('{"n":1,"floor":0}'))
  await assert.rejects(checkLogMark(sideOf(log), objects), { code: 'NEWSWIRE_REBUILD_UNFINISHED', message: /Run it again/ })
  await objects.delete(keys.rebuildMark())
  await checkLogMark(sideOf(log), objects)
})

test('a raised epoch lets the new log in, and is one more each time', async t => {
  const { objects, openLog, keep } = await open(t)
  const log = await openLog('one.db')
  await log.publish([record])
  await keep(log)
  assert.equal(await readEpoch(objects), 0)
  assert.equal(await raiseEpoch(objects), 1)
  assert.equal(await raiseEpoch(objects), 2)
  assert.equal(await readEpoch(objects), 2)
  await checkLogMark(sideOf(await openLog('two.db')), objects)
})

test('a store that knows of no log is not that of a log with articles, and is that of one with nothing in it yet', async t => {
  const { objects, openLog, keep } = await open(t)
  const log = await openLog('one.db')
  await checkLogMark(sideOf(log), objects)
  await log.publish([{ ...record, topic: 'articles' }])
  await assert.rejects(checkLogMark(sideOf(log), objects), {
    code: 'NEWSWIRE_STORE_REPLACED',
    message:
      /^the log has articles, and the store knows of no log.*Put objects\/ back beside log\.db, both from the same copy.*empty --data folder/,
  })
  await keep(log)
  await checkLogMark(sideOf(log), objects)
})

test('a store that lacks what the log says of an article is older than the log, however the log ended', async t => {
  const { objects, openLog, keep, folder } = await open(t)
  const log = await openLog('log.db')
  const [live, gone] = [sampleFact(), sampleRetraction({ version: 2 })]
  const { articleId } = live
  const foreign = (value: object | null, key = articleId) => ({
    topic: 'articles',
    key,
    value: value && Buffer.from(JSON.stringify(value)),
  })
  const store = (fact: object | null) => objects.put(keys.current(articleId), Buffer.from(JSON.stringify({ released: fact && { fact } })))
  // The desk swaps first and publishes then: killed between the two, the store is ahead.
  await store(gone)
  await log.publish([record, say(live)])
  await keep(log)
  await checkLogMark(sideOf(log), objects)
  // What is no fact, or was said again, hides nothing.
  const unsaid = { articleId: 'press.unsaid', version: 9, state: 'live' }
  await log.publish([say(gone), { ...say(gone), key: 'press.b' }, say(live), foreign({}), foreign(null), foreign(unsaid, unsaid.articleId)])
  await checkLogMark(sideOf(log), objects)
  // One object that is lost, or one record that no desk wrote, is no older store while it has what was said last.
  await store(live)
  const other = sampleFact({ articleId: 'press.other' })
  await objects.put(keys.current(other.articleId), Buffer.from(JSON.stringify({ released: { fact: other } })))
  await log.publish([say(other)])
  await checkLogMark(sideOf(log), objects)
  await objects.delete(keys.current(other.articleId))
  await assert.rejects(checkLogMark(sideOf(log), objects), {
    code: 'NEWSWIRE_STORE_OLDER',
    message: /^press\.other has version 1 in the log and none/,
  })
  await log.publish([say(sampleRetraction({ version: 3 }))])
  const settings = { dataDir: folder, s3: null, fsync: 'normal' } as const
  const refused = async (stored: string) => {
    const older = {
      code: 'NEWSWIRE_STORE_OLDER',
      message: new RegExp(`^${articleId} has version 3 in the log and ${stored} in the store.*rebuild articles`),
    }
    await assert.rejects(checkLogMark(sideOf(log), objects), older)
    await assert.rejects(checkLogMarkBeforeOpening(settings), older)
    await log.close()
    await assert.rejects(checkLogMark(sideOf(await openLog('log.db', 2 ** 30)), objects), older)
  }
  await store(live)
  await refused('1')
})

for (const isAtOnce of [true, false])
  test(`while what a store lacks is made again a start is refused: ${isAtOnce ? 'much was said at one moment' : 'what was said early is said again'}`, async t => {
    const { objects, openLog } = await open(t)
    const log = await openLog('log.db', 0, isAtOnce ? () => 1 : undefined)
    const facts = Array.from({ length: 200 }, (_, n) => sampleFact({ articleId: `press.a${n}` }))
    // Of the first so many that nothing else is among the newest of a partition.
    const gone = facts.slice(0, 150).map(({ articleId }) => sampleRetraction({ articleId, version: 2 }))
    const again = isAtOnce ? [] : gone.slice(0, 1)
    for (const fact of [...facts, ...gone, ...again]) await log.publish([say(fact)])
    await keepMark(log, objects)
    const newest = new Map<string, Fact>([...facts, ...gone].map(fact => [fact.articleId, fact]))
    const lacking = await findAllLacking({ log, objects }, new Set(), () => undefined)
    assert.equal(lacking.length, 200)
    for (const { articleId } of lacking) {
      await assert.rejects(checkLogMark(sideOf(log), objects), { code: 'NEWSWIRE_STORE_OLDER' }, `before ${articleId}`)
      await objects.put(keys.current(articleId), Buffer.from(JSON.stringify({ released: { fact: newest.get(articleId) } })))
    }
    await checkLogMark(sideOf(log), objects)
  })

test('a store of before the last start is older than its log, also when nothing went out since, and killed between the two they fit', async t => {
  const { objects, openLog, folder } = await open(t)
  const settings = { dataDir: folder, s3: null, fsync: 'normal' } as const
  const log = await openLog('log.db')
  await log.publish([record])
  await keepMark(log, objects, { begins: true })
  const older = (await objects.get(keys.logMark()))?.bytes ?? assert.fail('a mark is kept')
  await keepMark(log, objects)
  assert.equal(log.storeMark?.get(), 1, 'nothing new, nothing kept')
  await keepMark(log, objects, { begins: true })
  const newer = (await objects.get(keys.logMark()))?.bytes ?? assert.fail('a mark is kept')
  await checkLogMark(sideOf(log), objects)
  await log.close()

  await objects.put(keys.logMark(), older)
  const refused = { code: 'NEWSWIRE_STORE_OLDER', message: /^the log knows its store with mark 2, and this one has 1.*rebuild articles/ }
  await assert.rejects(checkLogMarkBeforeOpening(settings), refused)
  const again = await openLog('log.db')
  await assert.rejects(checkLogMark(sideOf(again), objects), refused)
  await objects.put(keys.logMark(), newer)
  await checkLogMarkBeforeOpening(settings)
  // The store has the next mark, and the log was not told.
  const { storeMark: _untold, ...killed } = again
  await again.publish([record])
  await keepMark(killed, objects)
  await checkLogMark(sideOf(again), objects)
  await keepMark(again, objects, { begins: true })
  assert.equal(again.storeMark?.get(), 4)
})
