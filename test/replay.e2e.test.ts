/** What is delivered a second time changes nothing and is sent to nobody. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topics } from '@newswire/events/topics'
import { createWriter } from './support/articles.ts'
import { runCommand } from './support/newswire.ts'
import { makePng } from './support/pictures.ts'
import { listAll, readTopic, withLog, withObjects } from './support/stopped.ts'
import { articleIdOf, createSystem, formats, type Running, type System } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const FEEDS = ['all', 'thoi-su', 'the-thao', 'english']
const GROUPS = {
  images: topics.submissions.name,
  desk: topics.prepared.name,
  feeds: topics.articles.name,
  'feeds-build': topics.feedChanges.name,
  archive: topics.articles.name,
  'outlets-route': topics.articles.name,
  outlets: topics.deliveries.name,
} as const
type Group = keyof typeof GROUPS
/** What is delivered again together: all that publishers ever sent; all that was released; everything up to the partners' door. */
const RELEASED: readonly Group[] = ['feeds', 'archive', 'outlets-route']
const ROUNDS: readonly (readonly Group[])[] = [['images'], RELEASED, ['images', 'desk', 'feeds', 'feeds-build', 'archive', 'outlets-route']]

const deliverAgain = async (system: System, groups: readonly Group[]) =>
  await withLog(system, async log => {
    for (const group of groups) await log.replay(group, GROUPS[group], 'start')
    const waiting = (await Promise.all(groups.map(group => log.lag(group)))).flat()
    assert.ok(waiting.reduce((sum, one) => sum + one.records, 0) > 0, 'there is something to deliver again')
  })

/** As an operator does it: the command sets every group that handles the topic. */
const deliverAgainByCommand = async ({ dataDir }: System, topic: string, groups: readonly Group[]) => {
  const { code, stdout, output } = await runCommand({ args: ['replay', 'topic', topic, '--from', 'start', '--data', dataDir, '--json'] })
  assert.equal(code, 0, output)
  const done = (JSON.parse(stdout) as { groups: { group: string; records: number }[] }).groups
  assert.deepEqual(
    done.map(one => [one.group, one.records > 0]),
    groups.map(group => [group, true]),
  )
}

/** As they are, for a compressed one has a tag of its bytes, which are better compressed once the feed has been quiet. */
const readFeeds = async (running: Running) =>
  await Promise.all(
    FEEDS.flatMap(feed =>
      formats.map(async format => {
        const { status, text, headers } = await running.get(`/feeds/${feed}/${format}`, { 'accept-encoding': 'identity' })
        assert.equal(status, 200)
        return { feed, format, text, etag: headers.get('etag'), modified: headers.get('last-modified') }
      }),
    ),
  )

/** What no replay may change: every object of these kinds with its tag, and how many facts there are. */
const KEPT = [
  'current/',
  'archive/',
  'feeds/',
  'renditions/',
  'originals/',
  'native/',
  'outlets/routes/',
  'outlets/pending/',
  'config/',
  'holds/',
]
/** What the test itself makes by reading feeds: who reads is no effect of a delivery. */
const isOfReaders = ({ key }: { key: string }): boolean => key.endsWith('/readers.json')

const readState = async (system: System) => ({
  objects: await withObjects(system, async objects =>
    (await Promise.all(KEPT.map(prefix => listAll(objects, prefix)))).flat().filter(one => !isOfReaders(one)),
  ),
  articles: await withLog(system, async log =>
    (await readTopic(log, topics.articles.name)).map(one => `${one.headers['ce_id']} ${Buffer.from(one.value ?? []).toString()}`),
  ),
})

/** How many versions there are of each article; of the one with a picture one more, where that came late. */
const VERSIONS = [3, 1, 3, 2, 3, 1, 1, 1]

/** Waits for its picture to be shown, and says how many versions that took. */
const versionsOfPictured = async (running: Running, localId: string): Promise<number> => {
  await waitFor('its picture', async () =>
    (await running.get(`/articles/${articleIdOf(localId)}/article.json`)).text.includes('/renditions/'),
  )
  return ((await running.console(`/v1/articles/${articleIdOf(localId)}/trace`)).body['versions'] as unknown[]).length
}

/** No group has anything left to do. */
const atRest = async (running: Running) =>
  await waitFor(
    'every group to be at rest',
    async () => {
      const stages = (await running.console('/v1/lag')).body as unknown as { group: string; lag: number }[]
      return (
        stages.length >= Object.keys(GROUPS).length &&
        (stages.every(one => one.lag === 0) || Promise.reject(stages.filter(one => one.lag > 0)))
      )
    },
    { deadlineMs: 30_000 },
  )

