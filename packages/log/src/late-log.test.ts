import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import { createEmbeddedLog } from './embedded.ts'
import { createLateLog } from './late-log.ts'
import type { Log, LogRecord } from './log.ts'

const makeLog = async (t: TestContext): Promise<Log> => {
  const dir = mkdtempSync(join(tmpdir(), 'late-log-'))
  const log = await createEmbeddedLog({ file: join(dir, 'log.db'), fsync: 'normal' })
  t.after(async () => {
    await log.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return log
}
const away = () => new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'nobody listens there')
const record = (key: string) => ({ topic: 'articles', key, value: new Uint8Array([1]) })
const untold = (error: Error) => assert.fail(error)

const becomesTrue = async (what: string, isSo: () => boolean) => {
  const deadline = performance.now() + 60_000
  while (!isSo()) {
    assert.ok(performance.now() < deadline, what)
    await setTimeout(5)
  }
}

/** A log that is away until `come` is called. */
const openLate = async (t: TestContext, onFailed: (error: Error) => void = untold) => {
  const real = await makeLog(t)
  let isThere = false
  const said: string[] = []
  const log = await createLateLog({
    kind: 'embedded',
    connect: async () => {
      if (!isThere) throw away()
      return real
    },
    onLate: reason => void said.push(`late: ${reason}`),
    onThere: () => void said.push('there'),
    onFailed,
    patienceMs: 20,
    againMs: 5,
  })
  t.after(() => log.close())
  return { log, real, said, come: () => (isThere = true) }
}

describe('a log that may come later', () => {
  it('tells nobody that it is late where it is there in time, and follows at once', async t => {
    const real = await makeLog(t)
    const isLate = () => assert.fail('it is not late')
    const log = await createLateLog({ kind: 'embedded', connect: async () => real, onLate: isLate, onThere: isLate, onFailed: untold })
    const given: (string | null)[] = []
    const following = await log.follow({
      topic: 'articles',
      from: 'end',
      onRecords: records => void given.push(...records.map(one => one.key)),
    })
    await log.publish([record('after')])
    await becomesTrue('the record', () => given.length === 1)
    await following.stop()
  })

  it('goes on trying to follow a log that is there and not whole, and health says what is missing', async t => {
    const real = await makeLog(t)
    let answer: Error | null = away()
    let refusals = 0
    const unsettled: Log = {
      ...real,
      follow: async wanted => {
        if (answer !== null) {
          refusals += 1
          throw answer
        }
        return await real.follow(wanted)
      },
    }
    const options = { patienceMs: 20, againMs: 5, unfollowedMs: 0 }
    const log = await createLateLog({ kind: 'embedded', connect: async () => unsettled, onFailed: untold, ...options })
    t.after(() => log.close())
    const given: (string | null)[] = []
    const following = await log.follow({
      topic: 'articles',
      from: 'start',
      onRecords: records => void given.push(...records.map(one => one.key)),
    })
    const { ok, detail } = await log.health()
    assert.equal(ok, false)
    assert.deepEqual(detail['unfollowed'], ['articles'])
    // A broker that has just come back has not heard of every topic yet.
    answer = new RejectError('NEWSWIRE_LOG_UNKNOWN_TOPIC', 'there is no such topic')
    const before = refusals
    await becomesTrue('it to ask again, twice', () => refusals > before + 1)
    await real.publish([record('one')])
    answer = null
    await following.ready
    assert.deepEqual(given, ['one'])
    assert.equal((await log.health()).ok, true)
    await following.stop()
  })

  it('ends the process when it cannot be followed for good', async t => {
    const real = await makeLog(t)
    const hopeless = new RejectError('NEWSWIRE_LOG_REFUSED', 'you may not read this')
    const refusing: Log = { ...real, follow: () => Promise.reject(hopeless) }
    const failed = Promise.withResolvers<Error>()
    const log = await createLateLog({ kind: 'embedded', connect: async () => refusing, onFailed: failed.resolve })
    t.after(() => log.close())
    await assert.rejects(log.follow({ topic: 'articles', from: 'start', onRecords: () => undefined }), hopeless)
    assert.equal(await failed.promise, hopeless)
  })

  it('says at once that it is away, whatever is asked of it', async t => {
    const { log, said } = await openLate(t)
    const isAway = { code: 'NEWSWIRE_LOG_UNAVAILABLE', message: /nobody listens there/ }
    await assert.rejects(log.publish([record('one')]), isAway)
    await assert.rejects(log.ends('articles'), isAway)
    await assert.rejects(log.lag('desk'), isAway)
    await assert.rejects(log.subscribe({ topic: 'articles', group: 'desk', handle: async () => undefined }), isAway)
    assert.throws(() => log.partitionOf('articles', 'one'), isAway)
    assert.equal((await log.health()).ok, false)
    assert.deepEqual(said, ['late: nobody listens there'])
  })

  it('follows from where it was asked to, once it has come', async t => {
    const { log, real, said, come } = await openLate(t)
    await real.publish([record('before')])
    const given: (string | null)[] = []
    const following = await log.follow({
      topic: 'articles',
      from: 'start',
      onRecords: (records: readonly LogRecord[]) => void given.push(...records.map(one => one.key)),
    })
    assert.deepEqual(following.cursor(), {})
    come()
    await log.whenThere?.()
    await following.ready
    assert.deepEqual(given, ['before'])
    assert.deepEqual(said, ['late: nobody listens there', 'there'])
    await log.publish([record('after')])
    assert.deepEqual((await log.health()).ok, true)
    await following.stop()
  })

  it('begins nothing for who has stopped following before', async t => {
    const { log, real, come } = await openLate(t)
    const following = await log.follow({ topic: 'articles', from: 'start', onRecords: () => assert.fail('it was stopped') })
    await following.stop()
    await real.publish([record('one')])
    come()
    await log.whenThere?.()
    await following.ready
  })

  it('is refused when it can never be had, at the start and later', async t => {
    const hopeless = new RejectError('NEWSWIRE_LOG_REPLACED', 'this is another log')
    const refusing = async (): Promise<Log> => {
      throw hopeless
    }
    await assert.rejects(createLateLog({ kind: 'embedded', connect: refusing, onFailed: untold }), hopeless)

    const failed = Promise.withResolvers<Error>()
    let tries = 0
    const late = await createLateLog({
      kind: 'embedded',
      connect: async () => {
        tries += 1
        throw tries < 3 ? away() : hopeless
      },
      onFailed: failed.resolve,
      patienceMs: 0,
      againMs: 5,
    })
    t.after(() => late.close())
    const following = await late.follow({ topic: 'articles', from: 'start', onRecords: () => undefined })
    assert.equal(await failed.promise, hopeless)
    await assert.rejects(following.ready, hopeless)
  })

  it('is closed while it is still waited for, and nobody waits for ever', async t => {
    const { log } = await openLate(t)
    const following = await log.follow({ topic: 'articles', from: 'start', onRecords: () => undefined })
    await log.close()
    await assert.rejects(following.ready, /closed/)
    await assert.rejects(async () => log.whenThere?.(), /closed/)
  })
})
