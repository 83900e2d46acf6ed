/** Pictures of a running system: in every place that shows them, made again by another table of presets, and over the death of what decodes them. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDiskObjects } from '@newswire/objects/disk'
import { parse, stringify } from 'yaml'
import { createWriter } from './support/articles.ts'
import { pageOf } from './support/exits.ts'
import { runCommand } from './support/newswire.ts'
import { makePng } from './support/pictures.ts'
import { createSystem, type Running } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

type Shown = Readonly<{ sha256?: string; renditions: readonly { preset: string; url: string; type: string }[] }>

const picturesOf = async (running: Running, localId: string): Promise<readonly Shown[]> =>
  ((await running.publisher.article(localId)).body['images'] ?? []) as Shown[]
const presetsOf = ([picture]: readonly Shown[]): readonly string[] => [...new Set(picture?.renditions.map(one => one.preset))]
const versionOf = async (running: Running, localId: string): Promise<unknown> => (await running.publisher.article(localId)).body['version']

/** The configuration with a table of one width. */
const withTable = async (file: string): Promise<string> =>
  stringify({ ...parse(await readFile(file, 'utf8')), pictures: { presets: [{ name: 'w480', width: 480, formats: ['jpeg'] }] } })

/** Addresses in `srcset`s, and those in `src`. */
const addressesIn = (html: string): readonly string[] => [
  ...[...html.matchAll(/srcset="([^"]+)"/g)].flatMap(([, set = '']) => set.split(', ').map(one => one.split(' ')[0] ?? '')),
  ...[...html.matchAll(/<img src="([^"]+)"/g)].map(([, address = '']) => address),
]

test('a picture that lay in its article is on the page in every format and in feeds in every width, and all of these addresses answer', async t => {
  const running = await (await createSystem(t, { retryScale: 1 })).start()
  const url = `data:image/png;base64,${makePng({ width: 700, height: 420, seed: 3 }).toString('base64')}`
  await running.publish('trong-bai', { ...createWriter(61)(), images: [{ url, role: 'lead', caption: 'Bến cũ', alt: 'Con đò' }] })

  const page = (await running.get(pageOf('trong-bai'))).text
  const types = [...page.matchAll(/<source type="([^"]+)" srcset="[^"]+" sizes="[^"]+">/g)].map(([, type]) => type)
  assert.deepEqual(types.slice(0, 2), ['image/avif', 'image/webp'])
  assert.match(page, /<img src="[^"]+\.jpg" srcset="[^"]+\.jpg \d+w, [^"]+" sizes="[^"]+" alt="Con đò" width="\d+" height="\d+"/)
  const item = await running.item('all', 'feed.json', 'trong-bai')
  assert.ok(item)
  assert.match(item.content, /<img src="[^"]+\.jpg" srcset="[^"]+320w, [^"]+640w, [^"]+700w" sizes="[^"]+"/)
  const addresses = [...new Set([...addressesIn(page), ...addressesIn(item.content)])].filter(one => one.includes('/renditions/'))
  assert.ok(addresses.length >= 8, `${addresses.length} addresses`)
  for (const address of addresses) {
    const { status, headers } = await running.get(address)
    assert.equal(status, 200, address)
    assert.equal(
      headers.get('content-type'),
      { jpg: 'image/jpeg', avif: 'image/avif', webp: 'image/webp' }[address.split('.').at(-1) ?? ''],
    )
  }
})

