/** The broker away for 10 s, then the store: ingest says so, nothing is promised that is not kept, the eight processes live and catch up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCluster, services } from './support/cluster.ts'
import { createLedger, watchFeeds } from './support/ledger.ts'
import { readRealParts } from './support/real-parts.ts'

const AWAY_MS = 10_000
const BEFORE_MS = 3000
const PER_SECOND = 10
const CATCH_UP_MS = 120_000

const parts = readRealParts()
const ALONE = { title: 'Một mình', language: 'vi', body: { text: 'Một mình.' } }
const lasting = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

for (const [part, skip] of [
  ['kafka', parts.both.skip || parts.kafkaFaults.skip],
  ['s3', parts.both.skip || parts.s3Faults.skip],
] as const)
  test(`${part === 'kafka' ? 'the broker' : 'the store'} may be away for 10 s: 503 and never a false 202, no process ends, and everything catches up`, {
    skip,
  }, async t => {
    // First, so that the cluster can clean up after itself.
    t.after(() => parts.control(part, 'start'))
    const cluster = await createCluster(t)
    const ledger = createLedger(cluster, part === 'kafka' ? 41 : 42)
    const processes = await Promise.all(services.map(service => cluster.start([service])))
    const ends: string[] = []
    for (const [index, one] of processes.entries())
      void one.ended.then(({ code, signal }) => ends.push(`${services[index]} ended (${signal ?? `status ${code}`})`))
    const watching = watchFeeds(t, cluster)

    const goAway = async () => {
      await lasting(BEFORE_MS)
      assert.equal(ledger.answers.get(503) ?? 0, 0)
      await parts.control(part, 'stop')
      // One that nobody repeats, so that its answer is seen for itself; the part stays away until it has come.
      const [refused] = await Promise.all([cluster.publisher.put('alone', ALONE), lasting(AWAY_MS)])
      await parts.control(part, 'start')
      return refused
    }
    const going = goAway()
    await ledger.load({ perSecond: PER_SECOND, until: going.then(() => lasting(BEFORE_MS)) })
    const refused = await going
    assert.equal(refused.status, 503)
    assert.match(String(refused.body['code']), /^NEWSWIRE_/)
    assert.deepEqual(
      [...ledger.answers.keys()].filter(answer => answer !== 202 && answer !== 503),
      [],
      'ingest answers 202 or 503, and always answers',
    )
    await ledger.settled(CATCH_UP_MS).catch(async error => assert.fail(`${ends}\n${error.message}\n${await cluster.report()}`))
    assert.deepEqual(ends, [])
    await watching.stop()
    assert.deepEqual(watching.offences, [])
    assert.deepEqual(cluster.partner.findOffences(), [])
  })
