import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { newswireConfig } from '@newswire/events/config'
import { createDiskObjects } from '@newswire/objects/disk'
import { applyConfiguration } from './apply-config.ts'
import { readConfigAt } from './config-history.ts'

const MADE = Date.parse('2026-01-01T00:00:00Z')
const HOUR = 3_600_000

/** Outlet `a` made at `MADE`, its name changed every hour, then retired. */
const open = async (t: TestContext) => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-config-history-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    await rm(root, { recursive: true, force: true })
  })
  const outlet = (name: string) => ({ id: 'a', name, deliver: { kind: 'webhook', url: 'https://a.example/', secretEnv: 'A' } })
  const apply = (hours: number, outlets: readonly object[]) =>
    applyConfiguration({
      objects,
      publish: async () => [],
      config: newswireConfig.parse({ site: { id: 'news.example,2026', title: 'News', publicUrl: 'https://news.example' }, outlets }),
      prune: true,
      now: () => MADE + hours * HOUR,
    })
  for (const hours of [0, 1, 2, 3, 4]) await apply(hours, [outlet(`name ${hours}`)])
  await apply(5, [])
  return (hours: number) => readConfigAt(objects, { kind: 'outlets', id: 'a' }, MADE + hours * HOUR)
}

test('an object is found as it was at any time, with when it was made', async t => {
  const at = await open(t)
  for (const [hours, name] of [
    [0, 'name 0'],
    [0.5, 'name 0'],
    [1, 'name 1'],
    [3.9, 'name 3'],
    [4.9, 'name 4'],
  ] as const) {
    const found = await at(hours)
    assert.ok(found)
    assert.deepEqual([(found.value as { name: string }).name, found.retired], [name, false], `after ${hours} h`)
    assert.equal(found?.createdAt, '2026-01-01T00:00:00.000Z')
  }
  assert.equal((await at(9))?.retired, true)
})

test('what was made later is told as it was made, and what never was is nothing', async t => {
  const at = await open(t)
  const found = await at(-1)
  assert.ok(found !== null && Date.parse(found.createdAt) > MADE - HOUR)
  assert.equal((found.value as { name: string }).name, 'name 0')
})
