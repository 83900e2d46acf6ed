/** An article that a law takes away is nowhere any more: at no exit, and in no object of the store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Objects } from '@newswire/objects/objects'
import { createWriter } from './support/articles.ts'
import { newFolder, runCommand } from './support/newswire.ts'
import { makePng } from './support/pictures.ts'
import { listAll, withObjects } from './support/stopped.ts'
import { articleIdOf, createSystem, type System } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

/** Commands wait for two minutes by themselves, and then say for what. */
const COMMAND_MS = 150_000
const SECRET = 'Trần Thị Được Quên'
const CAPTION = 'Ảnh chụp tại nhà riêng'

const command = async (system: System, args: readonly string[]) =>
  await runCommand({ args: [...args, '--data', system.dataDir, '--json'], env: system.env, deadlineMs: COMMAND_MS })

/** Text in files of their own lies as it is, in pictures as UTF-8, in packs compressed. */
const holding = async (objects: Objects, texts: readonly string[]): Promise<string[]> => {
  const needles = texts.flatMap(text => [Buffer.from(text), Buffer.from(JSON.stringify(text).slice(1, -1))])
  const found: string[] = []
  for (const { key } of await listAll(objects, '')) {
    const bytes = Buffer.from((await objects.get(key))?.bytes ?? [])
    const plain = key.endsWith('.gz') ? gunzipSync(bytes) : bytes
    if (needles.some(needle => plain.includes(needle))) found.push(key)
  }
  return found
}

test('after a purge no byte of the article is in any object, its exits are gone, and the archive is proved as before', async t => {
  const system = await createSystem(t)
  const running = await system.start()
  const write = createWriter(62)
  const { body } = await running.publisher.upload('vu-an', makePng({ width: 700, height: 500, seed: 62 }), 'image/png')
  const images = [{ url: String(body['url']), role: 'lead' as const, caption: CAPTION }]
  const article = { ...write(), title: `${SECRET} ra tòa`, images }
  await running.publish('vu-an', article)
  // The same picture in another article, with words of its own.
  await running.publish('bai-khac', { ...write(), images: [{ ...images[0], caption: 'Ảnh tư liệu' }] })
  const shown = /\/renditions\/[^"\s]+\.jpg/.exec((await running.get(`/articles/${articleIdOf('bai-khac')}`)).text)?.[0] ?? ''
  assert.equal((await running.get(shown)).status, 200)
  assert.equal((await command(system, ['archive', 'close'])).code, 0)
  await running.publish('vu-an', { ...article, title: `${SECRET} được xử trắng án` })

  const nobody = await command(system, ['purge', 'khong-co', '--reason', 'nhầm'])
  assert.equal(nobody.code, 1, 'what was never there is not purged')
  const purged = await command(system, ['purge', 'vu-an', '--reason', 'quyết định 12/2026', '--by', 'An', '--wait'])
  assert.equal(purged.code, 0, purged.output)
  assert.equal((await running.get(`/articles/${articleIdOf('vu-an')}`)).status, 410)
  assert.equal((await running.get(shown)).status, 200, 'the other article keeps its picture')
  const republished = await running.publisher.put('vu-an', write())
  assert.equal((await running.settled(String(republished.body['submissionId'])))['state'], 'refused')

  assert.equal((await command(system, ['archive', 'close'])).code, 0)
  const verified = await waitFor('the purge to be in a manifest', async () => {
    const verdict = JSON.parse((await command(system, ['archive', 'verify'])).stdout) as { ok: boolean; purged: number }
    return verdict.ok && verdict.purged > 0 && verdict
  })
  assert.ok(verified.purged >= 3, 'a version, its payload and its lines of the ledger')
  const folder = await newFolder(t)
  assert.equal((await command(system, ['archive', 'copy', folder])).code, 0)
  assert.equal((await command(system, ['archive', 'verify', '--copy', folder])).code, 0)
  await running.newswire.stop()

  await withObjects(system, async objects => {
    assert.deepEqual(await holding(objects, [SECRET, CAPTION]), [])
    const records = await listAll(objects, 'archive/purged/')
    const record = Buffer.from((await objects.get(records[0]?.key ?? ''))?.bytes ?? []).toString()
    assert.match(record, /"by":"An".*"reason":"quyết định 12\/2026"/)
    assert.ok((await holding(objects, ['bai-khac'])).length > 0, 'the other article stays')
  })
})
