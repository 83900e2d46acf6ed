/** A partner that fails loses nothing and harms nobody else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriter, type TestArticle } from './support/articles.ts'
import type { Partner } from './support/partner.ts'
import type { PartnerMode } from './support/partner-modes.ts'
import { articleIdOf, createSystem, formats, type Running } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const write = createWriter(31)

const holds = (partner: Partner, localId: string, title: string) => () => partner.held(articleIdOf(localId))?.article['title'] === title

/** Everything but the failing outlet has this version: three formats, page, archive. */
const assertElsewhere = async (running: Running, localId: string, version: number, { title }: TestArticle) => {
  await waitFor(`${localId} to be in every format`, async () => {
    const items = await Promise.all(formats.map(format => running.item('all', format, localId)))
    return items.every(item => item?.title === title)
  })
  await waitFor(
    `${localId} to be archived`,
    async () => (await running.console(`/v1/articles/${articleIdOf(localId)}/versions/${version}`)).status === 200,
  )
  const page = await waitFor(`the page of ${localId}`, async () => {
    const { status, text } = await running.get(`/articles/${articleIdOf(localId)}`)
    return status === 200 && text
  })
  assert.ok(page.includes('</article>'))
}

const sinkState = async (running: Running, localId: string, version: number, outlet: string): Promise<string> => {
  const { body } = await running.console(`/v1/articles/${articleIdOf(localId)}/trace`)
  const versions = body['versions'] as { version: number; sinks: { kind: string; id: string; state: string }[] }[]
  return versions.find(one => one.version === version)?.sinks.find(one => one.kind === 'outlet' && one.id === outlet)?.state ?? 'absent'
}

const FAULTS: readonly (readonly [string, PartnerMode])[] = [
  ['is down', 'down'],
  ['hangs', 'hang'],
  ['answers 500', { status: 500 }],
  ['answers 429 with Retry-After', { status: 429, retryAfter: 1 }],
]

test('a partner that fails gets everything once it is well again, in order, and nobody else is harmed', async t => {
  const system = await createSystem(t, { outlets: ['tinh-doan', 'so-van-hoa'], retryScale: 0.02 })
  const running = await system.start()
  const { 'tinh-doan': failing, 'so-van-hoa': healthy } = system.partners
  assert.ok(failing && healthy)

  for (const [index, [what, mode]] of FAULTS.entries())
    await t.test(`while it ${what}`, async () => {
      const [one, other] = [`loi-${index}`, `khac-${index}`]
      const [first, second, beside] = [write(), write(), write({ language: 'en' })]
      await failing.setMode(mode)
      await running.settled(await running.put(one, first))
      await running.settled(await running.put(other, beside))
      await assertElsewhere(running, one, 1, first)
      await assertElsewhere(running, other, 1, beside)
      await waitFor('the healthy partner to have both', () => holds(healthy, one, first.title)() && holds(healthy, other, beside.title)())
      await waitFor('the trace to say that it is tried again', async () =>
        ['retrying', 'pending'].includes(await sinkState(running, one, 1, 'tinh-doan')),
      )
      await running.settled(await running.put(one, second))
      await waitFor('the healthy partner to have the second version', holds(healthy, one, second.title))
      await assertElsewhere(running, one, 2, second)
      const tries = () => failing.requests.filter(request => request.article === articleIdOf(one)).length
      if (mode !== 'down') await waitFor('it to be tried again', () => tries() >= 2)
      assert.equal(failing.held(articleIdOf(one)), undefined, 'nothing was taken')
      await failing.setMode('ok')
      await waitFor(
        'the failing partner to hold the latest of both',
        () => holds(failing, one, second.title)() && holds(failing, other, beside.title)(),
        {
          deadlineMs: 30_000,
        },
      )
      await running.everywhere(one, 2)
      assert.equal(await sinkState(running, one, 2, 'tinh-doan'), 'done')
      assert.deepEqual(failing.taken(articleIdOf(one)), [2], 'only the latest goes out, once')
    })

  await t.test('one article that it hangs on does not hold up its others', async () => {
    const stuck = write()
    failing.setModeFor(articleIdOf('treo'), 'hang')
    await running.settled(await running.put('treo', stuck))
    await waitFor('the request to hang', () => failing.requests.some(request => request.article === articleIdOf('treo')))
    const others = Array.from({ length: 8 }, (_, n) => [`tiep-${n}`, write()] as const)
    for (const [localId, article] of others) await running.put(localId, article)
    await waitFor('its other articles to arrive', () => others.every(([localId, { title }]) => holds(failing, localId, title)()))
    assert.equal(failing.held(articleIdOf('treo')), undefined)
    failing.setModeFor(articleIdOf('treo'), null)
    await waitFor('the stuck one to arrive', holds(failing, 'treo', stuck.title), { deadlineMs: 30_000 })
  })

  await t.test('what it could not take is remembered through a stop and a kill', async () => {
    const [stopped, killed] = [write(), write()]
    await failing.setMode('down')
    await running.settled(await running.put('qua-dem', stopped))
    assert.deepEqual(await running.newswire.stop(), { code: 0, signal: null })
    const second = await system.start()
    await second.settled(await second.put('qua-dem-2', killed))
    await waitFor('the healthy partner to have it', holds(healthy, 'qua-dem-2', killed.title))
    await second.newswire.kill()
    await failing.setMode('ok')
    const third = await system.start()
    await waitFor('both to arrive', () => holds(failing, 'qua-dem', stopped.title)() && holds(failing, 'qua-dem-2', killed.title)(), {
      deadlineMs: 30_000,
    })
    await third.everywhere('qua-dem', 1)
    await third.everywhere('qua-dem-2', 1)
  })
  for (const partner of [failing, healthy]) assert.deepEqual(partner.findOffences(), [])
  for (const partner of [healthy]) assert.deepEqual([...new Set(partner.requests.map(request => request.answered))], [204])
})
