import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { FeedConfig } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { feedFiles, feedOutputs } from '@newswire/events/feed'
import { sha256Hex } from '@newswire/events/ids'
import { createDiskObjects } from '@newswire/objects/disk'
import { getBundled, partsOf } from '@newswire/objects/feed-bundle'
import { keys } from '@newswire/objects/keys'
import type { Objects, PutOptions } from '@newswire/objects/objects'
import { getUnpacked, unpack } from '@newswire/objects/packed'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { type Builder, type Built, createBuilder } from './build.ts'
import { deleteLoose, retireFeed } from './feed-store.ts'
import { createFragmentCache } from './fragments.ts'
import { createProfiles } from './profile.ts'
import { categories, feedOf, makeFact, makeRetraction, site } from './sample-facts.ts'
import { createStates } from './states.ts'
import type { Outputs } from './window.ts'
import { findXmlFault } from './xml.ts'

const snapshotOf = (...feeds: FeedConfig[]): ConfigSnapshot => ({
  site,
  network: { allow: [], allowHttp: false },
  publishers: new Map(),
  categories,
  feeds: new Map(feeds.map(feed => [feed.id, feed])),
  outlets: new Map(),
})
const plain = snapshotOf(feedOf())

const openStore = async (t: TestContext): Promise<Objects> => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-feeds-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    await rm(root, { recursive: true, force: true })
  })
  return objects
}

/** What the desk does before it publishes. */
const release = async (objects: Objects, ...facts: Fact[]): Promise<void> => {
  for (const fact of facts) {
    const done = await objects.put(keys.current(fact.articleId), Buffer.from(JSON.stringify({ released: { fact } })))
    assert.ok(done.ok)
  }
}

/** A process that just started: nothing in mind. */
const startBuilder = (objects: Pick<Objects, 'get' | 'put'>): Builder =>
  createBuilder({ objects, states: createStates({ objects }), fragments: createFragmentCache(), profileOf: createProfiles() })

type Asked = Fact | { articleId: string; version: number }
const build = (
  builder: Builder,
  asked: readonly Asked[],
  options: { snapshot?: ConfigSnapshot; position?: number; lookedAt?: string } = {},
) =>
  builder.build(
    {
      feedId: 'all',
      articles: new Map(asked.map(one => [one.articleId, one.version])),
      lookedAt: options.lookedAt ?? null,
      position: options.position ?? 0,
    },
    options.snapshot ?? plain,
    new AbortController().signal,
  )
const must = (built: Built | null): Built => {
  assert.ok(built)
  return built
}

const files = ['rss.xml', 'atom.xml', 'feed.json', 'news-sitemap.xml'] as const
const BUNDLE = keys.feed('all', 'feed.bundle')
const read = async (objects: Objects, file: (typeof files)[number] | 'window.json' = 'rss.xml'): Promise<string> =>
  Buffer.from((await getUnpacked({ get: getBundled(objects) }, keys.feed('all', file)))?.bytes ?? []).toString()
const tagOf = async (objects: Objects) => (await objects.head(BUNDLE))?.etag
/** As feeds were kept before there were bundles. */
const unbundle = async (objects: Objects) => {
  for (const file of [...files, 'window.json' as const])
    await objects.put(keys.feed('all', file), Buffer.from(await read(objects, file)), { durable: false })
  await objects.delete(BUNDLE)
}
const guidsIn = (rss: string) => [...rss.matchAll(/<guid[^>]*>tag:news\.example,2026:([^<]*)</g)].map(match => match[1])
const three = (): Fact[] =>
  ['a', 'b', 'c'].map((id, index) => makeFact({ articleId: `baoqk.${id}`, firstReleasedAt: `2026-03-0${index + 1}T08:00:00.000Z` }))

test('a changed article is in all files, whole and well-formed', async t => {
  const objects = await openStore(t)
  await release(objects, ...three())
  const built = must(await build(startBuilder(objects), three()))
  assert.deepEqual(guidsIn(await read(objects)), ['baoqk.c', 'baoqk.b', 'baoqk.a'])
  assert.equal(findXmlFault(await read(objects, 'rss.xml'), 'document'), null)
  assert.equal(findXmlFault(await read(objects, 'atom.xml'), 'document'), null)
  assert.equal(findXmlFault(await read(objects, 'news-sitemap.xml'), 'document'), null)
  assert.equal(JSON.parse(await read(objects, 'feed.json')).items.length, 3)
  assert.equal(built.items, 3)
  assert.equal(built.updatedAt, '2026-03-01T08:00:00.000Z')
})

