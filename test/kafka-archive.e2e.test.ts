/** The archive on Kafka and S3: closed, packed, proved, purged, taken out; then the broker is lost, and the archive alone brings everything back. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { keys } from '@newswire/objects/keys'
import { makeSealingKey } from '@newswire/objects/sealed'
import { createWriter } from './support/articles.ts'
import { type Cluster, createCluster, services } from './support/cluster.ts'
import { newFolder, runCommand } from './support/newswire.ts'
import { readRealParts } from './support/real-parts.ts'
import { listAll } from './support/stopped.ts'
import { formats } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const skip = readRealParts().both.skip
/** A busy machine, and groups that find their members first. */
const DEADLINE_MS = 90_000
const FEEDS = ['all', 'c0', 'c1']
const DERIVED = ['current/', 'feeds/', 'holds/']
const LAST = services.filter(name => name !== 'archive')

const command = (cluster: Cluster, args: readonly string[]) =>
  runCommand({
    args: [...args, '--json'],
    deadlineMs: 2 * DEADLINE_MS,
    env: { ...cluster.env, NEWSWIRE_CONSOLE_URL: cluster.urls.console, NEWSWIRE_INGEST_URL: cluster.urls.ingest },
  })
const succeeds = async (cluster: Cluster, args: readonly string[]): Promise<Record<string, unknown>> => {
  const { code, stdout, output } = await command(cluster, args)
  assert.equal(code, 0, `newswire ${args.join(' ')}: ${output}`)
  return JSON.parse(stdout) as Record<string, unknown>
}

const readFeeds = async ({ urls }: Cluster): Promise<string[]> =>
  await Promise.all(
    FEEDS.flatMap(feed =>
      formats.map(async file => {
        const response = await fetch(`${urls.gateway}/feeds/${feed}/${file}`, { signal: AbortSignal.timeout(15_000) })
        assert.equal(response.status, 200)
        return await response.text()
      }),
    ),
  )

/** Every sink of this version is done; the last of them is the partner. */
const everywhere = async (cluster: Cluster, localId: string, version: number): Promise<void> => {
  const { urls } = cluster
  await waitFor(
    `version ${version} of ${localId} everywhere`,
    async () => {
      const response = await fetch(`${urls.console}/v1/articles/${cluster.articleId(localId)}/trace`, {
        signal: AbortSignal.timeout(15_000),
      })
      const { versions = [] } = (await response.json()) as {
        versions?: { version: number; stages: { outcome: string }[]; sinks: { kind: string; state: string }[] }[]
      }
      const found = versions.find(one => one.version === version)
      const isFannedOut = found?.stages.filter(one => one.outcome === 'fanned-out').length === 2
      return (isFannedOut && found?.sinks.every(one => one.kind === 'hub' || one.state === 'done')) || Promise.reject(found)
    },
    { deadlineMs: DEADLINE_MS },
  ).catch(async error => assert.fail(`${error.message}\n${await cluster.report()}`))
}

/** Two archives, of which one closes; and all the rest. */
const startAll = (cluster: Cluster) =>
  Promise.all([cluster.start(LAST, 'rest'), cluster.start(['archive'], 'a'), cluster.start(['archive'], 'b')])
const stopAll = (cluster: Cluster) => Promise.all(['rest', 'a', 'b'].map(name => cluster.process(name).stop(60_000)))

