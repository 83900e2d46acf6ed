/** Pictures that nobody uses, on a real store; what decodes is played. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Picture } from '@newswire/events/article'
import { sha256Hex } from '@newswire/events/ids'
import { picturesConfig } from '@newswire/events/picture-config'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { PictureUse } from '@newswire/objects/picture-use'
import type { Outbound } from '@newswire/outbound/outbound'
import { createShared } from '@newswire/runtime/shared'
import { createBringBack } from './bring-back.ts'
import { toPlan } from './presets.ts'
import { makePng } from './sample-pictures.ts'
import { type Settled, settlePicture } from './settle-picture.ts'
import { type Removed, sweepByte } from './sweep.ts'

const DAY = 86_400_000
const KEEP_DAYS = 30
const never = new AbortController().signal
const plan = toPlan(
  picturesConfig.parse({
    presets: [
      { name: 'w320', width: 320 },
      { name: 'w100', width: 100 },
    ],
  }),
)
const png = makePng(40, 20)
const sha256 = sha256Hex(png)

class Killed extends Error {}

/** The store as a process sees it, which may be stopped at any of its requests. */
const watched = (objects: Objects, before: (request: number) => Promise<void>): Objects => {
  let requests = 0
  const step = async () => before(requests++)
  return {
    ...objects,
    get: async (...args) => step().then(() => objects.get(...args)),
    head: async (...args) => step().then(() => objects.head(...args)),
    put: async (...args) => step().then(() => objects.put(...args)),
    delete: async (...args) => step().then(() => objects.delete(...args)),
    list: async (...args) => step().then(() => objects.list(...args)),
  }
}

const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-sweep-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const clock = { nowMs: Date.now() }
  const removed: Removed[] = []
  const needs = {
    objects,
    keepMs: () => KEEP_DAYS * DAY,
    now: () => clock.nowMs,
    walkedFromMs: async (): Promise<number | null> => clock.nowMs,
    onRemoved: (one: Removed) => removed.push(one),
  }
  const settle = (picture: Picture, articleId: string, store: Objects = objects): Promise<Settled> =>
    settlePicture(
      {
        objects: store,
        outbound: {} as Outbound,
        decoder: {
          encoder: 'played',
          render: async () => ({
            outcome: 'rendered',
            files: ['w320', 'w100'].map(name => ({
              name,
              encoding: { format: 'jpeg', quality: 80, effort: 0 },
              width: 40,
              height: 20,
              bytes: Buffer.from(name),
            })),
            preview: { color: '#000000', blurHash: 'L00000fQfQfQfQfQfQfQ' },
          }),
          stats: () => ({ processes: 0, waiting: 0, crashes: 0 }),
          stop: async () => undefined,
        },
        plan: () => plan,
        shared: createShared<Settled>(),
        now: () => clock.nowMs,
      },
      picture,
      { articleId, lane: 'live', rights: undefined },
      never,
    )
  const waiting: Picture = { url: `newswire:${sha256}`, role: 'lead', caption: '', alt: '', credit: '', state: 'waiting', renditions: [] }
  /** An article is given the picture, as an upload. */
  const give = async (articleId: string): Promise<Picture> => {
    await objects.put(keys.original(sha256), png)
    const settled = await settle(waiting, articleId)
    assert.ok(settled.outcome === 'settled' && settled.picture.state === 'ready')
    return settled.picture
  }
  const content = (...images: readonly Picture[]) => ({ images })
  const write = (articleId: string, state: Readonly<Record<string, unknown>>) =>
    objects.put(keys.current(articleId), Buffer.from(JSON.stringify({ released: null, held: null, withdrawn: null, ...state })))
  const live = (articleId: string, ...images: readonly Picture[]) =>
    write(articleId, { released: { fact: { submissionId: 's', article: content(...images) } } })
  const retracted = (articleId: string, ...images: readonly Picture[]) =>
    write(articleId, { released: { fact: { submissionId: 'r' } }, withdrawn: { submissionId: 's', article: content(...images) } })
  const held = (articleId: string, ...images: readonly Picture[]) =>
    write(articleId, { held: { submissionId: 's', article: content(...images) } })
  const sweep = (over: Partial<typeof needs> = {}) => sweepByte({ ...needs, ...over }, sha256.slice(0, 2), never)
  /** So many days pass, each with a look. */
  const pass = async (days: number) => {
    for (let day = 0; day < days; day++) {
      clock.nowMs += DAY
      await sweep()
    }
  }
  const left = async () => {
    const all = await Promise.all(['originals/', 'renditions/', 'images/'].map(prefix => objects.list(prefix)))
    return all.flat().map(one => one.key)
  }
  const isWhole = async ({ renditions }: Picture) => {
    const kept = await left()
    return [keys.original(sha256), ...renditions.map(one => one.key)].every(key => kept.includes(key))
  }
  return { objects, clock, removed, needs, settle, waiting, give, live, retracted, held, sweep, pass, left, isWhole }
}

