import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { watchLog } from './log-watch.ts'

const until = async (what: string, isSo: () => boolean) => {
  const deadline = performance.now() + 60_000
  while (!isSo()) {
    assert.ok(performance.now() < deadline, what)
    await setTimeout(5)
  }
}

const watching = (t: TestContext, caughtUp?: (signal: AbortSignal) => Promise<void>) => {
  const seen = { ok: true, looks: 0 }
  const health = async () => {
    seen.looks += 1
    return { ok: seen.ok, detail: {} }
  }
  const watch = watchLog({ health }, { everyMs: 5, ...(caughtUp === undefined ? {} : { caughtUp }) })
  t.after(watch.stop)
  return { seen, watch }
}

test('the log is away once it did not answer at two looks in a row, and there again at the first that it answers', async t => {
  const { seen, watch } = watching(t)
  assert.equal(watch.isThere(), true)
  seen.ok = false
  await until('it to be away', () => !watch.isThere())
  assert.ok(seen.looks >= 2)
  seen.ok = true
  await until('it to be there', watch.isThere)
})

test('after an outage the log counts as there once what was written meanwhile has been read, and not while that fails', async t => {
  const { promise: read, resolve } = Promise.withResolvers<void>()
  let asked = 0
  const { seen, watch } = watching(t, async () => {
    asked += 1
    if (asked === 1) throw new Error('the way is there, and what follows it is not yet')
    await read
  })
  await until('some looks', () => seen.looks > 3)
  assert.equal(asked, 0, 'nothing was missed')
  seen.ok = false
  await until('it to be away', () => !watch.isThere())
  seen.ok = true
  await until('it to be asked for again', () => asked === 2)
  assert.equal(watch.isThere(), false)
  resolve()
  await until('it to be there', watch.isThere)
})

test('who waits for what was missed is told when that takes longer than a round, and is asked anew', async t => {
  let asked = 0
  const { seen, watch } = watching(t, signal => {
    asked += 1
    return asked > 1 ? Promise.resolve() : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  seen.ok = false
  await until('it to be away', () => !watch.isThere())
  seen.ok = true
  await until('it to be there', watch.isThere)
  assert.equal(asked, 2)
})
