import assert from 'node:assert/strict'
import { test } from 'node:test'
import { feedConfig } from '@newswire/events/config'
import { articleExits, feedExits } from './proof-exits.ts'
import { type Ask, probe } from './proof-probe.ts'

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
