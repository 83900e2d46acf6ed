import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createHistory } from './history.ts'
import { reachIn } from './page-writer.ts'
import { createProfiles } from './profile.ts'
import { feedOf, makeFact } from './sample-facts.ts'
import { snapshotOf } from './sample-history.ts'
import { openSampleView, toRule } from './sample-view.ts'

const DEADLINE_MS = 20_000
const at = (day: number) => new Date(Date.UTC(2026, 2, day)).toISOString()
const fact = (id: string, day: number) => makeFact({ articleId: `baoqk.${id}`, firstReleasedAt: at(day), releasedAt: at(day) })

test('a pass that began under another limit does not say how far the feed links', async () => {
  const small = feedOf({ id: 'a', limit: 2 })
  const large = { ...small, limit: 6 }
  let snapshot = snapshotOf(small)
  const view = openSampleView([small])
  const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const written = new Set<string>()
  const history = createHistory({
    objects: { list: async () => [], put: async () => ({ ok: true, etag: '' }), delete: async () => undefined },
    view,
    writer: {
      offer: () => undefined,
      isClaimed: ({ day }) => written.has(day),
      write: async ({ day }) => {
        written.add(day)
        // The last page of the small feed, which is none of the large one.
        if (day !== '2026-03-03') return { written: true, busyMs: 0 }
        begun.resolve()
        await goOn.promise
        return { written: true, busyMs: 0 }
      },
    },
    configuration: { current: () => snapshot },
    profileOf: createProfiles(),
    isHeld: () => true,
    now: () => Date.UTC(2026, 5, 1),
    rest: () => setImmediate(),
    askForLink: async () => undefined,
    retryMs: 5,
    onError: (_feedId, error) => begun.reject(error),
  })
  await view.ensure([toRule(small)])
  await history.check('a')
  view.onPlaced(history.touch)
  view.put(...[1, 2, 3, 4].map(day => fact(`n${day}`, day)))
  await begun.promise

  snapshot = snapshotOf(large)
  await view.ensure([toRule(large)])
  await history.check('a')
  goOn.resolve()
  const wanted = reachIn(view.places, toRule(large))
  assert.notDeepEqual(wanted, reachIn(view.places, toRule(small)))
  for (const deadline = Date.now() + DEADLINE_MS; history.reachOf('a') === undefined; await setImmediate())
    assert.ok(Date.now() < deadline, 'the pass under the new limit does not end')
  assert.deepEqual(history.reachOf('a'), wanted)
  await history.stop()
  assert.deepEqual(history.reachOf('a'), wanted)
})
