/**
 * Three outlets processes share the partitions of `deliveries` on Kafka, while versions and retractions flow: one stops politely, one is killed, one
 * stands still until others have its partitions, and goes on. A receiver that ignores versions not above its own ends with the latest of everything.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { topics } from '@newswire/events/topics'
import { keys } from '@newswire/objects/keys'
import { type Cluster, createCluster } from './support/cluster.ts'
import { createLedger, findPartnerDifferences, type Ledger } from './support/ledger.ts'
import { type Partner, startPartner } from './support/partner.ts'
import type { PartnerMode } from './support/partner-modes.ts'
import { readRealParts } from './support/real-parts.ts'
import { waitFor } from './support/wait-for.ts'

const SEED = 20_261_127
const PER_SECOND = 4
const DEADLINE = { deadlineMs: 120_000, everyMs: 200 }
const SECRET_ENV = 'NEWSWIRE_TEST_RECEIVER_SECRET'
/** A request that was sent before a process stood still has come to its end this long after it goes on (its deadline is 1.5 s here). */
const LATE_BYTES_MS = 5_000

/** How receivers fare while processes fail; some of each, so that every process has some. */
const MANNERS = {
  well: 'ok',
  slow: { afterMs: 300 },
  failing: { status: 503, percent: 40 },
  losing: 'lost',
  hanging: 'hang',
  late: { takesAfterMs: 2_500 },
} as const satisfies Record<string, PartnerMode>
type Manner = keyof typeof MANNERS
const EACH = 2
const TAKEN_BACK_EACH = 3

type Receiver = Readonly<{ id: string; manner: Manner; partner: Partner }>

const startReceivers = async (t: TestContext, secret: string): Promise<readonly Receiver[]> => {
  const manners = Object.keys(MANNERS) as Manner[]
  return await Promise.all(
    manners.flatMap(manner =>
      Array.from({ length: EACH }, async (_, n) => {
        const partner = await startPartner({ secret })
        t.after(() => partner.close())
        return { id: `${manner}-${n}`, manner, partner }
      }),
    ),
  )
}

type Mark = Readonly<{ n: number; state: string; owner: string }>
const PARTITIONS = Array.from({ length: topics.deliveries.partitions }, (_, number) => number)

const readMarks = async ({ objects }: Cluster): Promise<readonly Mark[]> => {
  const found = await Promise.all(PARTITIONS.map(number => objects.get(keys.handover(number))))
  return found.flatMap(one => (one === null ? [] : [JSON.parse(Buffer.from(one.bytes).toString()) as Mark]))
}

/**
 * Waits until every partition is held by these owners, each with some, and by nobody else; `joining`: and by one that is none of them, nor one of those
 * that were there (`gone`: what was killed is told as held until somebody takes it), which is the result. What is held in the middle of a rebalance is
 * never all of that.
 */
const untilHeldBy = async (
  cluster: Cluster,
  known: readonly string[],
  { joining, what, gone = [] }: Readonly<{ joining: boolean; what: string; gone?: readonly string[] }>,
): Promise<string> =>
  await waitFor(
    what,
    async () => {
      const marks = await readMarks(cluster)
      const owners = new Set(marks.map(one => one.owner))
      const others = [...owners].filter(owner => !known.includes(owner))
      const isHeld = marks.length === PARTITIONS.length && marks.every(one => one.state === 'held')
      const isShared =
        known.every(owner => owners.has(owner)) && others.length === (joining ? 1 : 0) && !gone.some(owner => owners.has(owner))
      return isHeld && isShared ? { owner: others[0] ?? '' } : Promise.reject(marks)
    },
    DEADLINE,
  )
    .then(({ owner }) => owner)
    .catch(async error => assert.fail(`${error.message}\n${await cluster.report()}`))

/** Each hand-over raises a mark by two, its end and the next beginning; whoever takes over from the dead raises it by one. */
const assertHandedOver = (before: readonly Mark[], after: readonly Mark[]): void => {
  const owners = new Set(after.map(one => one.owner))
  const wasHandedOver = before.some(({ owner, n }, at) => {
    const raised = (after[at]?.n ?? 0) - n
    return !owners.has(owner) && raised >= 2 && raised % 2 === 0
  })
  assert.ok(wasHandedOver, 'what the process that stopped had was handed over')
}

/** What no receiver may ever see, but for the bytes of a process that stood still, which only the receiver's own fence can keep out. */
const findOffences = ({ id, partner }: Receiver, wokenAtMs: number): string[] =>
  partner.findOffences().flatMap(offence => {
    const at = partner.requests[Number(/^request (\d+)/.exec(offence)?.[1])]?.at ?? 0
    const isLate = at >= wokenAtMs && at <= wokenAtMs + LATE_BYTES_MS
    return isLate && offence.includes('was delivered after') ? [] : [`${id}: ${offence}`]
  })

