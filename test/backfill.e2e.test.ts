/** Imports: kept, shown by their own date, told to nobody unless that was asked for, and no more than 64 at once from end to end. */
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { everyFormat, pageOf } from './support/exits.ts'
import { newFolder, runCommand } from './support/newswire.ts'
import { makePng } from './support/pictures.ts'
import { articleIdOf, createSystem, PUBLIC_URL, type Running, tokens } from './support/system.ts'
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
  let running = await system.start({ deadlineMs: 90_000 })
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
  let isImporting = true
  const importing = Promise.all(Array.from({ length: 200 }, importAll)).finally(() => {
    isImporting = false
  })
  const look = async () => {
    const url = new URL('/metrics', running.newswire.url('console'))
    // Between the kill and the next start nobody answers.
    const text = await fetch(url).then(
      answer => answer.text(),
      () => '',
    )
    mostAtOnce = Math.max(mostAtOnce, Number(/^newswire_backfill_under_way (\d+)/m.exec(text)?.[1] ?? 0))
    return !isImporting
  }
  const watching = waitFor('the import to be over', look, { deadlineMs: 240_000, everyMs: 20 })
  await waitFor('the import to be on its way', () => accepted.size > 60)
  const flash = await running.put('chen-ngang', { ...write(), urgency: 1 })
  assert.equal((await running.settled(flash))['state'], 'released')
  assert.ok(accepted.size < COUNT, 'a flash was out while the import was on its way')
  await running.newswire.kill()
  running = await system.start({ deadlineMs: 90_000 })
  await Promise.all([importing, watching])

  assert.equal(accepted.size, COUNT)
  for (const submissionId of accepted.values()) assert.equal((await running.settled(submissionId))['state'], 'released')
  assert.ok(mostAtOnce <= 64, `${mostAtOnce} were under way at once`)
  assert.deepEqual(
    [...answers.keys()].filter(status => ![202, 429, 503].includes(status)),
    [],
  )
  await running.everywhere('chen-ngang', 1)
  assert.deepEqual(system.partner.heldIds(), [articleIdOf('chen-ngang')], 'nothing of the import was delivered')
  t.diagnostic(`answers: ${[...answers].map(([status, count]) => `${count} × ${status}`).join(', ')}; at most ${mostAtOnce} under way`)
})

test('newswire import takes a folder in, says what it could not take, and run again goes on where it stopped', async t => {
  const system = await createSystem(t)
  const running = await system.start()
  const write = createWriter(103)
  const folder = join(await newFolder(t), 'kho')
  await mkdir(join(folder, 'anh'), { recursive: true })
  await writeFile(join(folder, 'anh', 'mot.png'), makePng({ width: 320, height: 200, seed: 103 }))
  const dated = (day: number) => ({ ...write(), publishedAt: new Date(Date.UTC(2012, 0, day)).toISOString() })
  const lines = Array.from({ length: 30 }, (_, at) => JSON.stringify({ id: `dong-${at}`, ...dated(at + 1) }))
  // The same id twice: the later line is the newer one.
  const last = { id: 'dong-0', ...dated(1) }
  await writeFile(join(folder, 'bai.jsonl'), [...lines, JSON.stringify(last), '{"id": "hong', '{"id":"../ra","title":"x"}'].join('\n'))
  await writeFile(join(folder, 'mot-bai.json'), JSON.stringify({ ...dated(40), images: [{ url: 'anh/mot.png', caption: 'Ảnh kho' }] }))
  await writeFile(join(folder, 'sai.json'), JSON.stringify({ ...dated(41), titel: 'x' }))

  const env = { NEWSWIRE_INGEST_URL: running.newswire.url('ingest'), NEWSWIRE_TOKEN: tokens.all, NEWSWIRE_DATA: system.dataDir }
  const run = async (...more: string[]) => {
    const { code, stdout } = await runCommand({ args: ['import', folder, '--json', ...more], env })
    return {
      code,
      ...(JSON.parse(stdout) as { sent: number; skipped: number; refused: { where: string; code?: string }[]; journal: string }),
    }
  }
  const first = await run()
  assert.deepEqual([first.code, first.sent, first.skipped], [1, 32, 0])
  assert.deepEqual(first.refused.map(one => [one.where.slice(folder.length + 1), one.code]).sort(), [
    ['bai.jsonl:32', undefined],
    ['bai.jsonl:33', undefined],
    ['sai.json', 'NEWSWIRE_INVALID'],
  ])
  await waitFor('the last line to be out', async () => (await running.item('all', 'atom.xml', 'dong-0'))?.title === last.title)
  await waitFor('the one with the picture', async () => (await running.get(pageOf('mot-bai'))).text.includes('Ảnh kho'))
  assert.deepEqual(system.partner.heldIds(), [])

  await t.test('what was taken is not sent again; a journal cut short costs only that it is asked for again', async () => {
    await writeFile(join(folder, 'sai.json'), JSON.stringify(dated(41)))
    const second = await run()
    assert.deepEqual([second.sent, second.skipped, second.refused.length], [1, 32, 2])
    const journal = await readFile(second.journal, 'utf8')
    await writeFile(second.journal, journal.slice(0, journal.length / 2))
    const third = await run()
    assert.deepEqual([third.sent + third.skipped, third.refused.length], [33, 2])
    assert.ok(third.sent > 0 && third.skipped > 0)
    const { body } = await running.console(`/v1/articles/${articleIdOf('mot-bai')}/trace`)
    assert.equal((body['submissions'] as unknown[]).length, 1, 'under the same key it is the same submission')
  })

  await t.test('with --deliver it is another way in, which changes nothing that is there', async () => {
    const { code, stdout } = await runCommand({
      args: ['import', join(folder, 'mot-bai.json'), '--deliver', '--journal', join(folder, 'j')],
      env,
    })
    assert.deepEqual([code, stdout.trim()], [0, '1 taken, 0 were there already, 0 refused'])
    assert.equal((await readFile(join(folder, 'j'), 'utf8')).split('\n').length, 2)
  })
})
