import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Faults } from './simulated-world.ts'
import { type Plant, type Run, simulate } from './simulation.ts'

const CALM: Faults = { crash: 0, partners: false, own: false }
const STORM: Faults = { crash: 0.02, partners: true, own: true }

/** Everything that is wrong with a run, in words that name the seed. */
const complaints = ({ seed, latest, fenced, naive, sent, told, undone, stuck }: Run): string[] => {
  const found: string[] = []
  const pairs = [...latest.keys()].flatMap(articleId =>
    ['one', 'two'].map(outletId => ({ articleId, outletId, pair: `${outletId}/${articleId}` })),
  )
  for (const { articleId, pair } of pairs) {
    const wanted = latest.get(articleId)
    // A retraction that overtook every release it takes back finds nobody: the article was never routed.
    if (wanted === undefined || (wanted.killed && !fenced.has(pair) && !sent.some(one => `${one.outletId}/${one.articleId}` === pair)))
      continue
    if (fenced.get(pair)?.version !== wanted.version)
      found.push(`${pair} holds ${fenced.get(pair)?.version}, the latest is ${wanted.version}`)
    if (wanted.killed && naive.get(pair)?.killed !== true) found.push(`${pair} was killed and is shown`)
    if (told.get(pair) !== wanted.version) found.push(`${pair} was told as ${told.get(pair)}, the latest is ${wanted.version}`)
  }
  const byId = new Map<string, string>()
  const idsOf = new Map<string, Set<string>>()
  for (const { outletId, articleId, version, id, body } of sent) {
    const what = `${outletId}/${articleId} v${version}`
    if ((byId.get(id) ?? `${what} ${body}`) !== `${what} ${body}`) found.push(`${id} stands for two things`)
    byId.set(id, `${what} ${body}`)
    idsOf.set(what, (idsOf.get(what) ?? new Set()).add(id))
  }
  for (const [what, ids] of idsOf) if (ids.size > 2) found.push(`${what} went under ${ids.size} ids`)
  if (undone > 0) found.push(`${undone} deliveries are left in the store`)
  return [...found, ...stuck].map(text => `seed ${seed}: ${text}`)
}

/** Versions sent of one article to one outlet never fall, in the order they were sent. */
const isRising = ({ sent }: Run): boolean => {
  const top = new Map<string, number>()
  return sent.every(({ outletId, articleId, version }) => {
    const pair = `${outletId}/${articleId}`
    const ok = version >= (top.get(pair) ?? 0)
    top.set(pair, Math.max(version, top.get(pair) ?? 0))
    return ok
  })
}

test('without faults every outlet ends with the latest version, and nothing is sent twice', { timeout: 60_000 }, async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const run = await simulate(seed, CALM)
    assert.deepEqual(complaints(run), [])
    assert.ok(isRising(run))
    const ids = run.sent.map(one => one.id)
    assert.equal(new Set(ids).size, ids.length, `seed ${seed} sent something twice`)
  }
})

test('whatever crashes, hangs and fails in between, every outlet ends with the latest version, and every kill has got there', {
  timeout: 120_000,
}, async () => {
  let crashes = 0
  let kills = 0
  for (let seed = 1; seed <= 800; seed++) {
    const run = await simulate(seed, STORM)
    assert.deepEqual(complaints(run), [])
    assert.ok(isRising(run), `seed ${seed} sent an older version after a newer one`)
    crashes += run.crashes
    kills += [...run.latest.values()].filter(one => one.killed).length
  }
  assert.ok(crashes > 1_000, `only ${crashes} crashes: the storm is too weak to prove anything`)
  assert.ok(kills > 500, `only ${kills} kills`)
})

const plants: readonly Plant[] = ['version-of-the-intent', 'forgets-pending', 'commits-early', 'settles-under-the-same-id']
for (const plant of plants)
  test(`a planted fault is found: ${plant}`, { timeout: 60_000 }, async () => {
    for (let seed = 1; seed <= 400; seed++) {
      const run = await simulate(seed, STORM, plant)
      if (complaints(run).length > 0 || !isRising(run)) return
    }
    assert.fail('400 runs with a planted fault looked right: the checks prove nothing')
  })