const untilSettled = async (cluster: Cluster, ledger: Ledger, receivers: readonly Receiver[]): Promise<void> => {
  await waitFor(
    'every receiver to hold the latest of everything',
    () => {
      const differences = receivers.flatMap(({ id, partner }) =>
        findPartnerDifferences(cluster, ledger.entries, partner).map(one => `${id}: ${one}`),
      )
      return differences.length === 0 || Promise.reject(new Error(`${differences.length}: ${differences.slice(0, 8).join('\n')}`))
    },
    DEADLINE,
  ).catch(async error => assert.fail(`${error.message}\n${await cluster.report()}`))
}

test('outlets processes hand over, are killed and stand still, and no receiver ends with anything but the latest', {
  skip: readRealParts().both.skip,
}, async t => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const receivers = await startReceivers(t, secret)
  const cluster = await createCluster(t, {
    env: { [SECRET_ENV]: secret },
    outlets: receivers.map(({ id, partner }) => ({ id, match: {}, deliver: { kind: 'webhook', url: partner.url, secretEnv: SECRET_ENV } })),
  })
  const everybody = [...receivers, { id: 'partner', manner: 'well', partner: cluster.partner } as const]
  const setManners = async (isRough: boolean) => {
    for (const { manner, partner } of receivers) await partner.setMode(isRough ? MANNERS[manner] : 'ok')
  }
  const ledger = createLedger(cluster, SEED)
  const names = ['one', 'two', 'three'] as const
  await cluster.start(['ingest', 'images', 'desk'], 'pipeline')
  const owners: string[] = []
  // One after the other, so that it is known who is who.
  for (const name of names) {
    await cluster.start(['outlets'], name)
    owners.push(await untilHeldBy(cluster, owners, { joining: true, what: `${name} to have a share` }))
  }
  const [stopped = '', second = '', third = ''] = owners

  /** Of some articles that everybody who is well has, each fault meets the retraction. */
  const duringRetractions = async <T>(phase: string, fault: () => Promise<T>): Promise<T> => {
    const ids = Array.from({ length: TAKEN_BACK_EACH }, (_, n) => `${phase}${n}`)
    for (const id of ids) await ledger.publish(id)
    const well = everybody.filter(one => one.manner === 'well')
    const areThere = () => well.every(({ partner }) => ids.every(id => partner.held(cluster.articleId(id))))
    await waitFor(`the articles of the ${phase} phase to be there`, areThere, DEADLINE)
    const [result] = await Promise.all([fault(), ...ids.map(ledger.retract)])
    return result
  }

  const story = async () => {
    await setManners(true)
    const before = await readMarks(cluster)
    await duringRetractions('stop', async () => {
      assert.deepEqual(await cluster.process('one').stop(), { code: 0, signal: null })
      await cluster.start(['outlets'], 'one')
    })
    const first = await untilHeldBy(cluster, [second, third], { joining: true, what: 'the new process to have a share', gone: [stopped] })
    assertHandedOver(before, await readMarks(cluster))

    await duringRetractions('kill', () => cluster.killAndRestart('two'))
    const after = await untilHeldBy(cluster, [first, third], {
      joining: true,
      what: 'the one after the killed one to have a share',
      gone: [second],
    })

    await duringRetractions('freeze', async () => {
      cluster.process('three').freeze()
      await untilHeldBy(cluster, [first, after], { joining: false, what: 'the others to have what the frozen one had' })
    })
    const wokenAtMs = Date.now()
    cluster.process('three').wake()
    await waitFor('the woken one to have a share again', async () => (await readMarks(cluster)).some(one => one.owner === third), DEADLINE)
    await setManners(false)
    return wokenAtMs
  }
  const told = story()
  await ledger.load({ perSecond: PER_SECOND, until: told })
  const wokenAtMs = await told

  await untilSettled(cluster, ledger, everybody)
  for (const { id, partner } of everybody.filter(one => one.manner === 'well'))
    for (const phase of ['stop', 'kill', 'freeze'])
      for (let n = 0; n < TAKEN_BACK_EACH; n++)
        assert.ok(partner.held(cluster.articleId(`${phase}${n}`))?.retraction, `${id} had ${phase}${n} and was told of its end`)
  assert.deepEqual(
    everybody.flatMap(one => findOffences(one, wokenAtMs)),
    [],
  )
})
