/** A retraction while a partner is down and the process that delivers is killed: the kill arrives, and nothing older after it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCluster } from './support/cluster.ts'
import { createLedger, revisionsIn } from './support/ledger.ts'
import { readRealParts } from './support/real-parts.ts'
import { staysTrue, waitFor } from './support/wait-for.ts'

const DEADLINE_MS = 60_000

test('a retraction reaches a partner that was down, also when the outlets process is killed meanwhile', {
  skip: readRealParts().both.skip,
}, async t => {
  const cluster = await createCluster(t)
  const ledger = createLedger(cluster, 51)
  await Promise.all([
    cluster.start(['ingest', 'gateway', 'console'], 'front'),
    cluster.start(['images', 'desk', 'feeds', 'archive'], 'middle'),
    cluster.start(['outlets']),
  ])
  const sink = async (localId: string) => {
    const response = await fetch(`${cluster.urls.console}/v1/articles/${cluster.articleId(localId)}/trace`)
    const { versions } = (await response.json()) as {
      versions: { version: number; sinks: { kind: string; state: string; version: number }[] }[]
    }
    return versions.at(-1)?.sinks.find(one => one.kind === 'outlet')
  }
  const retrying = (localId: string) =>
    waitFor(`the delivery of ${localId} to be tried again`, async () => (await sink(localId))?.state === 'retrying', {
      deadlineMs: DEADLINE_MS,
    })

  const [routed, unrouted, updated] = ['routed', 'unrouted', 'updated'] as const
  for (const id of [routed, unrouted, updated]) await ledger.publish(id)
  await ledger.settled(DEADLINE_MS)

  await cluster.partner.setMode('down')
  // One is being tried again when its retraction comes; one is retracted and tried; one is retracted while nobody delivers.
  await ledger.publish(updated)
  await retrying(updated)
  await ledger.retract(updated)
  await ledger.retract(routed)
  await retrying(routed)
  await cluster.process('outlets').kill()
  await ledger.retract(unrouted)
  await cluster.partner.setMode('ok')
  await cluster.start(['outlets'])

  await ledger.settled(DEADLINE_MS).catch(async error => assert.fail(`${error.message}\n${await cluster.report()}`))
  for (const id of [routed, unrouted, updated]) {
    const held = cluster.partner.held(cluster.articleId(id))
    assert.equal(held?.action, 'retracted', id)
    assert.equal(revisionsIn(JSON.stringify(held.article)).size, 0, 'a retraction carries no text')
  }
  const allHeldRetracted = () => [routed, unrouted, updated].every(id => cluster.partner.held(cluster.articleId(id))?.retraction !== null)
  await staysTrue('the partner to hold nothing but retractions', allHeldRetracted, 3000)
  assert.deepEqual(cluster.partner.findOffences(), [])
})
