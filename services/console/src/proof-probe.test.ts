import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { feedConfig } from '@newswire/events/config'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { articleExits, feedExits } from './proof-exits.ts'
import { type Ask, createAsk, probe } from './proof-probe.ts'

const SHA = 'a'.repeat(64)
const RENDITION = `renditions/${SHA}/w640-r1.jpg`
const wanted = (articleId: string) => ({
  articleId,
  tag: `tag:news.example,2026:${articleId}`,
  articleUrl: `https://news.example/articles/${articleId}`,
})
const answer = (status: number, body = '', link = '') => ({ status, body, link })
const of = (articleId: string, renditions: readonly string[] = []) => ({
  wanted: wanted(articleId),
  exits: [...feedExits([feedConfig.parse({ id: 'all', title: 'All' })]), ...articleExits(articleId, { titles: [], renditions })],
})
/** Everything is gone but what the test says. */
const asked = (answers: Readonly<Record<string, ReturnType<typeof answer> | null>>) => {
  const addresses: string[] = []
  const ask: Ask = async ({ address }) => {
    addresses.push(address)
    if (Object.hasOwn(answers, address)) return answers[address] ?? null
    if (address.endsWith('feed.json')) return answer(200, '{"items":[]}')
    return address.startsWith('/articles/') || address.startsWith('/renditions/') ? answer(410) : answer(200, '')
  }
  return { ask, addresses }
}
const states = async (answers: Parameters<typeof asked>[0], renditions: readonly string[] = []) => {
  const [found = []] = await probe(asked(answers).ask, [of('press.a', renditions)], () => 0)
  return found.filter(one => one.state !== 'gone').map(one => `${one.address} ${one.state}`)
}

test('an exit that still shows it is named, and one that gives no answer is not taken for gone', async () => {
  assert.deepEqual(await states({}), [])
  assert.deepEqual(await states({ '/articles/press.a': answer(200), '/feeds/all/rss.xml': null }), [
    '/feeds/all/rss.xml unknown',
    '/articles/press.a visible',
  ])
})

test('a picture that another public article shows is not the retracted one’s any more; what is only said to be is still visible', async () => {
  const path = `/${RENDITION}`
  const by = (articleId: string) => answer(200, '', `</articles/${articleId}>; rel="describedby"`)
  assert.deepEqual(await states({ [path]: answer(200) }, [RENDITION]), [`${path} visible`])
  assert.deepEqual(await states({ [path]: by('press.a') }, [RENDITION]), [`${path} visible`])
  assert.deepEqual(await states({ [path]: by('press.b') }, [RENDITION]), [`${path} visible`], 'press.b is gone itself')
  assert.deepEqual(await states({ [path]: by('press.b'), '/articles/press.b/article.json': answer(200) }, [RENDITION]), [])
})

test('each address is asked once, for however many retractions', async () => {
  const { ask, addresses } = asked({})
  const found = await probe(ask, [of('press.a'), of('press.b'), of('press.c')], () => 0)
  assert.equal(addresses.filter(one => one === '/feeds/all/rss.xml').length, 1)
  assert.deepEqual(
    found.map(results => results.length),
    [9, 9, 9],
  )
})

test('the files of a private feed are read from the store as its readers get them, though they are kept as gzip', async () => {
  const { tag } = wanted('press.a')
  const text: Readonly<Record<string, string>> = {
    [keys.feed('desk', 'rss.xml')]: `<guid isPermaLink="false">${tag}</guid>`,
    [keys.feed('desk', 'atom.xml')]: `<id>${tag}</id>`,
    [keys.feed('desk', 'feed.json')]: JSON.stringify({ items: [{ id: tag }] }),
  }
  const get: Objects['get'] = async key =>
    text[key] === undefined
      ? null
      : { bytes: gzipSync(text[key]), etag: '"1"', contentType: 'application/octet-stream', lastModified: new Date(0) }
  const ask = createAsk({ outbound: { request: () => assert.fail('nobody is asked') }, objects: { get }, gatewayUrl: () => null })
  const feed = feedConfig.parse({ id: 'desk', title: 'Desk', access: { tokens: [{ id: 'a', sha256: SHA }] } })
  const [found = []] = await probe(ask, [{ wanted: wanted('press.a'), exits: feedExits([feed]) }], () => 0)
  assert.deepEqual(new Set(found.filter(one => one.state === 'visible').map(one => one.address)), new Set(Object.keys(text)))
  assert.deepEqual(
    found.filter(one => one.state === 'unknown'),
    [],
  )
})
