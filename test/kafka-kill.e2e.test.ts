/** Kill −9 of each of the eight processes on Kafka and S3, twice, under load: nothing that was answered 202 is lost, nothing older follows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCluster, type Service, services } from './support/cluster.ts'
import { createLedger, watchFeeds } from './support/ledger.ts'
import { createRandom } from './support/random.ts'
import { readRealParts } from './support/real-parts.ts'

const SEED = 20_261_124
const PER_SECOND = 10
const ROUNDS = 2
/** Restarts overlap with the sessions of those before them; then their groups come to rest. */
const CATCH_UP_MS = 120_000

const parts = readRealParts()

const shuffled = <T>(all: readonly T[], random: ReturnType<typeof createRandom>): T[] =>
  all
    .map(one => [random.next(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)

test('each of the eight processes may be killed twice under load, and every article answered 202 is everywhere in its latest state', {
  skip: parts.both.skip,
}, async t => {
  const cluster = await createCluster(t)
  const random = createRandom(SEED)
  const ledger = createLedger(cluster, SEED)
  await Promise.all(services.map(service => cluster.start([service])))
  const watching = watchFeeds(t, cluster)

  const kills = async () => {
    const restarts = new Map<Service, Promise<unknown>>()
    for (let round = 0; round < ROUNDS; round += 1)
      for (const service of shuffled(services, random)) {
        await new Promise(resolve => setTimeout(resolve, random.between(1000, 6000)))
        // A restart is whole once the group has given it partitions: the next kill need not wait for that.
        await restarts.get(service)
        const restart = cluster.killAndRestart(service)
        restart.catch(() => undefined)
        restarts.set(service, restart)
      }
    await Promise.all(restarts.values())
  }
  const killing = kills()
  await ledger.load({ perSecond: PER_SECOND, until: killing })
  await killing
  assert.ok(ledger.entries.size > 100, `only ${ledger.entries.size} articles were published`)
  await ledger.settled(CATCH_UP_MS).catch(async error => assert.fail(`${error.message}\n${await cluster.report()}`))
  await watching.stop()
  assert.deepEqual(watching.offences, [])
  assert.ok(watching.reads() > 100, `the feeds were read only ${watching.reads()} times`)
  assert.deepEqual(cluster.partner.findOffences(), [])
})