test('on Kafka and S3 two archives close, pack and purge what is proved and exported; with the broker lost the archive gives the same feeds byte for byte', {
  skip,
}, async t => {
  const cluster = await createCluster(t, { env: { NEWSWIRE_SECRET_KEY: makeSealingKey() } })
  await startAll(cluster)
  const { publisher, objects } = cluster
  const write = createWriter(64)
  const put = async (localId: string, article = write()) => assert.equal((await publisher.put(localId, article)).status, 202)
  const first = Array.from({ length: 5 }, (_, n) => put(`bai-${n}`, write({ categories: [`c${n % 2}`] })))
  await Promise.all(first)
  await Promise.all(first.map((_, n) => everywhere(cluster, `bai-${n}`, 1)))
  await succeeds(cluster, ['archive', 'close'])
  await put('bai-1', write({ categories: ['c1'] }))
  assert.equal((await publisher.retract('bai-2', { mode: 'withdraw', reason: 'thử' })).status, 202)
  await Promise.all([everywhere(cluster, 'bai-1', 2), everywhere(cluster, 'bai-2', 2)])
  await succeeds(cluster, ['purge', 'pub.bai-3', '--reason', 'quyết định 12/2026', '--by', 'An'])
  await everywhere(cluster, 'bai-3', 2)
  await succeeds(cluster, ['archive', 'close'])
  await waitFor('the purge to be in a manifest', async () => {
    const verdict = await succeeds(cluster, ['archive', 'verify'])
    return verdict['pending'] === 0 && Number(verdict['purged']) >= 3 && Number(verdict['versions']) === 7
  })
  const packs = (await listAll(objects, 'archive/packs/')).filter(({ key }) => key.endsWith('.gz'))
  assert.ok(packs.length >= 2, 'two manifests at least, packed')
  const folder = await newFolder(t)
  const out = join(folder, 'all.jsonl')
  assert.equal((await succeeds(cluster, ['archive', 'export', '--all-versions', '--out', out]))['articles'], 7)
  const exported = (await readFile(out, 'utf8')).trim().split('\n')
  const facts = exported.map(line => (JSON.parse(line) as { fact: { articleId: string; state: string } }).fact)
  assert.deepEqual(
    facts.filter(fact => fact.articleId === 'pub.bai-3').map(fact => fact.state),
    ['purged'],
  )
  const feeds = await readFeeds(cluster)
  const sent = cluster.partner.requests.length

  await stopAll(cluster)
  await cluster.loseBroker()
  for (const prefix of DERIVED) for (const { key } of await listAll(objects, prefix)) await objects.delete(key)
  assert.equal((await succeeds(cluster, ['rebuild', 'all']))['articles'], 5)
  await startAll(cluster)
  await waitFor(
    'the same feeds',
    async () => {
      const now = await readFeeds(cluster)
      const other = now.findIndex((text, at) => text !== feeds[at])
      return (
        other === -1 || Promise.reject(new Error(`feed ${other}:\n${now[other]?.slice(0, 1500)}\nwas:\n${feeds[other]?.slice(0, 1500)}`))
      )
    },
    { deadlineMs: DEADLINE_MS },
  ).catch(async error => assert.fail(`${error.message}\n${await cluster.report()}`))

  // Life goes on where it stood: the next version, and the chain of the archive. What partners had was not sent again.
  await put('bai-1', write({ categories: ['c1'] }))
  await everywhere(cluster, 'bai-1', 3)
  assert.equal(cluster.partner.requests.length, sent + 1, 'the new version alone')
  await succeeds(cluster, ['archive', 'close'])
  assert.equal((await succeeds(cluster, ['archive', 'verify']))['versions'], 8)

  const mark = async () => JSON.parse(Buffer.from((await objects.get(keys.logMark()))?.bytes ?? []).toString()) as { epoch: number }
  const { epoch } = await mark()
  assert.equal((await command(cluster, ['rebuild', 'all'])).code, 1, 'not on a log that is there')
  assert.equal((await mark()).epoch, epoch, 'and no process counts above those that run')

  // What an article stands at is put back from an earlier copy of the bucket: as it was before it was taken back.
  const key = keys.current('pub.bai-1')
  const older = (await objects.get(key))?.bytes ?? assert.fail('bai-1 is in the store')
  assert.equal((await publisher.retract('bai-1', { mode: 'withdraw', reason: 'thử' })).status, 202)
  await everywhere(cluster, 'bai-1', 4)
  await succeeds(cluster, ['archive', 'close'])
  assert.deepEqual((await succeeds(cluster, ['rebuild', 'articles']))['articles'], [], 'nothing to do')
  const healed = { articles: [{ articleId: 'pub.bai-1', version: 4, lacksPictures: false }], withdrawn: 0, outdated: [], lost: [] }
  await objects.put(key, older)
  const beside = await command(cluster, ['rebuild', 'articles'])
  assert.deepEqual([beside.code, /stop every one of them first/.test(beside.output)], [1, true], beside.output)
  assert.deepEqual(await succeeds(cluster, ['rebuild', 'articles', 'pub.bai-1']), healed)
  await stopAll(cluster)
  await objects.put(key, older)
  const refused = await command(cluster, ['run', 'desk'])
  assert.deepEqual(
    [refused.code, /NEWSWIRE_STORE_OLDER.*version 4 in the log and 3 in the store/.test(refused.output)],
    [1, true],
    refused.output,
  )
  assert.deepEqual(await succeeds(cluster, ['rebuild', 'articles']), healed)
  await startAll(cluster)
  await waitFor('what was taken back to be gone', async () => (await fetch(`${cluster.urls.gateway}/articles/pub.bai-1`)).status === 410)
  assert.equal(
    (await readFeeds(cluster)).some(text => text.includes('pub.bai-1') && !/retracted|deleted-entry|dcterms:valid/.test(text)),
    false,
  )
  assert.deepEqual(cluster.partner.findOffences(), [])
  assert.equal((await succeeds(cluster, ['archive', 'verify']))['versions'], 9)
})
