/** What an article sends readers on to: once that is taken back it is named nowhere, and again when it is back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { articleIdOf, createSystem, formats, type Running, type System, tagOf } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

/** For a machine that does much else. */
const PATIENCE_MS = 90_000

/** Of the article `mot`, everywhere that says which others are related. */
const relatedEverywhere = async ({ get }: Running, { partner }: System): Promise<Readonly<Record<string, readonly unknown[]>>> => {
  const id = articleIdOf('mot')
  const [document, feed, atom, rss] = await Promise.all(
    [`/articles/${id}/article.json`, ...formats.toReversed().map(format => `/feeds/all/${format}`)].map(
      async path => (await get(path)).text,
    ),
  )
  const item = (JSON.parse(feed ?? '') as { items: { id: string; _newswire: { related?: string[] } }[] }).items.find(one =>
    one.id.endsWith(id),
  )
  const elements = (xml = '') => {
    const own = xml.split(/<(?:item|entry)[ >]/).find(part => part.includes(`${tagOf('mot')}<`)) ?? ''
    return [...own.matchAll(/<nw:related>([^<]*)<\/nw:related>/g)].map(([, name]) => name)
  }
  return {
    'article.json': (JSON.parse(document ?? '') as { related: string[] }).related,
    'feed.json': item?._newswire.related ?? [],
    'rss.xml': elements(rss),
    'atom.xml': elements(atom),
    partner: (partner.held(id)?.article['related'] ?? []) as string[],
  }
}

const namedEverywhere = async (running: Running, system: System, names: readonly string[]): Promise<void> => {
  await waitFor(
    `everybody to name ${names.join(', ') || 'nothing'}`,
    async () => {
      const found = await relatedEverywhere(running, system)
      return Object.values(found).every(one => JSON.stringify(one) === JSON.stringify(names)) || Promise.reject(found)
    },
    { deadlineMs: PATIENCE_MS },
  )
}

const settle = async (running: Running, answer: Promise<{ body: Record<string, unknown> }>): Promise<void> => {
  assert.equal((await running.settled(String((await answer).body['submissionId'])))['state'], 'released')
}

test('a related article that is taken back is named nowhere, also after a kill, and again when it is back', async t => {
  const system = await createSystem(t)
  let running = await system.start({ deadlineMs: PATIENCE_MS })
  const write = createWriter(95)
  for (const localId of ['hai', 'ba']) await running.publish(localId, { ...write(), related: ['mot'] })
  assert.equal(await running.publish('mot', { ...write(), related: ['hai', articleIdOf('ba')] }), 1)
  await namedEverywhere(running, system, ['hai', articleIdOf('ba')])
  const datesOf = async () => (await running.item('all', 'feed.json', 'mot'))?.updated
  const dated = await datesOf()

  await settle(running, running.publisher.retract('hai', { mode: 'gone', reason: 'sai' }))
  await running.newswire.kill()
  running = await system.start({ deadlineMs: PATIENCE_MS })
  await namedEverywhere(running, system, [articleIdOf('ba')])
  assert.equal(await datesOf(), dated, 'the article is as new as it was')
  await running.everywhere('mot', 2)
  const { body } = await running.console(`/v1/articles/${articleIdOf('mot')}/trace`)
  assert.match(JSON.stringify(body['versions']), /it no longer names hai, taken back/)

  await settle(running, running.publisher.republish('hai'))
  await namedEverywhere(running, system, ['hai', articleIdOf('ba')])
  // What is published after an end does not name it for a moment.
  await settle(running, running.publisher.retract('ba', { mode: 'withdraw', reason: 'sai' }))
  await namedEverywhere(running, system, ['hai'])
  await running.publish('mot', { ...write(), related: [articleIdOf('ba'), 'hai'] })
  await namedEverywhere(running, system, ['hai'])
  assert.ok(system.partner.requests.every(one => one.version < 5 || !one.body.includes(articleIdOf('ba'))))
  assert.deepEqual(system.partner.findOffences(), [])
})

test('a retraction that names a substitute leads nowhere once that is taken back, and is dated as it was', async t => {
  const system = await createSystem(t)
  const running = await system.start({ deadlineMs: PATIENCE_MS })
  const write = createWriter(96)
  await running.publish('moi', write())
  await running.publish('cu', write())
  await settle(running, running.publisher.retract('cu', { mode: 'replace', reason: 'thay', redirectTo: 'moi' }))
  await running.everywhere('cu', 2)
  const told = () => system.partner.held(articleIdOf('cu'))?.retraction
  assert.deepEqual([told()?.['mode'], told()?.['redirectTo']], ['replace', 'moi'])
  const endOf = async () =>
    /<at:deleted-entry[^>]*when="([^"]+)"/.exec(
      (await running.get('/feeds/all/atom.xml')).text
        .split('<at:deleted-entry')
        .map(part => `<at:deleted-entry${part}`)
        .find(part => part.includes(articleIdOf('cu'))) ?? '',
    )?.[1]
  const ended = await waitFor('the end in Atom', endOf)

  await settle(running, running.publisher.retract('moi', { mode: 'gone', reason: 'sai' }))
  await running.everywhere('cu', 3)
  assert.deepEqual(told(), { reason: 'thay', legal: false, mode: 'gone' })
  assert.equal(await endOf(), ended)
  assert.equal((await running.get(`/articles/${articleIdOf('cu')}`)).status, 410)

  await settle(running, running.publisher.republish('moi'))
  await running.everywhere('cu', 4)
  assert.deepEqual([told()?.['mode'], told()?.['redirectTo']], ['replace', 'moi'])
  assert.equal((await running.get(`/articles/${articleIdOf('cu')}`)).status, 302)
  assert.deepEqual(system.partner.findOffences(), [])
})