test('another table of presets, applied, gives what is out its new renditions in one more version, while news goes on; old addresses stay', async t => {
  const system = await createSystem(t, { retryScale: 1 })
  const running = await system.start()
  const write = createWriter(62)
  const ids = ['mot', 'hai', 'ba']
  for (const [index, id] of ids.entries()) {
    const { body } = await running.publisher.upload(id, makePng({ width: 500, height: 300, seed: index + 1 }), 'image/png')
    await running.publish(id, { ...write(), images: [{ url: body['url'] }] })
  }
  await running.publish('khong-anh', write())
  const before = await picturesOf(running, 'mot')

  await writeFile(system.configFile, await withTable(system.configFile))
  const applied = await runCommand({ args: ['apply', system.configFile, '--data', system.dataDir], env: system.env })
  assert.equal(applied.code, 0, applied.output)
  await running.publish('moi', write())
  for (const id of ids) {
    await waitFor(`${id} to have the new table`, async () => presetsOf(await picturesOf(running, id)).join() === 'w480')
    await running.everywhere(id, 2)
    assert.equal(await versionOf(running, id), 2)
  }
  assert.equal(await versionOf(running, 'khong-anh'), 1)
  const [after] = await picturesOf(running, 'mot')
  for (const { url } of [...(before[0]?.renditions ?? []), ...(after?.renditions ?? [])])
    assert.equal((await running.get(url)).status, 200, url)
  assert.equal(system.partner.held('baothu.mot')?.version, 2)
})

test('a republish goes out with pictures that answer, although what was rendered is gone and the table of presets is another', async t => {
  const system = await createSystem(t, { retryScale: 1 })
  const first = await system.start()
  const { body } = await first.publisher.upload('go', makePng({ width: 500, height: 300, seed: 9 }), 'image/png')
  await first.publish('go', { ...createWriter(64)(), images: [{ url: body['url'] }] })
  const retracted = await first.publisher.retract('go', { mode: 'gone', reason: 'thử' })
  await first.settled(String(retracted.body['submissionId']))
  await first.newswire.stop()

  const objects = await createDiskObjects({ root: join(system.dataDir, 'objects'), fsync: 'normal' })
  const rendered = await objects.list('renditions/')
  assert.ok(rendered.length > 5)
  for (const { key } of rendered) await objects.delete(key)
  await objects.close()
  await writeFile(system.configFile, await withTable(system.configFile))

  const second = await system.start()
  const { body: asked } = await second.publisher.republish('go')
  const { state, version } = await second.settled(String(asked['submissionId']))
  assert.equal(state, 'released')
  await second.everywhere('go', Number(version))
  const pictures = await picturesOf(second, 'go')
  assert.equal(presetsOf(pictures).join(), 'w480')
  assert.deepEqual([version, await versionOf(second, 'go')], [3, 3])
  for (const { url } of pictures[0]?.renditions ?? []) assert.equal((await second.get(url)).status, 200, url)
})

/** Processes of `newswire` that decode. */
const decodersOf = (pid: number): readonly number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(one => {
      try {
        const parent = Number(readFileSync(`/proc/${one}/stat`, 'utf8').split(') ')[1]?.split(' ')[1])
        return parent === pid && readFileSync(`/proc/${one}/cmdline`, 'utf8').includes('decoder-child')
      } catch {
        // It ended between the listing and the reading.
        return false
      }
    })

test('what decodes is killed while pictures arrive: every article is out with its picture', {
  skip: process.platform !== 'linux',
}, async t => {
  const running = await (await createSystem(t, { retryScale: 0.2 })).start()
  const write = createWriter(63)
  const ids = Array.from({ length: 4 }, (_, index) => `anh-${index}`)
  const urls = await Promise.all(
    ids.map(async (id, index) => {
      const { body } = await running.publisher.upload(id, makePng({ width: 1200, height: 900, seed: index + 1 }), 'image/png')
      return body['url']
    }),
  )
  const published = Promise.all(ids.map((id, index) => running.publish(id, { ...write(), images: [{ url: urls[index] }] })))
  const [child] = await waitFor(
    'a process that decodes',
    () => {
      const found = decodersOf(running.newswire.pid)
      return found.length > 0 && found
    },
    { everyMs: 5 },
  )
  assert.ok(child)
  process.kill(child, 'SIGKILL')
  await published
  await running.publish('khong-anh', write())
  for (const id of ids)
    await waitFor(`the picture of ${id}`, async () => presetsOf(await picturesOf(running, id)).includes('w640'), { deadlineMs: 90_000 })
  assert.ok(!decodersOf(running.newswire.pid).includes(child))
})
