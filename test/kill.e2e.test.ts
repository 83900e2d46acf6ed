/** Nothing that was answered 202 is lost, and nothing older is shown after something newer, however often the process dies. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { findFreePort } from '../infra/test/ports.ts'
import type { FeedItem } from './support/feed-reader.ts'
import { startUp } from './support/newswire.ts'
import type { PartnerMode } from './support/partner-modes.ts'
import { createPublisher, type Publisher } from './support/publisher.ts'
import { createRandom } from './support/random.ts'
import { articleIdOf, createSystem, formats, type Running, tagOf, tokens } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const SEED = 20_261_124
/** Ends of the process: three are clean stops, the rest and five more during a start are kills. */
const ENDS = 20
const CLIENTS = 8
/** Between two requests of a client, ms: about seventy a second together. */
const PACE_MS = 100
const RETRACTED = Number.POSITIVE_INFINITY

/** What the second partner does between two kills. */
const MODES: readonly PartnerMode[] = ['ok', 'ok', 'down', 'hang', { status: 500 }, { afterMs: 150 }]

const assertKilledEarly = (error: Error) => assert.match(error.message, /no ready line within/)

type Sent = {
  readonly localId: string
  readonly categories: readonly string[]
  readonly language: 'vi' | 'en'
  versions: number
  retracted: boolean
}

const titleOf = (localId: string, version: number): string => `Bài ${localId} bản ${version}`
const toArticle = ({ localId, categories, language }: Sent, version: number) => ({
  sourceVersion: version,
  language,
  title: titleOf(localId, version),
  summary: '',
  body: { html: `<p>Nội dung ${localId}, bản ${version}.</p>` },
  byline: '',
  categories,
  tags: [],
})

/** Asks until it is answered: what got no answer may have been taken, and goes again under its key. */
const untilAnswered = async (what: string, ask: () => Promise<{ status: number; body: unknown }>): Promise<void> => {
  await waitFor(
    what,
    async () => {
      const { status, body } = await ask()
      if (status === 202) return true
      assert.equal(status, 503, `${what}: ${JSON.stringify(body)}`)
      return false
    },
    { deadlineMs: 60_000, everyMs: 100 },
  )
}

/** One client: new articles, versions of them one after the other, now and then a retraction, which is the article's end. */
const publishUntil = async (client: number, publisher: Publisher, stopped: AbortSignal, articles: Sent[]) => {
  const random = createRandom(SEED + client)
  const mine: Sent[] = []
  const begin = (): Sent => {
    const localId = `c${client}-${mine.length + 1}`
    const categories = [random.pick(['thoi-su', 'doi-song', 'the-thao'])]
    const one: Sent = { localId, categories, language: random.pick(['vi', 'en']), versions: 0, retracted: false }
    mine.push(one)
    articles.push(one)
    return one
  }
  while (!stopped.aborted) {
    const open = mine.filter(one => !one.retracted)
    const one = open.length === 0 || random.next() < 0.3 ? begin() : random.pick(open)
    if (one.versions > 1 && random.next() < 0.1) {
      await untilAnswered(`retraction of ${one.localId}`, () => publisher.retract(one.localId, { mode: 'withdraw', reason: 'thử' }))
      one.retracted = true
    } else {
      const version = one.versions + 1
      await untilAnswered(`${one.localId} ${version}`, () =>
        publisher.put(one.localId, toArticle(one, version), `${one.localId}-${version}`),
      )
      one.versions = version
    }
    await pause(PACE_MS * 2 * random.next())
  }
}

const versionIn = ({ title }: Pick<FeedItem, 'title'>): number => Number(/ bản (\d+)$/.exec(title)?.[1] ?? RETRACTED)

/** Reads the feeds as they change and remembers what each reader saw of each article; what was older than before is an offence. */
const watchFeeds = async (running: Running, stopped: AbortSignal, offences: string[]) => {
  const readers = ['all', 'thoi-su', 'the-thao', 'english'].flatMap(feed =>
    formats.map(format => ({ name: `${feed}/${format}`, reader: running.feed(feed, format), seen: new Map<string, number>() })),
  )
  const random = createRandom(SEED)
  while (!stopped.aborted) {
    const { name, reader, seen } = random.pick(readers)
    // Away while it restarts.
    const view = await reader.read().catch(() => null)
    const items = view === null || view.notModified ? [] : view.items
    for (const item of items) {
      const version = versionIn(item)
      const before = seen.get(item.id) ?? 0
      if (version < before) offences.push(`${name} showed ${item.id} ${version} after ${before}`)
      seen.set(item.id, version)
    }
    for (const id of view?.deleted ?? []) seen.set(id, RETRACTED)
    await pause(40)
  }
}

const feedsOf = ({ categories, language }: Sent): string[] => [
  'all',
  ...(categories.includes('the-thao') ? ['the-thao'] : ['thoi-su']),
  ...(language === 'en' ? ['english'] : []),
]

