import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { FeedConfig } from '@newswire/events/config'
import { UnavailableError } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import { keys } from '@newswire/objects/keys'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import { categories, makeLive, site } from './sample-facts.ts'
import { createStoreArticles } from './store-articles.ts'
import { createStoreFollower } from './store-follower.ts'
import { toSeen } from './view.ts'

const jsonOf = (...facts: readonly Fact[]) =>
  JSON.stringify({ items: facts.map(({ articleId, version }) => ({ _newswire: { articleId, version } })) })

const until = async (what: string, isSo: () => boolean) => {
  const deadline = performance.now() + 60_000
  while (!isSo()) {
    assert.ok(performance.now() < deadline, what)
    await setImmediate()
  }
}

/** `away`: keys that the store refuses. `refreshed`: how often articles were asked for. */
const open = (feedIds: readonly string[]) => {
  const kept = new Map<string, Buffer>()
  const away = new Set<string>()
  const asked: string[] = []
  const held = new Map<string, Promise<void>>()
  const get = async (key: string) => {
    asked.push(key)
    const bytes = kept.get(key)
    await held.get(key)
    if (away.has(key)) throw new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'away')
    if (bytes === undefined) return null
    const etag = createHash('sha256').update(bytes).digest('hex')
    return { key, bytes, etag, size: bytes.length, contentType: 'application/json', lastModified: new Date() }
  }
  const facts = new Map<string, Fact>()
  const stored = createStoreArticles({ get }, () => site.publicUrl, { onRead: fact => void facts.set(fact.articleId, fact) })
  const feed = { title: 'Tất cả', description: '', match: {}, limit: 50, content: 'full', profile: 'standard' } as const
  const config: ConfigSnapshot = {
    site,
    network: { allow: [], allowHttp: false },
    publishers: new Map(),
    categories,
    feeds: new Map<string, FeedConfig>(feedIds.map(id => [id, { ...feed, id }])),
    outlets: new Map(),
  }
  const unread: object[] = []
  const refreshed: (readonly string[])[] = []
  const follower = createStoreFollower({
    objects: { get, head: get },
    configuration: { current: () => config },
    stored: {
      refresh: articleIds => {
        refreshed.push(articleIds)
        return stored.refresh(articleIds)
      },
    },
    view: {
      article: articleId => {
        const fact = facts.get(articleId)
        return fact === undefined ? null : toSeen(fact)
      },
    },
    isLogThere: () => true,
    onWritten: () => undefined,
    onUnread: details => void unread.push(details),
  })
  const keep = (fact: Fact) => kept.set(keys.current(fact.articleId), Buffer.from(JSON.stringify({ released: { fact } })))
  const put = (feedId: string, text: string) => kept.set(keys.feed(feedId, 'feed.json'), Buffer.from(text))
  /** What is asked of these from now on is answered once the answer is called, as it was when it was asked. */
  const hold = (...names: readonly string[]) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const name of names) held.set(name, promise)
    return () => {
      held.clear()
      resolve()
    }
  }
  return { follower, stored, facts, keep, put, away, asked, unread, refreshed, hold }
}

const many = Array.from({ length: 50 }, (_, index) => `feed-${index}`)
const fileOf = (feedId: string) => keys.feed(feedId, 'feed.json')

test('feeds have been looked at when each of them was read once or has no file yet, and not while one could not be', async () => {
  const { follower, keep, put, away } = open(many)
  keep(makeLive())
  for (const feedId of many.slice(1)) put(feedId, jsonOf(makeLive()))
  for (const feedId of many.slice(2)) away.add(fileOf(feedId))
  await follower.look()
  assert.equal(follower.hasLooked(), false, '48 of 50 could not be read')
  for (const feedId of many.slice(3)) away.delete(fileOf(feedId))
  await follower.look()
  assert.equal(follower.hasLooked(), false, 'one of 50 could not be read')
  away.clear()
  away.add(fileOf('feed-1'))
  await follower.look()
  assert.equal(follower.hasLooked(), true, 'each was read once')
})

test('a feed whose articles the store does not give has not been looked at', async () => {
  const { follower, keep, put, away } = open(['one', 'two'])
  for (const articleId of ['press.a', 'press.b']) keep(makeLive({ articleId }))
  put('one', jsonOf(makeLive()))
  put('two', jsonOf(makeLive({ articleId: 'press.b' })))
  away.add(keys.current('press.b'))
  await follower.look()
  assert.equal(follower.hasLooked(), false)
  away.clear()
  await follower.look()
  assert.equal(follower.hasLooked(), true)
})

test('a file that is no feed keeps nobody from the others, and feeds that have no file at all show nothing', async () => {
  const none = open(many)
  await none.follower.look()
  assert.equal(none.follower.hasLooked(), false)
  const { follower, keep, put, unread } = open(['broken', 'good'])
  keep(makeLive())
  put('broken', '')
  put('good', jsonOf(makeLive()))
  await follower.look()
  assert.equal(follower.hasLooked(), true)
  assert.equal(unread.length, 1)
})

test('feeds are looked at side by side, sixteen at once', async () => {
  const { follower, asked, hold } = open(many)
  const letGo = hold(...many.map(fileOf))
  const looked = follower.look()
  await until('feeds to be asked for', () => asked.length >= 16)
  assert.equal(asked.length, 16)
  letGo()
  await looked
  assert.deepEqual([...asked].sort(), many.map(fileOf).sort())
})

test('with the store away one warning a round says how many feeds could not be read', async () => {
  const { follower, away, unread } = open(many)
  for (const feedId of many) away.add(fileOf(feedId))
  await follower.look()
  assert.deepEqual(unread, [{ feeds: 50, feedId: 'feed-0', reason: 'away' }])
  await follower.look()
  assert.equal(unread.length, 2)
  away.clear()
  await follower.look()
  assert.equal(unread.length, 2)
})

test('a reading that began before an article changed does not stand for what the feed shows now', async () => {
  const { follower, stored, facts, keep, put, refreshed, hold } = open(['all'])
  keep(makeLive())
  const letGo = hold(keys.current('press.a'))
  const earlier = stored.around('press.a')
  keep(makeLive({ version: 2 }))
  put('all', jsonOf(makeLive({ version: 2 })))
  const looked = follower.look()
  await until('the articles of the feed to be asked for', () => refreshed.length > 0)
  letGo()
  await Promise.all([earlier, looked])
  assert.equal(facts.get('press.a')?.version, 2)
})
