/** A whole Newswire in one process with a configuration of the test's own: a publisher, categories, feeds, and partners on loopback. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { stringify } from 'yaml'
import { createFeedReader, type FeedItem, type FeedReader } from './feed-reader.ts'
import { type Newswire, newFolder, type portsOf, startUp } from './newswire.ts'
import { type Partner, startPartner } from './partner.ts'
import { createPublisher, type Publisher } from './publisher.ts'
import { waitFor } from './wait-for.ts'

export const PUBLISHER = 'baothu'
export const SITE_ID = 'baothu.example,2026'
/** What is written into feeds and pages; where the gateway really listens is asked of the ready line. */
export const PUBLIC_URL = 'https://baothu.example'
export const formats = ['rss.xml', 'atom.xml', 'feed.json'] as const
type Format = (typeof formats)[number]

export const tokens = {
  all: 'nw_test_all_5f2c9a',
  publishOnly: 'nw_test_publish_77ab01',
  readOnly: 'nw_test_read_e3309d',
} as const

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

export const articleIdOf = (localId: string): string => `${PUBLISHER}.${localId}`
export const tagOf = (localId: string): string => `tag:${SITE_ID}:${articleIdOf(localId)}`

type SystemOptions = Readonly<{
  /** Default: one partner, `tinh-doan`, that takes everything public. */
  outlets?: readonly string[]
  editorialOutlet?: string
  /** The token of an outlet's own page, by its id (default: none has one). */
  partnerTokens?: Readonly<Record<string, string>>
  /** Outlets beside those, as they stand in the configuration. */
  moreOutlets?: readonly Readonly<Record<string, unknown>>[]
  /** How the configuration names the partners' host (default 127.0.0.1, where they are). */
  partnerHost?: string
  network?: Readonly<{ allow: readonly string[]; allowHttp: boolean }>
  /** Items in every feed (default 1000: none overflows). */
  limit?: number
  /** More settings of the publisher, and of outlets by id. */
  publisher?: Readonly<Record<string, unknown>>
  outletSettings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** `NEWSWIRE_RETRY_SCALE` (default 0.05). */
  retryScale?: number
  env?: Readonly<Record<string, string>>
}>

type JsonAnswer = Readonly<{ status: number; body: Record<string, unknown> }>

/** One run of the process on the data folder. */
export type Running = Readonly<{
  newswire: Newswire
  publisher: Publisher
  /** A path of the gateway, or an address below `PUBLIC_URL`; redirects are not followed. */
  get(pathOrUrl: string, headers?: Readonly<Record<string, string>>): Promise<Readonly<{ status: number; text: string; headers: Headers }>>
  console(path: string, method?: string): Promise<JsonAnswer>
  feed(feed: string, format: Format): FeedReader
  /** The article in one feed as a reader sees it now. */
  item(feed: string, format: Format, localId: string): Promise<FeedItem | undefined>
  /** Waits until the submission has come to an end, or to `state`. */
  settled(submissionId: string, state?: string): Promise<Record<string, unknown>>
  /** Puts and expects 202; resolves with the submission's id. */
  put(localId: string, article: Record<string, unknown>): Promise<string>
  /** Puts and waits until all that is expected to hold the released version does. Resolves with the version. */
  publish(localId: string, article: Record<string, unknown>): Promise<number>
  /** Waits until every sink of this version is done. */
  everywhere(localId: string, version: number): Promise<void>
}>

export type System = Readonly<{
  dataDir: string
  configFile: string
  env: Readonly<Record<string, string>>
  partners: Readonly<Record<string, Partner>>
  /** The first partner. */
  partner: Partner
  start(
    more?: Readonly<{ deadlineMs?: number; ports?: ReturnType<typeof portsOf>; env?: Readonly<Record<string, string>> }>,
  ): Promise<Running>
}>

const secretName = (id: string): string => `${id.toUpperCase().replaceAll('-', '_')}_SECRET`

const FINAL = new Set(['released', 'duplicate', 'superseded', 'refused'])

