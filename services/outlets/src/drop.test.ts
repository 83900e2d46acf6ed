import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { outletConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { latestDocument, putDrop } from './drop.ts'
import { type DropSettings, toDrop } from './drop-parcel.ts'
import type { OutletBy } from './parcel.ts'
import { Cut, createMemoryStore, type MemoryStore } from './sample-drops.ts'
import { contextOf, killFact, liveFact } from './samples.ts'

/** Mulberry32: the same numbers for the same seed. */
const createRandom = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
}

const SHA = 'a'.repeat(64)
const context = contextOf({ id: 'news.example,2026', publicUrl: 'https://news.example' })
const renditionAt = (preset: string, width: number) => ({
  preset,
  key: `renditions/${SHA}/${preset}-r1.jpg`,
  type: 'image/jpeg',
  width,
  height: width / 2,
  bytes: 4,
})
const picture = {
  url: 'https://p.example/1.jpg',
  role: 'lead' as const,
  caption: 'Cây cầu',
  alt: '',
  credit: '',
  state: 'ready' as const,
  sha256: SHA,
  renditions: [renditionAt('w640', 640), renditionAt('w1280', 1280)],
}
const outlet = (fields: object = {}) =>
  outletConfig.parse({
    id: 'drop',
    deliver: { kind: 's3', bucket: 'drops', prefix: 'in/', accessKeyIdEnv: 'A', secretAccessKeyEnv: 'B' },
    ...fields,
  }) as OutletBy<'s3'>
const objects = {
  get: async (key: string) => ({ bytes: Buffer.from(key.slice(-4)), etag: '', contentType: '', lastModified: new Date(0) }),
}

const live = (version: number, article: Parameters<typeof liveFact>[0]['article'] = {}) =>
  liveFact({ articleId: 'press.a', version, article: { images: [picture], ...article } })
const kill = (version: number) => killFact({ articleId: 'press.a', version })

const put = (store: MemoryStore, fact: Fact, { settings = {}, mayStill = () => true, fields = {} } = {} as Options) => {
  const one = outlet(fields)
  const due = fact.state === 'live' ? 'content' : 'retraction'
  const parcel = { outlet: one, fact, due, sequence: 1, settling: false } as const
  return putDrop(store, toDrop(parcel, { ...one.deliver, ...settings }, { objects, context }), mayStill)
}
type Options = { settings?: Partial<DropSettings>; mayStill?: () => boolean; fields?: object }
const latestIn = ({ files }: MemoryStore) => latestDocument.parse(json(files.get('in/press.a/latest.json')?.bytes))
const json = (bytes: Uint8Array | undefined) => JSON.parse(Buffer.from(bytes ?? []).toString())

