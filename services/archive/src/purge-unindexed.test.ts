/** A purge on a day whose index is lost and whose pack is damaged. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildPack, entriesOf, parseIndex } from '@newswire/objects/archive-pack'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import { readOpenPurges } from '@newswire/objects/open-purges'
import { closed, ID, purgeOf } from './sample-purge.ts'

const filesOf = async (objects: Objects, prefix: string): Promise<string[]> => {
  const found: string[] = []
  for await (const page of listPages(objects, prefix)) found.push(...page.map(one => one.key))
  return found
}

/** Of each pack only what was the article's can still be read, and no index says so. */
const damage = async (objects: Objects): Promise<string[]> => {
  const packs: string[] = []
  for (const key of (await filesOf(objects, keys.archivePackPrefix)).filter(one => one.endsWith('.index.jsonl'))) {
    const index = await parseIndex((await objects.get(key))?.bytes ?? assert.fail(key), key)
    const pack = index.pack ?? assert.fail(key)
    const entries = [...entriesOf((await objects.get(pack))?.bytes ?? assert.fail(pack), index)]
    const readable = await buildPack(entries.filter(one => Buffer.from(one.content).includes('Đã ký')))
    await objects.put(pack, Buffer.concat([readable.bytes, Buffer.from('no gzip')]))
    await objects.delete(key)
    packs.push(pack)
  }
  return packs
}

test('a purge stays open, and names the pack, while one is damaged that has no index and may hold what is to go', async t => {
  const { archive } = await closed(t)
  const { objects } = archive
  const { keepPurged, settle } = purgeOf(archive)
  let packs: readonly string[] = []
  const breaks = async () => {
    packs = await damage(objects)
  }
  await assert.rejects(keepPurged(breaks), { code: 'NEWSWIRE_ARCHIVE_PACK' })
  for (let look = 0; look < 2; look++) await settle()
  const [said, ...others] = await readOpenPurges(objects)
  assert.deepEqual([others, said?.articleId, said?.trouble?.code], [[], ID, 'NEWSWIRE_ARCHIVE_PACK'])
  assert.ok(
    packs.some(pack => said?.trouble?.message.startsWith(`pack ${pack} is damaged and has no index`)),
    said?.trouble?.message,
  )
  for (const pack of packs) await objects.delete(pack)
  for (let look = 0; look < 2; look++) await settle()
  assert.deepEqual(await filesOf(objects, keys.archivePurgingPrefix), [])
})
