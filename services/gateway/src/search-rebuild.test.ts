import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { canonicalJson } from '@newswire/events/canonical'
import type { Fact } from '@newswire/events/fact'
import { sha256Hex } from '@newswire/events/ids'
import { buildPack, toIndexBytes } from '@newswire/objects/archive-pack'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { readSearchWanted, wantSearch } from '@newswire/objects/search-wanted'
import { createLogger } from '@newswire/runtime/logger'
import { makeLive } from './sample-facts.ts'
import { followSearchWishes } from './search-rebuild.ts'
import { archivedSeeds } from './search-seeds.ts'

const openObjects = async (t: TestContext) => {
  const root = mkdtempSync(join(tmpdir(), 'newswire-search-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    rmSync(root, { recursive: true, force: true })
  })
  return objects
}

const archived = (fact: Fact) => ({
  key: keys.archive(fact.firstReleasedAt, fact.articleId, fact.version),
  content: Buffer.from(
    canonicalJson({ schema: 'newswire.archive.version/1', eventId: 'e', time: fact.releasedAt, previousSha256: null, fact }),
  ),
})

test('everything archived is read once more, loose or packed', async t => {
  const objects = await openObjects(t)
  const loose = archived(makeLive({ articleId: 'press.loose' }))
  await objects.put(loose.key, loose.content)
  const packed = [1, 2].map(version => archived(makeLive({ articleId: 'press.packed', version })))
  const pack = await buildPack(packed.map(({ key, content }) => ({ key, sha256: sha256Hex(content), content })))
  const packKey = keys.archivePack('2026/03/01', 1, 1, pack.sha256)
  await objects.put(packKey, pack.bytes)
  await objects.put(keys.archivePackIndex('2026/03/01', 1, 1), await toIndexBytes(pack, { manifest: 1, part: 1, pack: packKey }))
  const found: string[] = []
  for await (const facts of archivedSeeds(objects))
    for (const text of facts) {
      const { articleId, version } = JSON.parse(text) as Fact
      found.push(`${articleId}/${version}`)
    }
  assert.deepEqual(found.sort(), ['press.loose/1', 'press.packed/1', 'press.packed/2'])
})

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (const deadline = Date.now() + 60_000; !(await holds()); await setTimeout(5))
    if (Date.now() > deadline) throw new Error('it did not come about')
}

test('a wish is fulfilled once by each gateway, and says how it went; one that another finished is not done again at start', async t => {
  const objects = await openObjects(t)
  const logger = createLogger({ service: 'gateway', level: 'silent' })
  let rebuilt = 0
  let fails = false
  const search = {
    rebuild: async ({ onTaken }: { onTaken?: (articles: number) => void } = {}) => {
      rebuilt += 1
      onTaken?.(7)
      if (fails) throw new Error('disk full')
    },
  }
  const states = async () => (await readSearchWanted(objects))?.value.gateways.map(one => [one.state, one.articles, one.reason]) ?? []
  const one = followSearchWishes({ search, objects, logger, lookMs: 5 })
  t.after(() => one.stop())
  const wish = (id: string) => wantSearch(objects, { id, requestedAt: '2026-03-01T00:00:00.000Z', source: 'log' })
  await wish('first')
  await until(async () => (await states())[0]?.[0] === 'done')
  assert.deepEqual(await states(), [['done', 7, undefined]])
  const other = followSearchWishes({ search, objects, logger, lookMs: 5 })
  t.after(() => other.stop())
  fails = true
  await wish('second')
  await until(async () => (await states()).filter(([state]) => state === 'failed').length === 2)
  assert.deepEqual((await states())[0], ['failed', 7, 'disk full'])
  assert.equal(rebuilt, 3)
})