describe('a drop', () => {
  test('is pictures first, then the version, then latest.json, which names both', async () => {
    const store = createMemoryStore()
    assert.deepEqual(await put(store, live(1)), { kind: 'accepted' })
    const file = `pictures/${SHA}-w1280-r1.jpg`
    assert.deepEqual(store.written, [`in/press.a/${file}`, 'in/press.a/v0001.json', 'in/press.a/latest.json'])
    const latest = latestIn(store)
    assert.deepEqual([latest.version, latest.file, latest.type], [1, 'v0001.json', 'article.published'])
    assert.deepEqual(latest.pictures, [{ file, contentType: 'image/jpeg', width: 1280, height: 640, bytes: 4 }])
    const { data } = json(store.files.get('in/press.a/v0001.json')?.bytes)
    const { renditions } = data.article.images[0]
    assert.equal(renditions[1].file, file)
    assert.equal(renditions[0].file, undefined)
    assert.equal(renditions[1].url, `https://news.example/renditions/${SHA}/w1280-r1.jpg`)
  })

  test('that is there already is not written again', async () => {
    const store = createMemoryStore()
    await put(store, live(1))
    const before = [...store.written]
    assert.deepEqual(await put(store, live(1)), { kind: 'accepted' })
    assert.deepEqual(store.written, before)
  })

  test('of a new version leaves the pictures that are there, and the versions before', async () => {
    const store = createMemoryStore()
    await put(store, live(1))
    await put(store, live(2))
    assert.deepEqual(store.written.slice(3), ['in/press.a/v0002.json', 'in/press.a/latest.json'])
    assert.ok(store.files.has('in/press.a/v0001.json'))
  })

  test('of a retraction is one more version, with its reason in latest.json and nothing of the content', async () => {
    const store = createMemoryStore()
    await put(store, live(1))
    assert.deepEqual(await put(store, kill(2)), { kind: 'accepted' })
    const latest = latestIn(store)
    assert.deepEqual([latest.type, latest.version, latest.file], ['article.retracted', 2, 'v0002.json'])
    assert.deepEqual(latest.retraction, { mode: 'gone', reason: 'a name was wrong' })
    assert.deepEqual(latest.pictures, [])
    assert.ok(!Buffer.from(store.files.get('in/press.a/v0002.json')?.bytes ?? []).includes('bridge'))
  })

  test('never puts an older version over a newer one, in whatever order they come', async () => {
    const store = createMemoryStore()
    await put(store, kill(3))
    assert.deepEqual(await put(store, live(2)), { kind: 'accepted' })
    assert.equal(latestIn(store).version, 3)
    assert.ok(!store.files.has('in/press.a/v0002.json'), 'nor beside it: the article was taken back')
  })

  test('of every version keeps those that were overtaken, and leaves latest.json alone', async () => {
    const store = createMemoryStore()
    await put(store, live(3))
    await put(store, live(2), { fields: { versions: 'all' } })
    assert.ok(store.files.has('in/press.a/v0002.json'))
    assert.equal(latestIn(store).version, 3)
  })

  test('gives way when a newer latest.json appears between its look and its write', async () => {
    const store = createMemoryStore()
    await put(store, live(1))
    const other = createMemoryStore()
    await put(other, kill(3))
    const newest = other.files.get('in/press.a/latest.json')
    assert.ok(newest)
    Object.assign(store, { meanwhile: (path: string) => path.endsWith('latest.json') && store.files.set(path, newest) })
    assert.deepEqual(await put(store, live(2)), { kind: 'accepted' })
    assert.equal(latestIn(store).version, 3)
  })

  test('in another format puts the same version in another file, and latest.json names it', async () => {
    const store = createMemoryStore()
    await put(store, live(1))
    await put(store, live(1), { settings: { format: 'ninjs' } })
    assert.equal(json(store.files.get('in/press.a/v0001.json')?.bytes).standard.name, 'ninjs')
    assert.equal(latestIn(store).sha256.length, 64)
    const { associations } = json(store.files.get('in/press.a/v0001.json')?.bytes)
    const { title, href } = associations[0].renditions[1]
    assert.equal(title, `pictures/${SHA}-w1280-r1.jpg`)
    assert.equal(new URL(href).pathname, `/renditions/${SHA}/w1280-r1.jpg`, 'the schema wants an address with a scheme')
  })

  test('replaces a latest.json that is not ours, and no version of ours counts as somebody else’s', async () => {
    const store = createMemoryStore()
    for (const text of ['{"version":"9"}', 'no JSON', '[]', '']) {
      store.files.set('in/press.a/latest.json', { bytes: Buffer.from(text), contentType: 'application/json' })
      assert.deepEqual(await put(store, live(1)), { kind: 'accepted' })
      assert.equal(latestIn(store).version, 1)
    }
  })

  test('leaves out a picture that the outlet has no right to', async () => {
    const store = createMemoryStore()
    await put(store, live(1, { images: [{ ...picture, rights: { outlets: ['other'] } }] }))
    assert.deepEqual(store.written, ['in/press.a/v0001.json', 'in/press.a/latest.json'])
  })

  test('writes nothing for a process that may not own the outlet any more, and no latest.json once that is so', async () => {
    const store = createMemoryStore()
    assert.equal((await put(store, live(1), { mayStill: () => false })).kind, 'own')
    assert.deepEqual(store.written, [])
    let asked = 0
    assert.equal((await put(store, live(1), { mayStill: () => asked++ === 0 })).kind, 'own')
    assert.ok(!store.files.has('in/press.a/latest.json'))
  })

  test('that others change without end is given up for this attempt, with an alarm', async () => {
    const store = createMemoryStore()
    let n = 0
    const scribble = (path: string) => {
      if (path.endsWith('latest.json')) store.files.set(path, { bytes: Buffer.from(`${n++}`), contentType: '' })
    }
    Object.assign(store, { meanwhile: scribble })
    const outcome = await put(store, live(1))
    assert.ok(outcome.kind === 'failed' && outcome.alarm)
  })
})

test('two writers at once, of whom one should be gone, never put an older version over a newer one', async () => {
  const facts = [live(1), live(2), live(3), kill(4)]
  for (let seed = 0; seed < 300; seed++) {
    const random = createRandom(seed)
    const store = createMemoryStore()
    const shown: number[] = []
    /** Each step of a writer comes at a moment of its own. */
    const slow = (inner: MemoryStore): MemoryStore => {
      const later =
        <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
        async (...args: A): Promise<R> => {
          for (let turns = Math.floor(random() * 6); turns > 0; turns--) await null
          const result = await act(...args)
          const latest = inner.files.get('in/press.a/latest.json')
          if (latest) shown.push(latestIn(inner).version)
          return result
        }
      const { read, has, create, replace } = inner
      return { ...inner, read: later(read), has: later(has), create: later(create), replace: later(replace) }
    }
    const write = async (store: MemoryStore, some: readonly Fact[]) => {
      for (const fact of some) await put(store, fact)
    }
    const from = Math.floor(random() * 3)
    await Promise.all([write(slow(store), facts), write(slow(store), facts.slice(from, from + 2)), write(slow(store), [facts[3] as Fact])])
    assert.deepEqual(
      [...shown].sort((a, b) => a - b),
      shown,
      `seed ${seed}`,
    )
    assert.equal(latestIn(store).version, 4, `seed ${seed}`)
    assert.equal(latestIn(store).type, 'article.retracted')
  }
})

describe('a crash between any two writes', () => {
  for (const done of [false, true])
    test(`shows no half of a version, and the next attempt ends where one without a crash does (${done ? 'after' : 'before'} the write)`, async () => {
      const whole = createMemoryStore()
      await put(whole, live(1))
      await put(whole, live(2))
      await put(whole, kill(3))
      const steps = [live(1), live(2), kill(3)]
      for (let at = 0; at < whole.written.length; at++) {
        const store = createMemoryStore()
        store.cutAt(at, done)
        for (const fact of steps) {
          const outcome = await put(store, fact).catch((error: unknown) => assert.ok(error instanceof Cut))
          const latest = store.files.get('in/press.a/latest.json')
          if (latest) {
            const { file, sha256: _, pictures } = latestDocument.parse(json(latest.bytes))
            for (const name of [file, ...pictures.map(one => one.file)])
              assert.ok(store.files.has(`in/press.a/${name}`), `${name} is there`)
          }
          if (outcome === undefined) assert.deepEqual(await put(store, fact), { kind: 'accepted' })
        }
        assert.deepEqual([...store.files].sort(), [...whole.files].sort(), `cut at ${at}`)
      }
    })
})