const assertInFeeds = async (running: Running, articles: readonly Sent[]) => {
  for (const feed of ['all', 'thoi-su', 'the-thao', 'english']) {
    const wanted = articles.filter(one => feedsOf(one).includes(feed))
    for (const format of formats)
      await waitFor(`${feed}/${format} to show every article as it is now`, async () => {
        const { items, deleted } = await running.feed(feed, format).read()
        const shown = new Map([...items.map(item => [item.id, versionIn(item)] as const), ...deleted.map(id => [id, RETRACTED] as const)])
        const wrong = wanted.filter(one => shown.get(tagOf(one.localId)) !== (one.retracted ? RETRACTED : one.versions))
        assert.deepEqual(
          wrong.map(one => `${one.localId}: ${one.versions} ${one.retracted}, shown ${shown.get(tagOf(one.localId))}`),
          [],
        )
        assert.equal(shown.size, wanted.length, 'nothing else is in it')
        return true
      })
  }
}

const assertArchived = async (running: Running, { localId, versions, retracted }: Sent) => {
  const all = Array.from({ length: versions + (retracted ? 1 : 0) }, (_, index) => index + 1)
  const path = `/v1/articles/${articleIdOf(localId)}/versions`
  await waitFor(`${localId} to be archived whole`, async () => {
    assert.deepEqual((await running.console(path)).body['versions'], all)
    return true
  })
  for (const version of all) {
    const { fact } = (await running.console(`${path}/${version}`)).body as { fact: { state: string; article?: { title: string } } }
    assert.equal(fact.state, version > versions ? 'retracted' : 'live')
    if (version <= versions) assert.equal(fact.article?.title, titleOf(localId, version))
  }
}

test('killed at twenty random moments under load, it loses nothing and shows nothing older after something newer', async t => {
  const system = await createSystem(t, { outlets: ['tinh-doan', 'so-van-hoa'], retryScale: 0.02 })
  const failing = system.partners['so-van-hoa']
  assert.ok(failing)
  // Its own while it is down, too: what the kernel gives to whoever asks might be a connection's of ours by then.
  const ports = { gateway: await findFreePort(), ingest: await findFreePort(), console: await findFreePort() }
  const first = await system.start({ ports })
  const { dataDir, configFile, env } = system
  const random = createRandom(SEED)
  const stop = new AbortController()
  const articles: Sent[] = []
  const offences: string[] = []
  const publisher = createPublisher(first.newswire.url('ingest'), tokens.all)
  const watching = watchFeeds(first, stop.signal, offences)
  const publishing = Promise.all(Array.from({ length: CLIENTS }, (_, client) => publishUntil(client, publisher, stop.signal, articles)))
  const work = Promise.all([watching, publishing])
  work.catch(() => undefined)
  let running = first.newswire
  const start = (deadlineMs: number) => startUp(t, { dataDir, configFile, env, ports, deadlineMs })
  try {
    for (let kill = 0; kill < ENDS; kill += 1) {
      await failing.setMode(random.pick(MODES))
      await pause(random.between(30, 900))
      // A clean stop in between, under the same load, must end well too.
      if (kill % 6 === 5) assert.deepEqual(await running.stop(), { code: 0, signal: null })
      else await running.kill()
      // Every fourth time it does not even get ready before it is killed again: the helper kills at its deadline.
      if (kill % 4 === 3) await start(random.between(50, 700)).then(early => early.kill(), assertKilledEarly)
      running = await start(90_000)
    }
  } finally {
    stop.abort()
    await failing.setMode('ok')
  }
  await work

  // Same addresses, so the first one's helpers reach the last one's process.
  const sent = articles.filter(one => one.versions > 0)
  assert.ok(sent.length > 50 && sent.some(one => one.retracted), `the load was real: ${sent.length} articles`)
  assert.ok(sent.length < 1000, 'no feed overflows')
  t.diagnostic(
    `${sent.length} articles, ${sent.reduce((sum, one) => sum + one.versions, 0)} versions, ${sent.filter(one => one.retracted).length} retracted`,
  )
  await assertInFeeds(first, sent)
  for (const one of sent) await assertArchived(first, one)
  for (const [id, partner] of Object.entries(system.partners)) {
    const isCurrent = () => {
      const wrong = sent.filter(one => {
        const held = partner.held(articleIdOf(one.localId))
        return one.retracted ? held?.action !== 'retracted' : held?.article['title'] !== titleOf(one.localId, one.versions)
      })
      assert.deepEqual(
        wrong.map(one => one.localId),
        [],
      )
      return true
    }
    await waitFor(`${id} to hold every article as it is now`, isCurrent, { deadlineMs: 30_000 })
    assert.deepEqual(partner.findOffences(), [])
  }
  assert.deepEqual(offences, [])
  const letters = (await first.console('/v1/dead-letters')).body as unknown as unknown[]
  assert.equal(letters.length, 0, JSON.stringify(letters))
})