test('whatever is delivered a second time changes nothing and is sent to nobody', async t => {
  const system = await createSystem(t, { outlets: ['tinh-doan', 'so-van-hoa'] })
  const first = await system.start()
  const write = createWriter(81)
  const { body } = await first.publisher.upload('bai-1', makePng({ width: 700, height: 500, seed: 81 }), 'image/png')
  const images = [{ url: String(body['url']), role: 'lead' as const, caption: 'Ảnh' }]
  const originals = Array.from({ length: 8 }, (_, n) =>
    write({ language: n % 2 === 0 ? 'vi' : 'en', categories: [n % 3 === 0 ? 'doi-song' : 'the-thao'] }),
  )
  for (const [n, article] of originals.entries()) await first.publish(`bai-${n}`, n === 1 ? { ...article, images } : article)
  await first.publish('bai-2', { ...write(), sourceVersion: 5 })
  await first.publish('bai-2', { ...write(), sourceVersion: 6 })
  // Back to earlier content: a change like any other, and no duplicate when it comes again.
  await first.publish('bai-0', write())
  await first.publish('bai-0', { ...originals[0] })
  for (const localId of ['bai-3', 'bai-4']) await first.publisher.retract(localId, { mode: 'withdraw', reason: 'thử' })
  await first.everywhere('bai-3', 2)
  await first.everywhere('bai-4', 2)
  await first.publisher.republish('bai-4')
  await first.everywhere('bai-4', 3)
  await first.settled(await first.put('bai-cam', { ...write(), embargoUntil: new Date(Date.now() + 3_600_000).toISOString() }), 'held')
  const pictured = await versionsOfPictured(first, 'bai-1')
  await first.everywhere('bai-1', pictured)
  await atRest(first)
  // While a feed changes more than once a second its date runs ahead of the clock, and the second of the answer is told until it has come.
  await waitFor('the dates of all feeds to have come', async () =>
    (await readFeeds(first)).every(({ modified }) => Date.parse(modified ?? '') < Date.now() - 2_000),
  )
  const feeds = await readFeeds(first)
  const sent = Object.values(system.partners).map(partner => partner.requests.length)
  for (const partner of Object.values(system.partners))
    assert.deepEqual(
      partner.requests.map(one => `${one.article.slice(-5)} v${one.version}`).sort(),
      VERSIONS.flatMap((count, n) => Array.from({ length: n === 1 ? pictured : count }, (_, before) => `bai-${n} v${before + 1}`)),
    )
  assert.deepEqual(await first.newswire.stop(), { code: 0, signal: null })
  const state = await readState(system)

  for (const round of ROUNDS)
    await t.test(`to ${round.join(', ')}`, async () => {
      if (round === RELEASED) await deliverAgainByCommand(system, topics.articles.name, round)
      else await deliverAgain(system, round)
      const running = await system.start()
      await atRest(running)
      assert.deepEqual(await readFeeds(running), feeds)
      const { body: trace } = await running.console(`/v1/articles/${articleIdOf('bai-4')}/trace`)
      assert.equal((trace['versions'] as unknown[]).length, 3)
      assert.deepEqual((await running.console('/v1/dead-letters')).body, [])
      assert.deepEqual(await running.newswire.stop(), { code: 0, signal: null })
      assert.deepEqual(await readState(system), state)
      assert.deepEqual(
        Object.values(system.partners).map(partner => partner.requests.length),
        sent,
        'nothing was sent',
      )
    })

  await t.test('intents themselves mean the current state, under the ids that partners know', async () => {
    await deliverAgain(system, ['outlets'])
    const running = await system.start()
    await atRest(running)
    for (const [n, { requests }] of Object.values(system.partners).entries()) {
      const first = requests.slice(0, sent[n])
      const again = requests.slice(sent[n])
      assert.equal(new Set(again.map(one => one.article)).size, again.length, 'each article once at most')
      assert.ok(again.every(one => first.some(before => before.id === one.id && before.body === one.body)))
    }
    assert.deepEqual(await running.newswire.stop(), { code: 0, signal: null })
    assert.deepEqual(await readState(system), state)
  })

  await t.test('and what comes next goes out as ever', async () => {
    const running = await system.start()
    const article = write({ categories: ['thoi-su'] })
    assert.equal(await running.publish('bai-0', article), 4)
    for (const partner of Object.values(system.partners)) assert.equal(partner.held(articleIdOf('bai-0'))?.article['title'], article.title)
  })
  for (const partner of Object.values(system.partners)) assert.deepEqual(partner.findOffences(), [])
})