test('unchanged state rewrites nothing: tags, bytes and counter stay, in the same process and in a new one', async t => {
  const objects = await openStore(t)
  await release(objects, ...three())
  const builder = startBuilder(objects)
  const first = must(await build(builder, three(), { position: 5 }))
  const tag = await tagOf(objects)
  for (const again of [builder, startBuilder(objects)]) {
    const repeated = must(await build(again, three(), { position: 900 }))
    assert.equal(repeated.written, false)
    assert.equal(repeated.window.counter, first.window.counter)
    assert.deepEqual(repeated.outputs, first.outputs)
    assert.equal(await tagOf(objects), tag)
  }
})

test('the counter is above the position of its cause, so it rises even when all that was kept is lost', async t => {
  const objects = await openStore(t)
  await release(objects, ...three())
  const first = must(await build(startBuilder(objects), three(), { position: 41 }))
  assert.equal(first.window.counter, 42)
  await objects.delete(BUNDLE)
  const second = must(await build(startBuilder(objects), three(), { position: 50 }))
  assert.ok(second.window.counter > first.window.counter)
})

test('a retraction that is told again, because its substitute went, is no newer notice, and none once its time is over', async t => {
  const objects = await openStore(t)
  const builder = startBuilder(objects)
  await build(builder, three())
  const today = '2026-03-20T08:00:00.000Z'
  const replaced = (name: string, updatedAt: string, releasedAt: string, goneReferences?: string[]) =>
    makeRetraction({
      articleId: `baoqk.${name}`,
      version: 3,
      releasedAt,
      updatedAt,
      retraction: { mode: 'replace', reason: 'r', legal: false, redirectTo: 'x' },
      ...(goneReferences === undefined ? {} : { goneReferences }),
    })
  const facts = [
    replaced('old', '2026-03-02T08:00:00.000Z', today, ['x']),
    replaced('late', '2026-03-18T08:00:00.000Z', today, ['x']),
    replaced('new', today, today),
  ]
  await release(objects, ...facts)
  const { window } = must(await build(builder, facts))
  assert.deepEqual(
    window.entries.filter(one => one.kind === 'notice').map(one => one.articleId),
    ['baoqk.late', 'baoqk.new'],
  )
  assert.match(
    await read(objects, 'atom.xml'),
    /<at:deleted-entry ref="tag:news\.example,2026:baoqk\.late" when="2026-03-18T08:00:00\.000Z">/,
  )
})

test('a retraction replaces the article by a notice at once', async t => {
  const objects = await openStore(t)
  await release(objects, ...three())
  const builder = startBuilder(objects)
  await build(builder, three())
  const gone = makeRetraction({
    articleId: 'baoqk.b',
    version: 2,
    firstReleasedAt: '2026-03-02T08:00:00.000Z',
    releasedAt: '2026-03-04T08:00:00.000Z',
  })
  await release(objects, gone)
  await build(builder, [gone])
  const rss = await read(objects)
  assert.deepEqual(guidsIn(rss), ['baoqk.c', 'baoqk.b', 'baoqk.a'])
  assert.equal(rss.split('<content:encoded>').length - 1, 2)
  assert.match(await read(objects, 'atom.xml'), /<at:deleted-entry ref="tag:news\.example,2026:baoqk\.b" when="2026-03-04T08:00:00\.000Z">/)
  const item = JSON.parse(await read(objects, 'feed.json')).items.find((one: { id: string }) => one.id.endsWith('.b'))
  assert.equal(item._newswire.status, 'retracted')
})

test('state decides, not the intent: an old intent shows the newest version', async t => {
  const objects = await openStore(t)
  await release(objects, makeFact({ version: 7, article: { title: 'Seventh' } }))
  const built = must(await build(startBuilder(objects), [{ articleId: 'baoqk.a-1', version: 2 }]))
  assert.equal(built.window.entries[0]?.version, 7)
  assert.match(await read(objects), /<title>Seventh</)
})

test('one article that cannot be rendered is left out alone, and the next takes its place', async t => {
  const objects = await openStore(t)
  const facts = [...three(), makeFact({ articleId: 'baoqk.bad', firstReleasedAt: '2026-03-09T08:00:00.000Z', article: { title: '' } })]
  await release(objects, ...facts)
  const built = must(await build(startBuilder(objects), facts))
  assert.deepEqual(guidsIn(await read(objects)), ['baoqk.c', 'baoqk.b', 'baoqk.a'])
  assert.deepEqual([...built.quarantined.keys()], ['baoqk.bad'])
  await release(objects, makeFact({ articleId: 'baoqk.bad', version: 2, firstReleasedAt: '2026-03-09T08:00:00.000Z' }))
  await build(startBuilder(objects), [{ articleId: 'baoqk.bad', version: 2 }])
  assert.deepEqual(guidsIn(await read(objects)), ['baoqk.bad', 'baoqk.c', 'baoqk.b'])
})

