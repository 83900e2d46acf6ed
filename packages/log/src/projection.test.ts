import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import { topics } from '@newswire/events/topics'
import { eventually } from './contract-kit.ts'
import { createEmbeddedLog } from './embedded.ts'
import type { Log, LogRecord } from './log.ts'
import { openProjection, type Projection, type ProjectionOptions } from './projection.ts'
import { KEPT_BYTES } from './projection-file.ts'

const SCHEMA = 'CREATE TABLE seen (key TEXT NOT NULL) STRICT; CREATE INDEX by_key ON seen (key);'
const applyKeys: ProjectionOptions['apply'] = (db, records) => {
  const add = db.prepare('INSERT INTO seen (key) VALUES (?)')
  for (const { key } of records) add.run(key)
}

const newFolder = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), 'projection-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A log in a folder of its own. */
const openLog = async (t: TestContext) => {
  const dir = newFolder(t)
  const log = await createEmbeddedLog({ file: join(dir, 'log.db'), fsync: 'normal' })
  t.after(() => log.close())
  return { dir, log }
}

const open = (log: Log, file: string): Promise<Projection> =>
  openProjection({ log, topic: 'articles', file, schema: SCHEMA, apply: applyKeys })

const keysOf = async (log: Log, file: string): Promise<readonly unknown[]> => {
  const projection = await open(log, file)
  await projection.ready
  const rows = projection.db.prepare('SELECT key FROM seen ORDER BY key').all()
  await projection.stop()
  return rows.map(row => row.key)
}