const toRunning = (newswire: Newswire, consoleToken: string | undefined): Running => {
  const publisher = createPublisher(newswire.url('ingest'), tokens.all)
  const gateway = newswire.url('gateway')
  const get: Running['get'] = async (pathOrUrl, headers = {}) => {
    const path = pathOrUrl.startsWith(PUBLIC_URL) ? pathOrUrl.slice(PUBLIC_URL.length) : pathOrUrl
    const response = await fetch(new URL(path, gateway), { redirect: 'manual', signal: AbortSignal.timeout(60_000), headers })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  const ask: Running['console'] = async (path, method = 'GET') => {
    const response = await fetch(new URL(path, newswire.url('console')), {
      method,
      signal: AbortSignal.timeout(60_000),
      headers: {
        ...(consoleToken === undefined ? {} : { authorization: `Bearer ${consoleToken}` }),
        ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
      },
      ...(method === 'GET' ? {} : { body: '{}' }),
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const feed: Running['feed'] = (id, format) => createFeedReader(`${gateway}/feeds/${id}/${format}`)
  const settled: Running['settled'] = async (submissionId, state) =>
    await waitFor(`submission ${submissionId} to be ${state ?? 'settled'}`, async () => {
      const { body } = await publisher.submission(submissionId)
      return (state === undefined ? FINAL.has(String(body['state'])) : body['state'] === state) && body
    })
  const everywhere: Running['everywhere'] = async (localId, version) => {
    await waitFor(`version ${version} of ${localId} to be everywhere`, async () => {
      const { body } = await ask(`/v1/articles/${articleIdOf(localId)}/trace`)
      const versions = (body['versions'] ?? []) as {
        version: number
        stages: { outcome: string }[]
        sinks: { kind: string; state: string }[]
      }[]
      const found = versions.find(one => one.version === version)
      const fannedOut = found?.stages.filter(one => one.outcome === 'fanned-out').length === 2
      return (
        (fannedOut && found?.sinks.every(one => one.kind === 'hub' || one.state === 'done' || one.state === 'skipped')) ||
        Promise.reject(found)
      )
    })
  }
  const put: Running['put'] = async (localId, article) => {
    const answer = await publisher.put(localId, article)
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    return String(answer.body['submissionId'])
  }
  return {
    newswire,
    publisher,
    get,
    console: ask,
    feed,
    item: async (id, format, localId) => (await feed(id, format).read()).items.find(one => one.id === tagOf(localId)),
    settled,
    put,
    publish: async (localId, article) => {
      const { state, version } = await settled(await put(localId, article))
      assert.equal(state, 'released')
      await everywhere(localId, Number(version))
      return Number(version)
    },
    everywhere,
  }
}

/** Everything is there but the process: `start` it, as often as the test likes. All of it is gone after the test. */
export const createSystem = async (t: TestContext, options: SystemOptions = {}): Promise<System> => {
  const { outlets = ['tinh-doan'], editorialOutlet, partnerHost = '127.0.0.1', limit = 1000, retryScale = 0.05 } = options
  const { partnerTokens = {} } = options
  const { network = { allow: ['127.0.0.0/8'], allowHttp: true } } = options
  const dataDir = await newFolder(t)
  const ids = editorialOutlet === undefined ? outlets : [...outlets, editorialOutlet]
  const partners = Object.fromEntries(await Promise.all(ids.map(async id => [id, await startPartner()] as const)))
  for (const one of Object.values(partners)) t.after(() => one.close())
  const partner = partners[ids[0] ?? '']
  assert.ok(partner, 'a system of a test has a partner')
  const config = {
    site: { id: SITE_ID, title: 'Báo Thử', language: 'vi', timeZone: 'Asia/Ho_Chi_Minh', publicUrl: PUBLIC_URL },
    network,
    publishers: [
      {
        id: PUBLISHER,
        name: 'Báo Thử',
        tokens: [
          { id: 'cms', sha256: sha256(tokens.all), scopes: ['publish', 'retract', 'republish', 'read'] },
          { id: 'sender', sha256: sha256(tokens.publishOnly), scopes: ['publish'] },
          { id: 'reader', sha256: sha256(tokens.readOnly), scopes: ['read'] },
        ],
        ...options.publisher,
      },
    ],
    categories: [
      { id: 'thoi-su', name: 'Thời sự' },
      { id: 'doi-song', name: 'Đời sống', parent: 'thoi-su' },
      { id: 'the-thao', name: 'Thể thao' },
    ],
    feeds: [
      { id: 'all', title: 'Tất cả', match: {}, limit },
      { id: 'thoi-su', title: 'Thời sự', match: { categories: ['thoi-su'] }, limit },
      { id: 'the-thao', title: 'Thể thao', match: { categories: ['the-thao'] }, limit },
      { id: 'english', title: 'In English', match: { languages: ['en'] }, language: 'en', limit },
    ],
    outlets: [
      ...ids.map(id => ({
        id,
        match: {},
        ...(id === editorialOutlet ? { audience: 'editorial' } : {}),
        ...(partnerTokens[id] === undefined ? {} : { tokens: [{ id: 'page', sha256: sha256(partnerTokens[id]) }] }),
        deliver: { kind: 'webhook', url: partners[id]?.url.replace('127.0.0.1', partnerHost), secretEnv: secretName(id) },
        ...options.outletSettings?.[id],
      })),
      ...(options.moreOutlets ?? []),
    ],
  }
  const configFile = join(dataDir, 'newswire.yaml')
  await writeFile(configFile, stringify(config))
  const env = {
    NEWSWIRE_RETRY_SCALE: String(retryScale),
    // Tests look again and again, as no reader may: without limits, unless a test is about them.
    NEWSWIRE_GATEWAY_RATE: '0',
    ...Object.fromEntries(ids.map(id => [secretName(id), partners[id]?.secret ?? ''])),
    ...options.env,
  }
  return {
    dataDir: join(dataDir, 'data'),
    configFile,
    env,
    partners,
    partner,
    start: async (more = {}) =>
      toRunning(await startUp(t, { dataDir: join(dataDir, 'data'), configFile, env, ...more }), options.env?.['NEWSWIRE_CONSOLE_TOKEN']),
  }
}