test('an article whose state cannot be read costs the feed nothing else', async t => {
  const objects = await openStore(t)
  await release(objects, ...three())
  await objects.put(keys.current('baoqk.torn'), Buffer.from('{"released":'))
  const built = must(await build(startBuilder(objects), [...three(), { articleId: 'baoqk.torn', version: 1 }]))
  assert.equal(built.items, 3)
  assert.equal((built.states.get('baoqk.torn') as { code?: string }).code, 'NEWSWIRE_OBJECTS_DOCUMENT')
})

test('a new rule moves articles in and out, whatever intent comes first', async t => {
  const objects = await openStore(t)
  const facts = [
    makeFact({ articleId: 'baoqk.defence', article: { categories: ['quoc-phong'] } }),
    makeFact({ articleId: 'baoqk.culture', article: { categories: ['van-hoa'] } }),
  ]
  await release(objects, ...facts)
  const builder = startBuilder(objects)
  await build(builder, facts)
  const culture = snapshotOf(feedOf({ match: { categories: ['van-hoa'] } }))
  await build(builder, [], { snapshot: culture, lookedAt: '2026-03-02T00:00:00.000Z' })
  assert.deepEqual(guidsIn(await read(objects)), ['baoqk.culture'])
  await build(builder, [{ articleId: 'baoqk.defence', version: 1 }])
  assert.deepEqual(guidsIn(await read(objects)), ['baoqk.culture', 'baoqk.defence'])
})

test('a feed that is not in force is not built', async t => {
  const objects = await openStore(t)
  assert.equal(await build(startBuilder(objects), [], { snapshot: snapshotOf() }), null)
})

test('an empty feed is built once and then left alone', async t => {
  const objects = await openStore(t)
  const look = { lookedAt: '2026-03-02T00:00:00.000Z' }
  assert.equal(must(await build(startBuilder(objects), [], look)).written, true)
  const tag = await tagOf(objects)
  assert.equal(must(await build(startBuilder(objects), [], { lookedAt: '2026-03-03T00:00:00.000Z' })).written, false)
  assert.equal(await tagOf(objects), tag)
})

test('after two days an article leaves the sitemap at a look, and nothing else of the feed changes', async t => {
  const objects = await openStore(t)
  await release(objects, ...three())
  const builder = startBuilder(objects)
  const first = must(await build(builder, three()))
  assert.match(await read(objects, 'news-sitemap.xml'), /baoqk\.c/)
  const later = must(await build(builder, [], { lookedAt: '2026-03-09T00:00:00.000Z' }))
  assert.equal(later.written, true)
  assert.doesNotMatch(await read(objects, 'news-sitemap.xml'), /baoqk/)
  const { sitemap: _, ...formats } = first.outputs
  const { sitemap: __, ...same } = later.outputs
  assert.deepEqual(same, formats)
  const again = must(await build(startBuilder(objects), [], { lookedAt: '2026-03-09T01:00:00.000Z' }))
  assert.equal(again.written, false)
})

test('a feed that an older build kept file by file goes on from there, under a bundle of its own', async t => {
  const objects = await openStore(t)
  await release(objects, ...three())
  const before = must(await build(startBuilder(objects), three(), { position: 5 }))
  await unbundle(objects)
  const more = makeFact({ articleId: 'baoqk.d', firstReleasedAt: '2026-03-04T08:00:00.000Z' })
  await release(objects, more)
  const built = must(await build(startBuilder(objects), [more], { position: 6 }))
  assert.ok(built.window.counter > before.window.counter)
  assert.deepEqual(guidsIn(await read(objects)), ['baoqk.d', 'baoqk.c', 'baoqk.b'])
})

test('of a feed that was kept file by file nothing is left once it has a bundle, and all until then', async t => {
  const objects = await openStore(t)
  await release(objects, ...three())
  await build(startBuilder(objects), three())
  await unbundle(objects)
  const loose = async () => (await objects.list('feeds/all/')).map(({ key }) => key).filter(key => key !== BUNDLE)
  assert.equal((await loose()).length, 5)
  const bytes = await read(objects)
  must(await build(startBuilder(objects), three(), { position: 5 }))
  await assert.rejects(deleteLoose({ ...objects, delete: async () => assert.fail('the process died here') }, 'all'), /died here/)
  await deleteLoose(objects, 'all')
  assert.deepEqual(await loose(), [])
  assert.equal(await read(objects), bytes)
})

