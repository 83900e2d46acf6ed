/** Submissions with slow pictures, from the accepted record to what the desk is told. All waits are a hundredth of the real ones. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Article, Picture } from '@newswire/events/article'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import type { NewswireEvent } from '@newswire/events/events'
import { sampleArticle } from '@newswire/events/sample-article'
import type { Submission } from '@newswire/events/submission'
import type { EventContext, Publish } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { createLogger } from '@newswire/runtime/logger'
import { onSubmissionAccepted } from './on-submission-accepted.ts'
import { createParking } from './parking.ts'
import type { Settled } from './settle-picture.ts'

const SLOW = 'https://slow.example/a.jpg'
const FAST = 'https://fast.example/b.jpg'
const logger = createLogger({ service: 'images', level: 'silent' })

const pictureAt = (url: string): Picture => ({ url, role: 'inline', caption: '', alt: '', credit: '', state: 'waiting', renditions: [] })
const restoredOf = (picture: Picture, key: string): Picture => ({
  ...picture,
  state: 'ready',
  sha256: 'a'.repeat(64),
  renditions: [{ preset: 'w320', key, type: 'image/jpeg', width: 320, height: 200, bytes: 9 }],
})
const readyOf = (picture: Picture): Settled => ({ outcome: 'settled', picture: { ...picture, state: 'ready', sha256: 'a'.repeat(64) } })

const article = (urls: readonly string[], urgency: number): Article =>
  sampleArticle({ title: 'Tin', body: { html: '<p>Tin</p>' }, urgency, images: urls.map(pictureAt) })

const common = {
  submissionId: '0198c0de-0000-7000-8000-000000000001',
  articleId: 'press.a',
  publisher: 'press',
  receivedAt: '2026-01-01T00:00:00.000Z',
  lane: 'live',
} as const
const toPublish = (urls: readonly string[], urgency = 4): Submission => ({
  command: 'publish',
  ...common,
  article: article(urls, urgency),
  contentSha256: 'c'.repeat(64),
})
const accepted = (data: Submission): NewswireEvent<'submission.accepted'> => ({
  id: data.submissionId,
  type: 'submission.accepted',
  source: '/publishers/press',
  subject: data.articleId,
  time: data.receivedAt,
  correlationid: data.submissionId,
  data,
})
const context = (position: number): EventContext => ({
  signal: new AbortController().signal,
  attempt: 1,
  record: { topic: 'submissions', partition: 0, position, key: 'press.a', value: null, headers: {}, timestamp: 0 },
})

type World = {
  /** What a try of this address finds; may be changed while it runs. */
  settle: (picture: Picture) => Promise<Settled>
  /** Called before and after each publish; a throw is what a dying process leaves. */
  beforePublish: (event: NewswireEvent) => void
  afterPublish: (event: NewswireEvent) => void
}