/** To the look that removes: until the picture's mark is old, then through its days. */
const ALL_DAYS = KEEP_DAYS + 1 + KEEP_DAYS

test('what no article uses any more goes whole when its days have passed: renditions, original and marks', async t => {
  const { give, live, pass, left, removed } = await open(t)
  await give('press.a')
  await live('press.a')
  await pass(ALL_DAYS - 1)
  assert.equal(removed.length, 0)
  await pass(1)
  assert.deepEqual(
    removed.map(one => [one.sha256, one.original]),
    [[sha256, true]],
  )
  assert.deepEqual(await left(), [])
})

test('an upload that no article ever named goes in the same way', async t => {
  const { objects, pass, left } = await open(t)
  await objects.put(keys.original(sha256), png)
  await pass(KEEP_DAYS)
  assert.ok((await left()).includes(keys.original(sha256)))
  await pass(1)
  assert.deepEqual(await left(), [])
})

test('of what a republish could bring back the original stays, for good', async t => {
  const { give, retracted, pass, left, removed } = await open(t)
  await retracted('press.a', await give('press.a'))
  await pass(ALL_DAYS)
  assert.deepEqual(
    removed.map(one => one.original),
    [false],
  )
  await pass(ALL_DAYS)
  assert.equal(removed.length, 1)
  assert.deepEqual(await left(), [keys.original(sha256), keys.pictureUse(sha256, 'press.a')])
})

test('a republish has its pictures again under the same addresses, made from the original', async t => {
  const { objects, give, retracted, settle, pass, isWhole } = await open(t)
  const picture = await give('press.a')
  await retracted('press.a', picture)
  await pass(ALL_DAYS)
  assert.equal(await isWhole(picture), false)
  const bringBack = createBringBack({
    objects,
    settle: (one, { articleId }) => settle(one, articleId),
    logger: { warn: () => assert.fail('it is there') } as never,
  })
  const republish = {
    submissionId: 'p1',
    articleId: 'press.a',
    publisher: 'press',
    receivedAt: '2026-01-01T00:00:00.000Z',
    lane: 'live',
  } as const
  assert.deepEqual(await bringBack(republish, { id: 'p1' }, 'all'), { restored: [], late: [] })
  assert.ok(await isWhole(picture))
})

test('a picture stays whole as long as any article is out with it or waits with it, whatever became of the others', async t => {
  for (const keep of ['live', 'held'] as const) {
    const world = await open(t)
    await world.retracted('press.gone', await world.give('press.gone'))
    const picture = await world.give('press.stays')
    await world[keep]('press.stays', picture)
    await world.pass(ALL_DAYS * 2)
    assert.equal(world.removed.length, 0, keep)
    assert.ok(await world.isWhole(picture), keep)
  }
})

test('a picture that was just given to an article is left alone, although no article is out with it yet', async t => {
  const { give, pass, isWhole, clock, live } = await open(t)
  await give('press.a')
  await live('press.a')
  await pass(ALL_DAYS - 1)
  // Marks are as old as the store says, which knows one clock.
  clock.nowMs = Date.now()
  const picture = await give('press.b')
  await pass(KEEP_DAYS - 1)
  assert.ok(await isWhole(picture))
})

test('while current/ is made again, and of an article that cannot be read, nothing is removed', async t => {
  const { objects, give, pass, removed, sweep, clock } = await open(t)
  await give('press.a')
  await objects.put(keys.current('press.a'), Buffer.from('{"released":'))
  await pass(ALL_DAYS)
  await objects.delete(keys.current('press.a'))
  await objects.put(keys.rebuildMark(), Buffer.from('{}'))
  await pass(ALL_DAYS)
  assert.equal(removed.length, 0)
  await objects.delete(keys.rebuildMark())
  clock.nowMs += DAY
  await sweep()
  assert.equal(removed.length, 0)
})