test('a feed that was kept file by file and is no longer in force leaves nothing to read', async t => {
  const objects = await openStore(t)
  await release(objects, ...three())
  await build(startBuilder(objects), three())
  await unbundle(objects)
  for (let time = 0; time < 2; time += 1) {
    await retireFeed(objects, 'all')
    assert.deepEqual(
      (await objects.list('feeds/all/')).map(({ key }) => key),
      [BUNDLE],
    )
    assert.equal(await read(objects), '')
  }
  const again = must(await build(startBuilder(objects), three(), { lookedAt: '2026-03-02T00:00:00.000Z' }))
  assert.equal(again.items, 3)
})

test('a feed that is no longer in force leaves nothing to read when its bundle is damaged, and is tried again when somebody else wrote it meanwhile', async t => {
  const objects = await openStore(t)
  await release(objects, ...three())
  await build(startBuilder(objects), three())
  await objects.put(BUNDLE, Buffer.from('damaged'))
  assert.equal(await retireFeed({ ...objects, put: async () => ({ ok: false, reason: 'stale' }) }, 'all'), false)
  assert.equal(await retireFeed(objects, 'all'), true)
  assert.equal(await read(objects), '')
  const { etag } = (await objects.head(BUNDLE)) ?? {}
  assert.equal(await retireFeed(objects, 'all'), true)
  assert.equal((await objects.head(BUNDLE))?.etag, etag, 'again is nothing')
})

test('what the store keeps is as it is until packing pays, then gzip, and what is at hand is what it says', async t => {
  const objects = await openStore(t)
  const puts: (Pick<PutOptions, 'atHand'> & { bytes: Uint8Array })[] = []
  const watched: Pick<Objects, 'get' | 'put'> = {
    get: objects.get,
    put: (key, bytes, options = {}) => {
      puts.push({ ...options, bytes })
      return objects.put(key, bytes, options)
    },
  }
  const builder = startBuilder(watched)
  const seen: boolean[] = []
  for (let day = 1; day <= 14; day += 1) {
    const html = `<p>${`${day} bến đò chợ sớm. `.repeat(200)}</p>`
    const fact = makeFact({
      articleId: `baoqk.n-${day}`,
      firstReleasedAt: `2026-03-${day + 10}T08:00:00.000Z`,
      article: { body: { html } },
    })
    await release(objects, fact)
    const built = must(await build(builder, [fact], { snapshot: snapshotOf(feedOf({ limit: 50 })) }))
    assert.equal(puts.length, day, 'a build is one write')
    const put = puts.at(-1)
    const parts = partsOf(put?.bytes ?? new Uint8Array())
    for (const output of feedOutputs) {
      const file = feedFiles[output].name
      const kept = parts?.get(file)
      const plain = await unpack(file, kept?.bytes ?? new Uint8Array())
      assert.equal(sha256Hex(plain), built.outputs[output]?.sha256)
      assert.equal(kept?.sha256, built.outputs[output]?.sha256)
      const atHand = put?.atHand?.find(one => one.key === keys.feed('all', file))
      assert.equal(sha256Hex(atHand?.bytes() ?? ''), atHand?.sha256)
      assert.deepEqual([atHand?.size, atHand?.sha256], [plain.length, built.outputs[output]?.sha256])
    }
    seen.push(parts?.get('rss.xml')?.bytes[0] === 0x1f)
  }
  assert.deepEqual([seen[0], seen.at(-1)], [false, true])
})

test('a damaged bundle, window or file is made again when the feed is looked at', async t => {
  const objects = await openStore(t)
  await release(objects, ...three())
  const builder = startBuilder(objects)
  const first = must(await build(builder, three()))
  const whole = Buffer.from((await objects.get(BUNDLE))?.bytes ?? [])
  const atom = whole.indexOf('<feed')
  assert.notEqual(atom, -1)
  const damaged = [
    Buffer.from('{'),
    whole.subarray(0, whole.length / 2),
    whole.subarray(0, -1),
    Buffer.concat([whole, Buffer.from(' ')]),
    Buffer.concat([whole.subarray(0, atom), Buffer.from('<fee>'), whole.subarray(atom + 5)]),
    Buffer.from(whole.toString('latin1').replace('"schema"', '"sch*ma"'), 'latin1'),
  ]
  for (const [index, bytes] of damaged.entries()) {
    await objects.put(BUNDLE, bytes)
    const healed = must(await build(builder, three(), { lookedAt: '2026-03-01T13:00:00.000Z', position: 10 * (index + 1) }))
    assert.equal(healed.written, true, `${index}`)
    assert.deepEqual(hashesOf(healed.outputs), hashesOf(first.outputs))
    assert.equal(findXmlFault(await read(objects, 'atom.xml'), 'document'), null)
  }
})

