/** Imports: kept, shown by their own date, told to nobody unless that was asked for, and no more than 64 at once from end to end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { everyFormat, pageOf } from './support/exits.ts'
import { articleIdOf, createSystem, PUBLIC_URL, type Running } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'
import { startSubscriber } from './support/websub-subscriber.ts'

const OWN_DATE = '2019-05-06T07:08:09.000Z'

const importIt = (running: Running, localId: string, article: Record<string, unknown>, query = '', key?: string) =>
  running.publisher.send('PUT', `/v1/articles/${localId}?lane=backfill${query}`, JSON.stringify(article), {
    'content-type': 'application/json',
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  })

test('an import is kept and shown by its own date, and told to nobody unless that was asked for', async t => {
  const system = await createSystem(t, { retryScale: 0.02 })
  const running = await system.start()
  const write = createWriter(101)
  await running.publish('tin-moi', write())
  const subscriber = await startSubscriber({ host: '127.0.1.101' })
  t.after(() => subscriber.close())
  const topic = `${PUBLIC_URL}/feeds/all/atom.xml`
  const { status } = await subscriber.subscribe({ hub: `${running.newswire.url('gateway')}/hub`, topic })
  assert.equal(status, 202)
  await waitFor('its verification', () => subscriber.isSubscribed(topic))

  const old = { ...write(), publishedAt: OWN_DATE }
  const taken = await importIt(running, 'tin-cu', old)
  assert.equal(taken.status, 202, JSON.stringify(taken.body))
  assert.equal((await running.settled(String(taken.body['submissionId'])))['state'], 'released')
  await running.everywhere('tin-cu', 1)
  for (const item of await everyFormat(running, 'all', 'tin-cu')) assert.equal(Date.parse(item.published), Date.parse(OWN_DATE))
  assert.equal((await running.get(pageOf('tin-cu'))).status, 200)
  const { items } = await running.feed('all', 'atom.xml').read()
  assert.ok(items.findIndex(one => one.title === old.title) > 0, 'what is new stands before it')

  await t.test('a live change of something else pings with all that is there; the import alone did not', async () => {
    const next = write()
    await running.publish('tin-moi-hon', next)
    await waitFor('its ping', () => subscriber.distributions.some(one => one.body.toString().includes(next.title)))
    assert.ok(subscriber.distributions.every(({ body }) => !body.toString().includes(old.title) || body.toString().includes(next.title)))
    assert.equal(system.partner.held(articleIdOf('tin-cu')), undefined)
  })

  await t.test('with deliver it goes to partners and subscribers as well', async () => {
    const told = { ...write(), publishedAt: OWN_DATE }
    const { body } = await importIt(running, 'tin-cu-gui', told, '&deliver=true')
    await running.settled(String(body['submissionId']))
    await running.everywhere('tin-cu-gui', 1)
    assert.equal(system.partner.held(articleIdOf('tin-cu-gui'))?.article['title'], told.title)
    await waitFor('its ping', () => subscriber.distributions.some(one => one.body.toString().includes(told.title)))
  })

  await t.test('it brings nothing back and replaces nothing live; live replaces it, and is delivered', async () => {
    const again = await importIt(running, 'tin-moi', write())
    const outcome = await running.settled(String(again.body['submissionId']))
    assert.deepEqual([outcome['state'], outcome['code']], ['superseded', 'NEWSWIRE_DESK_BACKFILL'])
    const newer = write()
    assert.equal(await running.publish('tin-cu', newer), 2)
    assert.equal(system.partner.held(articleIdOf('tin-cu'))?.article['title'], newer.title)
    const item = (await everyFormat(running, 'all', 'tin-cu'))[1]
    assert.equal(Date.parse(item?.published ?? ''), Date.parse(OWN_DATE), 'its place stays')
  })
  assert.deepEqual(system.partner.findOffences(), [])
})

test('a full-speed import is let in 64 at a time, loses nothing over a kill, and live news passes it', async t => {
  const system = await createSystem(t)
  let running = await system.start()
  const write = createWriter(102)
  const COUNT = 400
  const articles = Array.from({ length: COUNT }, (_, at) => ({
    ...write({ paragraphs: 1 }),
    publishedAt: new Date(Date.UTC(2015, 0, 1 + at)).toISOString(),
  }))
  const accepted = new Map<string, string>()
  const answers = new Map<number, number>()
  let mostAtOnce = 0
  let next = 0

  /** As an importer does: the same again when it was sent away or not answered. */
  const importAll = async () => {
    for (let at = next++; at < COUNT; at = next++) {
      await waitFor(
        `import ${at}`,
        async () => {
          const { status, body } = await importIt(running, `nhap-${at}`, articles[at] ?? {}, '', `nhap-${at}`)
          answers.set(status, (answers.get(status) ?? 0) + 1)
          if (status !== 202) return false
          accepted.set(`nhap-${at}`, String(body['submissionId']))
          return true
        },
        { deadlineMs: 120_000, everyMs: 100 },
      )
    }
  }
  const importing = Promise.all(Array.from({ length: 200 }, importAll))
  const watching = (async () => {
    while (next < COUNT) {
      const text = await (await fetch(new URL('/metrics', running.newswire.url('console')))).text().catch(() => '')
      mostAtOnce = Math.max(mostAtOnce, Number(/^newswire_backfill_under_way (\d+)/m.exec(text)?.[1] ?? 0))
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  })().catch(() => undefined)
  await waitFor('the import to be on its way', () => accepted.size > 60)
  const flash = await running.put('chen-ngang', { ...write(), urgency: 1 })
  assert.equal((await running.settled(flash))['state'], 'released')
  assert.ok(accepted.size < COUNT, 'a flash was out while the import was on its way')
  await running.newswire.kill()
  running = await system.start()
  await Promise.all([importing, watching])

  assert.equal(accepted.size, COUNT)
  for (const submissionId of accepted.values()) assert.equal((await running.settled(submissionId))['state'], 'released')
  assert.ok(mostAtOnce > 0 && mostAtOnce <= 64, `${mostAtOnce} were under way at once`)
  assert.deepEqual(
    [...answers.keys()].filter(status => ![202, 429, 503].includes(status)),
    [],
  )
  await running.everywhere('chen-ngang', 1)
  assert.deepEqual(system.partner.heldIds(), [articleIdOf('chen-ngang')], 'nothing of the import was delivered')
  t.diagnostic(`answers: ${[...answers].map(([status, count]) => `${count} × ${status}`).join(', ')}; at most ${mostAtOnce} under way`)
})