type World = Awaited<ReturnType<typeof open>>

/** Everything as it is right before the look that removes, and nothing else. */
const bringToTheEnd = async ({ objects, clock, removed, left, give, live }: World): Promise<void> => {
  for (const key of await left()) await objects.delete(key)
  removed.length = 0
  clock.nowMs = Date.now()
  await give('press.a')
  await live('press.a')
  clock.nowMs += ALL_DAYS * DAY
  const daysAgo = (days: number) => new Date(clock.nowMs - days * DAY).toISOString()
  const note: PictureUse = { n: 1, phase: 'unused', since: daysAgo(KEEP_DAYS), lookedAt: daysAgo(1) }
  await objects.put(keys.pictureUnused(sha256), Buffer.from(JSON.stringify(note)))
}

/** Once for every request that the removing look makes, with what happens right before it. */
const atEveryRequest = async (world: World, before: () => Promise<void>, after: (moment: number) => Promise<void>): Promise<number> => {
  for (let moment = 0; ; moment++) {
    await bringToTheEnd(world)
    let requests = 0
    const objects = watched(world.objects, async request => {
      requests++
      if (request === moment) await before()
    })
    await world.sweep({ objects }).catch((error: unknown) => assert.ok(error instanceof Killed))
    if (requests <= moment) {
      assert.deepEqual(
        world.removed.map(one => one.sha256),
        [sha256],
      )
      return moment
    }
    await after(moment)
  }
}

test('an article that takes the picture into use at any moment of its removal has it whole, at once or a little later', async t => {
  const world = await open(t)
  const { objects, settle, waiting, isWhole, live, pass } = world
  let taken: Settled | undefined
  let early = 0
  const take = async () => {
    await objects.put(keys.original(sha256), png)
    taken = await settle(waiting, 'press.b')
  }
  const moments = await atEveryRequest(world, take, async moment => {
    if (taken?.outcome === 'settled') early += 1
    else await take()
    assert.ok(taken?.outcome === 'settled' && taken.picture.state === 'ready', `moment ${moment}`)
    assert.ok(await isWhole(taken.picture), `moment ${moment}`)
    await live('press.b', taken.picture)
    await pass(1)
    assert.ok(await isWhole(taken.picture), `moment ${moment}, a day later`)
    taken = undefined
    await objects.delete(keys.current('press.b'))
  })
  assert.ok(early > 0 && early < moments, 'both ends were met')
})

test('a removal that was killed at any request is gone on with, and keeps no article from its picture for longer than minutes', async t => {
  const world = await open(t)
  const { clock, pass, left, give, isWhole } = world
  const die = async () => {
    throw new Killed()
  }
  await atEveryRequest(world, die, async moment => {
    await pass(1)
    assert.deepEqual(await left(), [], `moment ${moment}`)
  })
  await atEveryRequest(world, die, async moment => {
    clock.nowMs += 660_000
    assert.ok(await isWhole(await give('press.b')), `moment ${moment}`)
  })
})

test('a machine that was suspended while it removed a picture, and a clock that was set, delete nothing more', async t => {
  for (const jumpMs of [61_000, -DAY]) {
    const world = await open(t)
    const { clock, sweep, left, removed } = world
    await bringToTheEnd(world)
    const before = await left()
    let deletions = 0
    const remove: Objects['delete'] = async key => {
      deletions += 1
      await world.objects.delete(key)
      clock.nowMs += jumpMs
    }
    await sweep({ objects: { ...world.objects, delete: remove } })
    assert.equal(deletions, 1)
    assert.equal((await left()).length, before.length - 1)
    assert.equal(removed.length, 0)
  }
})

test('two that remove one picture at once remove it once', async t => {
  const world = await open(t)
  const { sweep, pass, left, removed } = world
  await atEveryRequest(world, sweep, async moment => {
    // Who had listed it before may leave a note, which the next days forget.
    await pass(5)
    assert.deepEqual(await left(), [], `moment ${moment}`)
    assert.equal(removed.length, 1, `moment ${moment}`)
  })
})