/** Without dates, which tell how often a file has changed. */
const hashesOf = (outputs: Outputs) => Object.values(outputs).map(one => one?.sha256)

for (const [when, die] of [
  ['before', async () => undefined],
  ['after', async (objects: Objects, ...put: Parameters<Objects['put']>) => void (await objects.put(...put))],
] as const)
  test(`killed ${when} its write, the repeat ends with the same bytes and a counter that never falls`, async t => {
    const objects = await openStore(t)
    await release(objects, ...three())
    const [first] = three()
    const earlier = must(await build(startBuilder(objects), first ? [first] : [], { position: 1 }))
    const dying: Pick<Objects, 'get' | 'put'> = {
      get: objects.get,
      put: async (...put) => {
        await die(objects, ...put)
        throw new Error('the process died here')
      },
    }
    await assert.rejects(build(startBuilder(dying), three(), { position: 2 }), /died here/)
    const healed = must(await build(startBuilder(objects), three(), { position: 2 }))
    assert.equal(healed.written, when === 'before')
    assert.ok(healed.window.counter > earlier.window.counter)
    assert.deepEqual(guidsIn(await read(objects)), ['baoqk.c', 'baoqk.b', 'baoqk.a'])
    const whole = await openStore(t)
    await release(whole, ...three())
    assert.deepEqual(hashesOf(healed.outputs), hashesOf(must(await build(startBuilder(whole), three())).outputs))
    for (const file of files) assert.equal(await read(objects, file), await read(whole, file))
    assert.equal(must(await build(startBuilder(objects), three(), { position: 3 })).written, false)
  })

test('a late builder never puts older bytes over newer ones: it loses its swap and starts over', async t => {
  const objects = await openStore(t)
  const [a, b, c] = three() as [Fact, Fact, Fact]
  await release(objects, a, b)
  const late = startBuilder(objects)
  await build(late, [a])
  await release(objects, c)
  const newer = must(await build(startBuilder(objects), [b, c], { position: 7 }))
  const done = must(await build(late, [b], { position: 6 }))
  assert.deepEqual(done.outputs, newer.outputs)
  assert.equal(done.written, false)
  assert.deepEqual(guidsIn(await read(objects)), ['baoqk.c', 'baoqk.b', 'baoqk.a'])
})

test('a builder that stalls before its write does not put it over newer ones', async t => {
  const objects = await openStore(t)
  const [a, b, c] = three() as [Fact, Fact, Fact]
  await release(objects, a, b)
  await build(startBuilder(objects), [a])
  let stalled = true
  const stalling: Pick<Objects, 'get' | 'put'> = {
    get: objects.get,
    put: async (key, ...rest) => {
      if (stalled && key === BUNDLE) {
        stalled = false
        await release(objects, c)
        await build(startBuilder(objects), [b, c], { position: 7 })
      }
      return objects.put(key, ...rest)
    },
  }
  const done = must(await build(startBuilder(stalling), [b], { position: 6 }))
  assert.equal(stalled, false)
  assert.deepEqual(guidsIn(await read(objects)), ['baoqk.c', 'baoqk.b', 'baoqk.a'])
  assert.deepEqual(JSON.parse(await read(objects, 'window.json')).outputs, done.outputs)
})

test('two builders at once end with one feed that has everything', async t => {
  const objects = await openStore(t)
  const facts = Array.from({ length: 12 }, (_, index) => makeFact({ articleId: `baoqk.n${index}` }))
  await release(objects, ...facts)
  const wide = snapshotOf(feedOf({ limit: 50 }))
  const builders = [startBuilder(objects), startBuilder(objects)]
  await Promise.all(
    facts.map((fact, index) =>
      (builders[index % 2] as Builder)
        .build(
          { feedId: 'all', articles: new Map([[fact.articleId, 1]]), lookedAt: null, position: index },
          wide,
          new AbortController().signal,
        )
        .catch(() => null),
    ),
  )
  await build(startBuilder(objects), facts, { snapshot: wide })
  assert.equal(new Set(guidsIn(await read(objects))).size, 12)
})

test('all that is kept of a feed can be deleted and comes back byte for byte', async t => {
  const objects = await openStore(t)
  await release(objects, ...three())
  await build(startBuilder(objects), three())
  const before = await Promise.all(files.map(file => read(objects, file)))
  await objects.delete(BUNDLE)
  await build(startBuilder(objects), three(), { position: 30 })
  assert.deepEqual(await Promise.all(files.map(file => read(objects, file))), before)
})