const open = async (t: TestContext, changes: Partial<World> = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-parking-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  const world: World = {
    settle: async picture => readyOf(picture),
    beforePublish: () => undefined,
    afterPublish: () => undefined,
    ...changes,
  }
  const events: NewswireEvent[] = []
  const publish: Publish = async batch => {
    for (const event of batch) {
      world.beforePublish(event)
      events.push(structuredClone(event))
      world.afterPublish(event)
    }
    return batch.map((_, position) => ({ topic: 'prepared', partition: 0, position }))
  }
  const running: { stop(): Promise<void> }[] = []
  const startProcess = (retryScale = 0.01, given: Objects = objects) => {
    const settle = (picture: Picture) => world.settle(picture)
    const bringBack = async () => ({ restored: [], late: [] })
    const parking = createParking({ objects: given, publish, settle, bringBack, now: Date.now, retryScale, logger })
    running.push(parking)
    return { parking, handle: onSubmissionAccepted({ settle, bringBack, parking, publish, now: Date.now, withinMs: 50 }) }
  }
  t.after(async () => {
    for (const one of running) await one.stop()
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const of = <T extends NewswireEvent['type']>(type: T) => events.filter(one => one.type === type) as NewswireEvent<T>[]
  const until = async (what: string, look: () => boolean) => {
    const deadline = Date.now() + 60_000
    while (!look()) {
      assert.ok(Date.now() < deadline, `${what}: not within a minute; events: ${events.map(one => one.type).join()}`)
      await setTimeout(5)
    }
  }
  const phase = async () => {
    const found = await objects.get(`images/pending/press.a/${common.submissionId}`)
    return found === null ? null : (JSON.parse(Buffer.from(found.bytes).toString()).phase as string)
  }
  return { world, events, of, until, startProcess, phase, objects }
}

const never = () => new Promise<Settled>(() => undefined)
const imagesOf = (event: NewswireEvent<'submission.prepared'> | undefined): Picture[] =>
  event?.data.command === 'publish' ? event.data.article.images : []
const statesOf = (event: NewswireEvent<'submission.prepared'> | undefined) => imagesOf(event).map(one => one.state)

test('with all pictures at hand a submission is passed on at once, with its position', async t => {
  const { startProcess, of, phase } = await open(t)
  await startProcess().handle(accepted(toPublish([FAST])), context(42))
  const [prepared] = of('submission.prepared')
  assert.equal(prepared?.data.position, 42)
  assert.equal(prepared?.time, common.receivedAt)
  assert.equal(prepared?.causationid, common.submissionId)
  assert.deepEqual(statesOf(prepared), ['ready'])
  assert.equal(await phase(), null)
})

test('the trace names the picture that is waited for, without what may open it', async t => {
  const { startProcess, of } = await open(t, { settle: never })
  await startProcess().handle(accepted(toPublish([`${SLOW}?X-Amz-Signature=secret`, 'https://slow.example/b.jpg'])), context(42))
  const [told] = of('milestone.reached')
  assert.equal(told?.data.kind === 'submission' && told.data.detail, `waits for a picture: ${SLOW} and 1 more`)
})

test('a retraction and a republish pass straight through, though another submission of the article is parked', async t => {
  const { startProcess, of } = await open(t, { settle: never })
  const { handle } = startProcess()
  await handle(accepted(toPublish([SLOW])), context(1))
  const retraction = { mode: 'withdraw' as const, reason: 'r', legal: false }
  const id = '0198c0de-0000-7000-8000-000000000002'
  await handle(accepted({ command: 'retract', ...common, submissionId: id, retraction }), context(2))
  const [prepared] = of('submission.prepared')
  assert.equal(prepared?.data.command, 'retract')
  assert.equal(prepared?.data.position, 2)
})

test('a slow picture parks the submission: the record is done in time, and the deadline lets it out without that picture', async t => {
  const { startProcess, of, until, phase } = await open(t, {
    settle: picture => (picture.url === SLOW ? never() : Promise.resolve(readyOf(picture))),
  })
  const began = performance.now()
  await startProcess().handle(accepted(toPublish([SLOW, FAST])), context(7))
  assert.equal(await phase(), 'parked')
  assert.equal(of('submission.prepared').length, 0, 'the handler waited for the slow picture')
  const [parked] = of('milestone.reached')
  assert.equal(parked?.data.kind === 'submission' && parked.data.state, 'parked')
  await until('announced', () => of('submission.prepared').length === 1)
  assert.ok(performance.now() - began >= 300, 'it was let out before its deadline')
  const [prepared] = of('submission.prepared')
  assert.equal(prepared?.data.position, 7)
  assert.deepEqual(statesOf(prepared), ['waiting', 'ready'])
})

test('a picture that comes while the submission is parked goes with it, and nothing is announced afterwards', async t => {
  let arrive: (settled: Settled) => void = () => undefined
  const { startProcess, of, until, phase } = await open(t, {
    settle: () =>
      new Promise(resolve => {
        arrive = resolve
      }),
  })
  await startProcess().handle(accepted(toPublish([SLOW])), context(1))
  arrive(readyOf(pictureAt(SLOW)))
  await until('announced', () => of('submission.prepared').length === 1)
  assert.deepEqual(statesOf(of('submission.prepared')[0]), ['ready'])
  const deadline = Date.now() + 60_000
  while ((await phase()) !== 'done') {
    assert.ok(Date.now() < deadline)
    await setTimeout(5)
  }
  assert.equal(of('pictures.arrived').length, 0)
})

test('a picture that comes after the deadline is announced by itself', async t => {
  const { world, startProcess, of, until } = await open(t, {
    settle: async () => ({ outcome: 'later', reason: 'its server answered 404' }),
  })
  await startProcess().handle(accepted(toPublish([SLOW])), context(1))
  await until('announced', () => of('submission.prepared').length === 1)
  world.settle = async picture => readyOf(picture)
  await until('arrived', () => of('pictures.arrived').length === 1)
  const [arrived] = of('pictures.arrived')
  assert.deepEqual(
    arrived?.data.pictures.map(one => [one.url, one.state]),
    [[SLOW, 'ready']],
  )
  assert.equal(arrived?.data.submissionId, common.submissionId)
  assert.equal(of('submission.prepared').length, 1)
})

test('a flash does not wait at all', async t => {
  const { startProcess, of, until } = await open(t, { settle: never })
  // Its deadline is half a minute away.
  await startProcess(1).handle(accepted(toPublish([SLOW], 1)), context(1))
  await until('announced', () => of('submission.prepared').length === 1)
})

test('when our own store was away during the first tries, the submission is tried again, and is not lost', async t => {
  let fail: (error: Error) => void = () => undefined
  const { world, startProcess, of, until } = await open(t, {
    settle: () =>
      new Promise((_, reject) => {
        fail = reject
      }),
  })
  await startProcess().handle(accepted(toPublish([SLOW])), context(1))
  world.settle = async picture => readyOf(picture)
  fail(new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away'))
  await until('announced', () => of('submission.prepared').length === 1)
  assert.deepEqual(statesOf(of('submission.prepared')[0]), ['ready'])
})

test('the same record handled twice is announced under one id with the same bytes', async t => {
  const { startProcess, of } = await open(t)
  const { handle } = startProcess()
  await handle(accepted(toPublish([FAST])), context(1))
  await handle(accepted(toPublish([FAST])), context(1))
  const [first, second] = of('submission.prepared')
  assert.deepEqual(second, first)
})

/** Dies at the first publish of this type, before or after the log had it; another process then takes up what lies in the store. */
const crashes = [
  { type: 'submission.prepared', when: 'beforePublish', times: 1 },
  { type: 'submission.prepared', when: 'afterPublish', times: 2 },
  { type: 'pictures.arrived', when: 'beforePublish', times: 1 },
  { type: 'pictures.arrived', when: 'afterPublish', times: 2 },
] as const
for (const { type, when, times } of crashes)
  test(`a process that dies ${when === 'beforePublish' ? 'before' : 'after'} publishing ${type} leaves what another publishes ${times === 1 ? 'for it' : 'again, byte for byte'}`, async t => {
    const { world, startProcess, of, until, phase } = await open(t, { settle: async () => ({ outcome: 'later', reason: 'not yet' }) })
    let dead = false
    world[when] = event => {
      if (event.type !== type || dead) return
      dead = true
      throw new Error('the process died')
    }
    const first = startProcess()
    await first.handle(accepted(toPublish([SLOW])), context(9))
    if (type === 'pictures.arrived') {
      await until('announced', () => of('submission.prepared').length === 1)
      world.settle = async picture => readyOf(picture)
    }
    await until('died', () => dead)
    await first.parking.stop()
    assert.equal(await phase(), type === 'submission.prepared' ? 'announcing' : 'arriving')
    const second = startProcess()
    await second.parking.takeUp(() => true)
    await until('published', () => of(type).length === times)
    for (const event of of(type)) assert.deepEqual(event, of(type)[0])
    assert.notEqual(of(type).length, 0)
  })

test('a process that was stopped while a submission is parked leaves it to the next owner, and to the owner alone', async t => {
  const { startProcess, of, until } = await open(t, { settle: never })
  const first = startProcess()
  await first.handle(accepted(toPublish([SLOW])), context(1))
  await first.parking.stop()
  const second = startProcess()
  await second.parking.takeUp(() => false)
  assert.equal(second.parking.waiting(), 0)
  await second.parking.takeUp(articleId => articleId === 'press.a')
  await until('announced', () => of('submission.prepared').length === 1)
})

test('two processes that work on one parked submission publish one event, however often', async t => {
  const { startProcess, of, until, phase } = await open(t, {
    settle: async picture => {
      await setTimeout(60)
      return readyOf(picture)
    },
  })
  const [one, other] = [startProcess(), startProcess()]
  await Promise.all([one, other].map(({ handle }) => handle(accepted(toPublish([SLOW])), context(1))))
  const deadline = Date.now() + 60_000
  while ((await phase()) !== 'done') {
    assert.ok(Date.now() < deadline)
    await setTimeout(5)
  }
  await until('announced', () => of('submission.prepared').length > 0)
  for (const event of of('submission.prepared')) assert.deepEqual(event, of('submission.prepared')[0])
})

test('an object among the parked that cannot be read holds up no other', async t => {
  const { startProcess, of, until, objects } = await open(t, { settle: never })
  const first = startProcess()
  await first.handle(accepted(toPublish([SLOW])), context(1))
  await first.parking.stop()
  await objects.put('images/pending/press.0/broken', Buffer.from('{"half'))
  await startProcess().parking.takeUp(() => true)
  await until('announced', () => of('submission.prepared').length === 1)
})

for (const [key, arrivals] of [
  ['old', 0],
  ['new', 1],
] as const)
  test(`what a republish could not bring back is made until it is there; of ${key === 'old' ? 'the same files nothing is' : 'other files the desk is'} told`, async t => {
    const asked: string[] = []
    const { world, startProcess, of, until, objects } = await open(t, {
      settle: async picture => {
        asked.push(picture.url)
        return { outcome: 'later', reason: 'being removed' }
      },
    })
    const { lane, receivedAt, articleId, publisher } = common
    const { parking } = startProcess(0.001)
    await parking.park({
      n: 1,
      phase: 'late',
      submission: { command: 'republish', submissionId: 'restoring', articleId, publisher, receivedAt, lane },
      position: 0,
      cause: { id: 'p1' },
      pictures: [restoredOf(pictureAt(SLOW), 'old')],
      missing: [SLOW],
      arriving: [],
      parkedAt: receivedAt,
      attempts: 0,
      restoring: { submissionId: 's1', rights: undefined },
    })
    await until('tried', () => asked.length > 0)
    world.settle = async picture => ({ outcome: 'settled', picture: restoredOf(picture, key) })
    await until('there', () => parking.waiting() === 0)
    assert.equal(asked[0], `newswire:${'a'.repeat(64)}`)
    const found = await objects.get(`images/pending/press.a/restoring`)
    assert.equal(JSON.parse(Buffer.from(found?.bytes ?? []).toString()).phase, 'done')
    assert.deepEqual(
      of('pictures.arrived').map(one => [one.data.submissionId, one.data.pictures]),
      Array.from({ length: arrivals }, () => ['s1', [restoredOf(pictureAt(SLOW), key)]]),
    )
  })

test('for an article that was purged while a picture of it is late, nothing is made any more', async t => {
  const { world, startProcess, of, until, objects } = await open(t, { settle: async () => ({ outcome: 'later', reason: 'not yet' }) })
  const { parking, handle } = startProcess(0.03)
  await handle(accepted(toPublish([SLOW])), context(1))
  await until('announced', () => of('submission.prepared').length === 1)
  await objects.delete(keys.parked('press.a', common.submissionId))
  let tries = 0
  world.settle = async picture => {
    tries++
    return readyOf(picture)
  }
  await until('given up', () => parking.waiting() === 0)
  assert.equal(tries, 0)
})

test('a parked submission whose article is purged just when it is taken up asks for no picture any more', async t => {
  const { world, startProcess, until, objects, phase } = await open(t, { settle: never })
  const first = startProcess(1)
  await first.handle(accepted(toPublish([SLOW])), context(1))
  assert.equal(await phase(), 'parked')
  await first.parking.stop()
  let tries = 0
  world.settle = async picture => {
    tries++
    return readyOf(picture)
  }
  const key = keys.parked('press.a', common.submissionId)
  const get: typeof objects.get = async asked => {
    const found = await objects.get(asked)
    if (asked === key) await objects.delete(key)
    return found
  }
  const { parking } = startProcess(1, { ...objects, get })
  await parking.takeUp(() => true)
  await until('given up', () => parking.waiting() === 0)
  assert.equal(tries, 0)
})

test('a submission that the front door could not have let in is refused', async t => {
  const { startProcess, events } = await open(t)
  const { handle } = startProcess()
  const foreign = { ...toPublish([]), publisher: 'other' }
  for (const submission of [foreign, { ...toPublish([]), articleId: '../x' }, { ...toPublish([]), articleId: 'press.a..b' }])
    await assert.rejects(handle(accepted(submission), context(1)), (error: unknown) => error instanceof RejectError)
  assert.equal(events.length, 0)
})