describe('a projection', () => {
  it('is made again when the log has lost what was applied last', async t => {
    const dir = newFolder(t)
    const file = join(dir, 'view.db')
    const before = await createEmbeddedLog({ file: join(dir, 'log', 'log.db'), fsync: 'normal' })
    const put = (log: Log, key: string) => log.publish([{ topic: 'articles', key, value: new Uint8Array([1]) }])
    const partition = before.partitionOf('articles', 'one')
    const lost = Array.from({ length: 200 }, (_, index) => `lost-${index}`).find(key => before.partitionOf('articles', key) === partition)
    assert.ok(lost)
    await put(before, 'one')
    cpSync(join(dir, 'log'), join(dir, 'cut'), { recursive: true, filter: path => !/\.(lock|owner)$/.test(path) })
    await put(before, lost)
    assert.deepEqual(await keysOf(before, file), [lost, 'one'].sort())
    await before.close()

    const after = await createEmbeddedLog({ file: join(dir, 'cut', 'log.db'), fsync: 'normal' })
    t.after(() => after.close())
    assert.deepEqual(await keysOf(after, file), ['one'])
    await put(after, 'two')
    assert.deepEqual(await keysOf(after, file), ['one', 'two'])
  })

  it('is not patient while somebody waits until it has caught up', async t => {
    const { dir, log } = await openLog(t)
    const patient = { topic: 'articles', schema: SCHEMA, apply: applyKeys, patienceMs: 600_000 }
    const projection = await openProjection({ ...patient, log, file: join(dir, 'view.db') })
    t.after(() => projection.stop())
    await projection.ready
    for (const key of ['one', 'two', 'three']) {
      await log.publish([{ topic: 'articles', key, value: new Uint8Array([1]) }])
      await projection.caughtUp()
    }
    assert.equal(projection.db.prepare('SELECT key FROM seen').all().length, 3)
  })

  it('leaves nothing at a signal that outlives the asking', async t => {
    const { dir, log } = await openLog(t)
    const projection = await open(log, join(dir, 'view.db'))
    t.after(() => projection.stop())
    const { signal } = new AbortController()
    await projection.caughtUp(signal)
    await projection.caughtUp(signal)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  it('keeps no more of its write-ahead log, once it is ready, than the present needs', async t => {
    const { dir, log } = await openLog(t)
    const file = join(dir, 'view.db')
    const walBytes = () => statSync(`${file}-wal`).size
    for (let n = 0; n < 3; n++) await log.publish([{ topic: 'articles', key: `${n}`, value: new Uint8Array([1]) }])
    let mostBytes = 0
    const projection = await openProjection({
      log,
      topic: 'articles',
      file,
      schema: 'CREATE TABLE large (bytes BLOB NOT NULL) STRICT;',
      apply: (db, records) => {
        for (const _ of records) db.exec('INSERT INTO large VALUES (zeroblob(8388608))')
      },
      tidyAfterMs: 0,
      onApplied: () => {
        mostBytes = Math.max(mostBytes, walBytes())
      },
    })
    t.after(() => projection.stop())
    await projection.ready
    assert.ok(mostBytes > KEPT_BYTES, `it was ${mostBytes} at most`)
    await eventually(
      () => `it has ${walBytes()} bytes`,
      () => walBytes() <= KEPT_BYTES,
    )
    // What it keeps of a later burst, once that was moved.
    assert.equal(projection.db.prepare('PRAGMA journal_size_limit').get()?.['journal_size_limit'], KEPT_BYTES)
  })

  it('moves what it wrote into its file while it goes on, and has it to itself when it has stopped', async t => {
    const { dir, log } = await openLog(t)
    const file = join(dir, 'view.db')
    const projection = await open(log, file)
    t.after(() => projection.stop())
    await projection.ready
    const keyOf = (at: number) => `${at} ${'x'.repeat(1_000)}`
    const fill = async (from: number) => {
      for (let at = from; at < from + 600; at += 20)
        await log.publish(
          Array.from({ length: 20 }, (_, index) => ({ topic: 'articles', key: keyOf(at + index), value: new Uint8Array([1]) })),
        )
      await projection.caughtUp()
    }
    await fill(0)
    await eventually(
      () => `the file itself grows, it has ${statSync(file).size} bytes`,
      () => statSync(file).size > 300_000,
    )
    await fill(600)
    await projection.stop()
    assert.throws(() => statSync(`${file}-wal`), { code: 'ENOENT' })
    assert.equal((await keysOf(log, file)).length, 1_200)
  })

  it('tells ahead what is stored a little later in one transaction, at the latest when it stops', async t => {
    const { dir, log } = await openLog(t)
    const file = join(dir, 'view.db')
    const told: (string | null)[] = []
    const batches: number[] = []
    const openAhead = (withinMs: number) =>
      openProjection({
        log,
        topic: 'articles',
        file,
        schema: SCHEMA,
        ahead: { onArrived: records => told.push(...records.map(({ key }) => key)), withinMs },
        apply: (db, records) => {
          batches.push(records.length)
          applyKeys(db, records)
        },
      })
    const put = (key: string) => log.publish([{ topic: 'articles', key, value: new Uint8Array([1]) }])
    const stored = (projection: Projection) => projection.db.prepare('SELECT count(*) AS n FROM seen').get()?.['n']
    const slow = await openAhead(600_000)
    await slow.ready
    for (const key of ['one', 'two', 'three']) await put(key)
    await slow.caughtUp()
    assert.deepEqual(told.toSorted(), ['one', 'three', 'two'])
    assert.equal(stored(slow), 0)
    await slow.stop()
    assert.deepEqual(batches, [3])
    const quick = await openAhead(1)
    await quick.ready
    await put('four')
    await eventually(
      () => 'it to be stored',
      () => stored(quick) === 4,
    )
    assert.deepEqual(told.slice(3), ['four'], 'what was stored is not told again')
    await quick.stop()
  })

  it('tells again what was told ahead and not stored when it was killed', async t => {
    const { dir, log } = await openLog(t)
    const told: (string | null)[] = []
    const openAhead = (file: string) =>
      openProjection({
        log,
        topic: 'articles',
        file,
        schema: SCHEMA,
        ahead: { onArrived: records => told.push(...records.map(({ key }) => key)), withinMs: 600_000 },
        apply: applyKeys,
      })
    const first = await openAhead(join(dir, 'view', 'view.db'))
    t.after(first.stop)
    await first.ready
    await log.publish([{ topic: 'articles', key: 'one', value: new Uint8Array([1]) }])
    await first.caughtUp()
    cpSync(join(dir, 'view'), join(dir, 'killed'), { recursive: true })
    const second = await openAhead(join(dir, 'killed', 'view.db'))
    await second.ready
    assert.deepEqual(told, ['one', 'one'])
    await second.stop()
  })

  it('stays as it is when what was applied last has only aged out of the log', async t => {
    const dir = newFolder(t)
    const file = join(dir, 'view.db')
    let clock = Date.parse('2026-01-01T00:00:00Z')
    const specs = [{ ...topics.milestones, name: 'articles', partitions: 3 }]
    const log = await createEmbeddedLog({
      file: join(dir, 'log.db'),
      fsync: 'normal',
      specs,
      now: () => clock,
      retentionEveryMs: 5,
    })
    t.after(() => log.close())
    const put = (key: string) => log.publish([{ topic: 'articles', key, value: new Uint8Array([1]) }])
    await put('one')
    assert.deepEqual(await keysOf(log, file), ['one'])
    clock += topics.milestones.retentionMs * 2
    const deadline = performance.now() + 10_000
    while ((await log.ends('articles')).some(({ start, end }) => start < end)) {
      assert.ok(performance.now() < deadline, 'nothing aged out')
      await setTimeout(2)
    }
    assert.deepEqual(await keysOf(log, file), ['one'])
    await put('two')
    assert.deepEqual(await keysOf(log, file), ['one', 'two'])
  })

  it('opens with what it has while the log is not there yet, and is emptied in place when another log comes', async t => {
    const dir = newFolder(t)
    const file = join(dir, 'view.db')
    const put = (log: Log, key: string) => log.publish([{ topic: 'articles', key, value: new Uint8Array([1]) }])
    const first = await createEmbeddedLog({ file: join(dir, 'first.db'), fsync: 'normal' })
    await put(first, 'one')
    await put(first, 'one')
    await keysOf(first, file)
    await first.close()

    const other = await createEmbeddedLog({ file: join(dir, 'other.db'), fsync: 'normal' })
    await put(other, 'other')
    const coming = Promise.withResolvers<void>()
    const late = await openProjection({
      log: { ...other, whenThere: () => coming.promise },
      topic: 'articles',
      file,
      schema: SCHEMA,
      apply: applyKeys,
    })
    const seen = late.db.prepare('SELECT key FROM seen ORDER BY key')
    const keys = () => seen.all().map(row => row['key'])
    assert.deepEqual(keys(), ['one', 'one'])
    assert.equal(late.isReady(), false)
    await assert.rejects(late.caughtUp(AbortSignal.timeout(1)), { name: 'TimeoutError' })
    coming.resolve()
    await late.ready
    assert.deepEqual(keys(), ['other'])
    await late.stop()
    await other.close()
  })

  it('is current in the end whatever a log that has just come says first', async t => {
    const { dir, log } = await openLog(t)
    await log.publish([{ topic: 'articles', key: 'one', value: new Uint8Array([1]) }])
    const errors = [
      new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'partition 3 of articles has no leader'),
      new RejectError('NEWSWIRE_LOG_UNKNOWN_TOPIC', 'this broker has just come back'),
    ]
    const ends: Log['ends'] = async topic => {
      const error = errors.shift()
      if (error !== undefined) throw error
      return await log.ends(topic)
    }
    const late = await open({ ...log, ends, whenThere: async () => undefined }, join(dir, 'view.db'))
    await late.ready
    assert.deepEqual(errors, [])
    assert.equal(late.failure(), null)
    assert.equal(late.db.prepare('SELECT key FROM seen').get()?.['key'], 'one')
    await late.stop()
  })

  it('says that it is behind while its disk is full, and goes on in order when there is room', async t => {
    const { dir, log } = await openLog(t)
    const view = await open(log, join(dir, 'view.db'))
    await view.ready
    const put = (key: string) => log.publish([{ topic: 'articles', key, value: new Uint8Array([1]) }])
    await put('one')
    await view.caughtUp()
    const { page_count: pages } = view.db.prepare('PRAGMA page_count').get() as { page_count: number }
    view.db.exec(`PRAGMA max_page_count = ${pages}`)
    const long = (name: string) => name + 'x'.repeat(20_000)
    await put(long('two'))
    await eventually(
      () => 'the failure',
      () => view.failure() !== null,
    )
    assert.deepEqual([view.isReady(), view.isRead()], [false, true])
    await put(long('three'))
    view.db.exec('PRAGMA max_page_count = 1000000')
    await eventually(
      () => 'the view',
      () => view.isReady(),
    )
    await view.caughtUp()
    assert.equal(view.failure(), null)
    assert.deepEqual(
      view.db
        .prepare('SELECT key FROM seen ORDER BY rowid')
        .all()
        .map(row => String(row['key']).replace(/x+$/, '')),
      ['one', 'two', 'three'],
    )
    await view.stop()
  })

  it('stops at once while its disk is full: nothing keeps the process until there is room', async t => {
    const { dir, log } = await openLog(t)
    const isWaiting = Promise.withResolvers<void>()
    const view = await openProjection({
      log,
      topic: 'articles',
      file: join(dir, 'view.db'),
      schema: SCHEMA,
      apply: () => {
        isWaiting.resolve()
        throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
      },
    })
    await view.ready
    await log.publish([{ topic: 'articles', key: 'one', value: new Uint8Array([1]) }])
    await isWaiting.promise
    assert.equal(await Promise.race([view.stop().then(() => 'stopped'), setTimeout(500, 'waits')]), 'stopped')
  })

  it('is made again from the log when its file is damaged', async t => {
    const { dir, log } = await openLog(t)
    const file = join(dir, 'view.db')
    for (const key of ['one', 'two']) await log.publish([{ topic: 'articles', key, value: new Uint8Array([1]) }])
    await keysOf(log, file)
    const whole = readFileSync(file)
    const PAGE = 4096
    const damages = {
      'no database': Buffer.alloc(5000, 'x'),
      'a head and nothing of what follows': Buffer.concat([whole.subarray(0, PAGE), Buffer.alloc(whole.length - PAGE, 'x')]),
      'cut off': whole.subarray(0, 2 * PAGE),
    }
    for (const [name, bytes] of Object.entries(damages)) {
      writeFileSync(file, bytes)
      assert.deepEqual(await keysOf(log, file), ['one', 'two'], name)
    }
  })

  it('says so when its file turns out to be damaged, and is made again from the log at the next start', async t => {
    const { dir, log } = await openLog(t)
    const file = join(dir, 'view.db')
    const put = (key: string) => log.publish([{ topic: 'articles', key, value: new Uint8Array([1]) }])
    await put('one')
    await keysOf(log, file)
    const view = await open(log, file)
    await view.ready
    const { rootpage } = view.db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'by_key'").get() as { rootpage: number }
    await view.stop()
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.fill('x', (rootpage - 1) * 4096, rootpage * 4096))
    const damaged = await open(log, file)
    await damaged.ready
    await put('two')
    await assert.rejects(damaged.caughtUp(), /view\.db is damaged \(.*\).*start again/)
    await damaged.stop()
    assert.deepEqual(await keysOf(log, file), ['one', 'two'])
  })

  it('is made again at the next start when its file turns out to be damaged while that begins', async t => {
    const { dir, log } = await openLog(t)
    const file = join(dir, 'view.db')
    await log.publish([{ topic: 'articles', key: 'one', value: new Uint8Array([1]) }])
    await keysOf(log, file)
    const view = await open(log, file)
    await view.ready
    const pages = view.db.prepare("SELECT rootpage FROM sqlite_master WHERE name IN ('seen', 'by_key')").all()
    await view.stop()
    const whole = readFileSync(file)
    const damage = () => {
      const bytes = Buffer.from(whole)
      for (const { rootpage } of pages) bytes.fill('x', (Number(rootpage) - 1) * 4096, Number(rootpage) * 4096)
      writeFileSync(file, bytes)
    }
    damage()
    const damaged = await open(log, file)
    assert.throws(() => damaged.reading(() => damaged.db.prepare('SELECT * FROM seen').all()), /view\.db is damaged \(.*\).*start again/)
    await damaged.stop()
    assert.deepEqual(await keysOf(log, file), ['one'])
    // What it was made from is gone: it is to be emptied.
    damage()
    const { log: another } = await openLog(t)
    await assert.rejects(open(another, file), /view\.db is damaged \(.*\).*start again/)
    assert.deepEqual(await keysOf(another, file), [])
  })

  it('is for its owner and his group alone, also when it is made again', { skip: process.platform === 'win32' }, async t => {
    const { dir, log } = await openLog(t)
    const file = join(dir, 'view.db')
    for (const schema of [SCHEMA, `${SCHEMA} CREATE TABLE other (key TEXT) STRICT;`]) {
      const view = await openProjection({ log, topic: 'articles', file, schema, apply: applyKeys })
      await view.ready
      for (const end of ['', '-wal', '-shm']) assert.equal(statSync(file + end).mode & 0o007, 0, `${file}${end}`)
      await view.stop()
    }
  })

  it('stops for good at a record that it cannot apply', async t => {
    const { dir, log } = await openLog(t)
    const view = await open(log, join(dir, 'view.db'))
    await view.ready
    await log.publish([{ topic: 'articles', key: null, value: new Uint8Array([1]) }])
    await eventually(
      () => 'the failure',
      () => view.failure() !== null,
    )
    assert.equal(view.isReady(), false)
    await view.stop()
  })

  it('pushes back while what it told ahead cannot be written, however often it was to be written by then, and has all of it in the end', async t => {
    let give: ((records: readonly LogRecord[]) => void | Promise<void>) | undefined
    let isFull = true
    const view = await openProjection({
      log: {
        kind: 'embedded',
        ends: async () => [{ partition: 0, start: 0, end: 0 }],
        read: async () => ({ records: [], next: 0, end: 0 }),
        follow: async ({ onRecords }) => {
          give = onRecords
          return { ready: Promise.resolve(), cursor: () => ({ 0: 0 }), stop: async () => undefined }
        },
      },
      topic: 'articles',
      file: join(newFolder(t), 'view.db'),
      schema: SCHEMA,
      ahead: { onArrived: () => undefined, withinMs: 1 },
      apply: (db, records) => {
        if (isFull) throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
        applyKeys(db, records)
      },
    })
    t.after(view.stop)
    await view.ready
    const keys: string[] = []
    const next = (): readonly LogRecord[] =>
      Array.from({ length: 50 }, () => {
        const position = keys.push(`${keys.length}`) - 1
        return { topic: 'articles', partition: 0, position, key: `${position}`, value: null, headers: {}, timestamp: 0 }
      })
    const pushedBack: Promise<void>[] = []
    while (pushedBack.length === 0 && keys.length < 10_000) {
      const answer = give?.(next())
      if (answer instanceof Promise) pushedBack.push(answer)
      // Its time to be written comes again and again meanwhile.
      await setTimeout(2)
    }
    assert.equal(pushedBack.length, 1, `${keys.length} records were taken`)
    isFull = false
    await Promise.all(pushedBack)
    const stored = view.db.prepare('SELECT key FROM seen ORDER BY rowid')
    await eventually(
      () => 'all of it',
      () => stored.all().length === keys.length,
    )
    assert.deepEqual(
      stored.all().map(row => row['key']),
      keys,
    )
    assert.equal(view.failure(), null)
  })

  it('stops for good, and says so, when what is told ahead is not taken', async t => {
    const { dir, log } = await openLog(t)
    const view = await openProjection({
      log,
      topic: 'articles',
      file: join(dir, 'view.db'),
      schema: SCHEMA,
      ahead: {
        onArrived: () => {
          throw new TypeError('a listener slipped')
        },
        withinMs: 1,
      },
      apply: applyKeys,
    })
    t.after(view.stop)
    await view.ready
    await log.publish([{ topic: 'articles', key: 'one', value: new Uint8Array([1]) }])
    await assert.rejects(view.caughtUp(AbortSignal.timeout(30_000)), /a listener slipped/)
    assert.equal(view.isReady(), false)
  })

  it('ends while it waits for a log that never comes', async t => {
    const { dir, log } = await openLog(t)
    const coming = Promise.withResolvers<void>()
    const file = join(dir, 'view.db')
    const late = await openProjection({
      log: { ...log, whenThere: () => coming.promise },
      topic: 'articles',
      file,
      schema: SCHEMA,
      apply: applyKeys,
    })
    await late.stop()
    coming.resolve()
    await assert.rejects(late.ready, /stopped/)
    assert.equal(late.failure(), null)
  })

  it('goes on from where it stands when nothing is lost', async t => {
    const { dir, log } = await openLog(t)
    const file = join(dir, 'view.db')
    await log.publish([{ topic: 'articles', key: 'one', value: new Uint8Array([1]) }])
    const first = await open(log, file)
    await first.ready
    first.db.exec("INSERT INTO seen (key) VALUES ('mark')")
    await first.stop()
    assert.deepEqual(await keysOf(log, file), ['mark', 'one'])
  })
})
