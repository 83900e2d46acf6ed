/** The part of the contract about processes that die: what was acknowledged is there, and nothing is torn. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { bodyOf, counterBody } from './contract-child.ts'
import { type Make, openStore, type StoreSettings } from './contract-store.ts'
import type { Objects } from './objects.ts'

const CHILD = fileURLToPath(new URL('./contract-child.ts', import.meta.url))

/** Runs the child until it has had `count` puts acknowledged, kills it, and gives all lines it printed. */
const killAfter = async (settings: StoreSettings, count: number): Promise<readonly string[]> => {
  const child = spawn(process.execPath, ['--no-warnings', CHILD, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (lines.length === count) child.kill('SIGKILL')
  }
  const [code, signal] = await exited
  assert.equal(signal, 'SIGKILL', `the child ended by itself (${code}) after ${lines.length} puts`)
  return lines
}

const checkNewKeys = async (objects: Objects, acknowledged: ReadonlySet<string>) => {
  const stored = await objects.list('new/', { limit: 1_000_000 })
  const keys = new Set(stored.map(({ key }) => key))
  for (const key of acknowledged) assert.ok(keys.has(key), `${key} was acknowledged and is lost`)
  for (const key of keys) {
    const found = await objects.get(key)
    assert.ok(found !== null && Buffer.compare(found.bytes, bodyOf(key)) === 0, `${key} is torn`)
  }
}

const checkCounters = async (objects: Objects, lines: readonly string[]) => {
  const last = new Map<number, number>()
  for (const line of lines) {
    const [, lane, n] = /^counter (\d+) (\d+)$/.exec(line) ?? []
    if (lane !== undefined) last.set(Number(lane), Number(n))
  }
  for (const [lane, n] of last) {
    const found = await objects.get(`counter/${lane}.json`)
    assert.ok(found)
    const stored = (JSON.parse(Buffer.from(found.bytes).toString()) as { n: number }).n
    assert.ok(stored === n || stored === n + 1, `counter ${lane} is at ${stored}, acknowledged was ${n}`)
    assert.equal(Buffer.compare(found.bytes, counterBody(lane, stored)), 0, `counter ${lane} is torn`)
  }
}

export const crashContract = (make: Make): void => {
  for (const count of [1, 90, 700]) {
    test(`a writer killed after ${count} acknowledged puts loses none of them and tears nothing`, { timeout: 60_000 }, async t => {
      const { settings } = await make(t)
      const lines = await killAfter(settings, count)
      const objects = await openStore(settings)
      t.after(() => objects.close())
      await checkNewKeys(objects, new Set(lines.filter(line => line.startsWith('new/'))))
      await checkCounters(objects, lines)
      assert.ok((await objects.put('after', Buffer.from('x'), { ifNoneMatch: '*' })).ok)
    })
  }
}
