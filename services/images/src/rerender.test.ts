/** A changed table of presets, on a real store and with a real decoder. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Picture } from '@newswire/events/article'
import type { NewswireEvent } from '@newswire/events/events'
import type { LiveFact } from '@newswire/events/fact'
import { sha256Hex } from '@newswire/events/ids'
import { picturesConfig } from '@newswire/events/picture-config'
import { sampleFact } from '@newswire/events/sample-fact'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import type { Outbound } from '@newswire/outbound/outbound'
import { createShared } from '@newswire/runtime/shared'
import { createDecoder } from './decoder.ts'
import { tableOf, toPlan } from './presets.ts'
import { rerenderAll } from './rerender.ts'
import { makePng } from './sample-pictures.ts'
import { type Settle, type Settled, settlePicture } from './settle-picture.ts'

const narrow = toPlan(picturesConfig.parse({ presets: [{ name: 'w320', width: 320 }] }))
const wide = toPlan(
  picturesConfig.parse({
    presets: [
      { name: 'w320', width: 320 },
      { name: 'w100', width: 100 },
    ],
  }),
)
const never = new AbortController().signal

const factOf = (articleId: string, images: readonly Picture[]): LiveFact =>
  sampleFact({ articleId, submissionId: `s-${articleId}`, article: { images: [...images] } })

const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-rerender-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  const decoder = createDecoder({ processes: 1 })
  t.after(async () => {
    await decoder.stop()
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  let plan = narrow
  let rendered = 0
  const published: NewswireEvent<'pictures.arrived'>[] = []
  const counting = {
    ...decoder,
    render: (...args: Parameters<typeof decoder.render>) => {
      rendered++
      return decoder.render(...args)
    },
  }
  const settleNeeds = {
    objects,
    outbound: {} as Outbound,
    decoder: counting,
    plan: () => plan,
    shared: createShared<Settled>(),
    now: Date.now,
  }
  const settle: Settle = (picture, settleFor, signal) => settlePicture(settleNeeds, picture, settleFor, signal)
  const needs = {
    objects,
    settle,
    publish: async (events: readonly NewswireEvent[]) => {
      for (const event of events) if (event.type === 'pictures.arrived') published.push(event)
      return []
    },
    table: () => tableOf(plan),
    defaultTable: tableOf(narrow),
    partitions: (): readonly number[] => [0],
    partitionOf: (articleId: string) => (articleId.endsWith('elsewhere') ? 1 : 0),
    pageSize: 2,
  }
  /** An article that is out with a picture, rendered by the table in force. */
  const release = async (articleId: string, width: number) => {
    const bytes = makePng(width, 40)
    const sha256 = sha256Hex(bytes)
    await objects.put(keys.original(sha256), bytes)
    const waiting: Picture = {
      url: 'https://press.example/p.png',
      role: 'lead',
      caption: '',
      alt: '',
      credit: '',
      state: 'waiting',
      renditions: [],
    }
    const settled = await settle({ ...waiting, url: `newswire:${sha256}` }, { articleId, lane: 'live', rights: undefined }, never)
    assert.ok(settled.outcome === 'settled' && settled.picture.state === 'ready')
    const fact = factOf(articleId, [{ ...settled.picture, url: waiting.url }])
    await objects.put(keys.current(articleId), Buffer.from(JSON.stringify({ released: { fact } })))
  }
  return {
    objects,
    needs,
    published,
    release,
    rendered: () => rendered,
    change: (to: typeof plan) => {
      plan = to
    },
  }
}

test('a changed table gives every live article its new renditions, once; the same table asks for nothing', async t => {
  const { needs, published, release, change, rendered } = await open(t)
  for (const [index, id] of ['press.a', 'press.b', 'press.c', 'press.d-elsewhere'].entries()) await release(id, 200 + index)
  await rerenderAll(needs, never)
  assert.equal(published.length, 0)
  change(wide)
  const before = rendered()
  await rerenderAll(needs, never)
  assert.deepEqual(
    published.map(one => one.data.articleId),
    ['press.a', 'press.b', 'press.c'],
  )
  assert.deepEqual(
    published[0]?.data.pictures.map(one => [one.url, one.state, one.renditions.map(rendition => rendition.preset).join()]),
    [['https://press.example/p.png', 'ready', 'w320,w100']],
  )
  await rerenderAll(needs, never)
  assert.equal(published.length, 3)
  assert.equal(rendered() - before, 3)
})

test('a process that stops on the way leaves the rest to the next one, which announces what was announced under the same id', async t => {
  const { needs, published, release, change } = await open(t)
  for (const [index, id] of ['press.a', 'press.b', 'press.c'].entries()) await release(id, 200 + index)
  change(wide)
  const stopping = new AbortController()
  const settle: Settle = (picture, settleFor, signal) => {
    if (settleFor.articleId === 'press.b') stopping.abort()
    return needs.settle(picture, settleFor, signal)
  }
  await rerenderAll({ ...needs, settle }, stopping.signal)
  assert.deepEqual(
    published.map(one => one.data.articleId),
    ['press.a'],
  )
  await rerenderAll(needs, never)
  const ids = new Map(published.map(one => [one.id, one.data.articleId]))
  assert.deepEqual([...ids.values()], ['press.a', 'press.b', 'press.c'])
})

test('a table changed once more while the articles are gone through starts them again', async t => {
  const { needs, published, release, change } = await open(t)
  for (const [index, id] of ['press.a', 'press.b'].entries()) await release(id, 200 + index)
  change(wide)
  const settle: Settle = async (picture, settleFor, signal) => {
    const settled = await needs.settle(picture, settleFor, signal)
    change(narrow)
    return settled
  }
  await rerenderAll({ ...needs, settle }, never)
  await rerenderAll(needs, never)
  assert.deepEqual(
    published.map(one => one.data.articleId),
    ['press.a'],
  )
  change(wide)
  await rerenderAll(needs, never)
  assert.deepEqual([...new Set(published.map(one => one.data.articleId))], ['press.a', 'press.b'])
})
