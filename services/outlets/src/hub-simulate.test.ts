import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HubPlant, type HubRun, simulateHub } from './hub-simulation.ts'
import type { Faults } from './simulated-world.ts'

const CALM: Faults = { crash: 0, partners: false, own: false }
const STORM: Faults = { crash: 0.02, partners: true, own: true }

/** Everything that is wrong with a run, in words that name the seed. */
const complaints = ({ seed, latest, live, endedMs, shown, sent, overlaps, undone, stuck }: HubRun): string[] => {
  const found: string[] = []
  for (const name of live) if (shown.get(name) !== latest) found.push(`${name} holds build ${shown.get(name)}, the latest is ${latest}`)
  const top = new Map<string, number>()
  const byId = new Map<string, string>()
  for (const { name, counter, atMs, id } of sent) {
    if (counter < (top.get(name) ?? 0)) found.push(`${name} was sent build ${counter} after ${top.get(name)}`)
    top.set(name, Math.max(counter, top.get(name) ?? 0))
    if (atMs > (endedMs.get(name) ?? Number.POSITIVE_INFINITY)) found.push(`${name} was sent build ${counter} after its end`)
    const what = `${name} ${counter}`
    if ((byId.get(id) ?? what) !== what) found.push(`${id} stands for ${what} and ${byId.get(id)}`)
    byId.set(id, what)
  }
  if (overlaps > 0) found.push(`${overlaps} requests began beside another one to the same callback`)
  if (undone > 0) found.push(`${undone} subscribers are left in the store`)
  if (live.includes('gone')) found.push('who answered 410 is still subscribed')
  return [...found, ...stuck].map(text => `seed ${seed}: ${text}`)
}

test('without faults every subscriber is told every build that is not overtaken, once', { timeout: 60_000 }, async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const run = await simulateHub(seed, CALM)
    assert.deepEqual(complaints(run), [])
    const told = run.sent.map(({ name, counter }) => `${name} ${counter}`)
    assert.equal(new Set(told).size, told.length, `seed ${seed} sent something twice`)
  }
})

test('whatever crashes, hangs and fails in between, every subscriber ends with the newest feed, and nobody is sent anything after his end', {
  timeout: 120_000,
}, async () => {
  let crashes = 0
  for (let seed = 1; seed <= 600; seed++) {
    const run = await simulateHub(seed, STORM)
    assert.deepEqual(complaints(run), [])
    crashes += run.crashes
  }
  assert.ok(crashes > 500, `only ${crashes} crashes: the storm is too weak to prove anything`)
})

const plants: readonly HubPlant[] = ['forgets-pending', 'commits-early', 'reads-once', 'forgets-the-end']
for (const plant of plants)
  test(`a planted fault is found: ${plant}`, { timeout: 60_000 }, async () => {
    for (let seed = 1; seed <= 400; seed++) if (complaints(await simulateHub(seed, STORM, plant)).length > 0) return
    assert.fail('400 runs with a planted fault looked right: the checks prove nothing')
  })
