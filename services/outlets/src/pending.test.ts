import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { wantVersion } from './machine.ts'
import { createPendingStore, outletShelf, type Pending } from './pending.ts'

const HOUR = 3_600_000
const pendingOf = (subject: string, version = 1, kill = false): Pending => ({
  subject,
  delivery: wantVersion(null, { version, kill, sequence: version, maybeSent: null }, 0),
  cause: { id: 'cause' },
  sinceMs: 0,
})

const storeFor = async (t: TestContext, wrap: (objects: Objects) => Objects = objects => objects, pageSize = 250) => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-pending-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    await rm(folder, { recursive: true, force: true })
  })
  const unreadable: string[] = []
  // An hour ahead: everything written is old enough to be swept.
  const store = createPendingStore({
    objects: wrap(objects),
    shelf: outletShelf,
    now: () => Date.now() + HOUR,
    onUnreadable: key => void unreadable.push(key),
    pageSize,
  })
  const load = async () => {
    const found: string[] = []
    for (let after: string | null | undefined; after !== null; ) {
      const page = await store.page('partner', after)
      found.push(...page.stored.map(one => `${one.pending.subject} v${one.pending.delivery.want}`))
      after = page.after
    }
    return found.sort()
  }
  return { objects, store, load, unreadable }
}

test('what is saved is loaded again, and what is cleared is not', async t => {
  const { store, load } = await storeFor(t)
  const held = await store.save('partner', pendingOf('press.a'), null)
  await store.save('partner', pendingOf('press.B'), null)
  await store.save('other', pendingOf('press.c'), null)
  assert.deepEqual(await load(), ['press.B v1', 'press.a v1'].sort())
  await store.clear('partner', pendingOf('press.a'), held)
  assert.deepEqual(await load(), ['press.B v1'])
})

test('the owner writes over what an earlier owner or a tombstone left', async t => {
  const { store, load } = await storeFor(t)
  const held = await store.save('partner', pendingOf('press.a', 1), null)
  await store.save('partner', pendingOf('press.a', 2), null)
  assert.deepEqual(await load(), ['press.a v2'])
  const last = await store.save('partner', pendingOf('press.a', 3), held)
  await store.clear('partner', pendingOf('press.a'), last)
  await store.save('partner', pendingOf('press.a', 4), null)
  assert.deepEqual(await load(), ['press.a v4'])
})

test('an end that comes late does not clear what was written since', async t => {
  const { store, load } = await storeFor(t)
  const held = await store.save('partner', pendingOf('press.a', 1), null)
  await store.save('partner', pendingOf('press.a', 2), held)
  await store.clear('partner', pendingOf('press.a'), held)
  assert.deepEqual(await load(), ['press.a v2'])
})

test('an object that cannot be read is told of, kept, and stops nothing', async t => {
  const { objects, store, load, unreadable } = await storeFor(t)
  await objects.put(keys.pending('partner', 'press.bad'), Buffer.from('{"n":'))
  await store.save('partner', pendingOf('press.a'), null)
  assert.deepEqual(await load(), ['press.a v1'])
  await store.sweep('partner', () => true)
  assert.deepEqual(unreadable, [keys.pending('partner', 'press.bad')])
  assert.ok((await objects.head(keys.pending('partner', 'press.bad'))) !== null)
})

test('sweeping deletes old tombstones only, and nothing once the outlet is lost', async t => {
  const { objects, store, load } = await storeFor(t)
  const held = await store.save('partner', pendingOf('press.a'), null)
  await store.clear('partner', pendingOf('press.a'), held)
  await store.save('partner', pendingOf('press.b'), null)
  await store.sweep('partner', () => false)
  assert.ok((await objects.head(keys.pending('partner', 'press.a'))) !== null)
  await store.sweep('partner', () => true)
  assert.equal(await objects.head(keys.pending('partner', 'press.a')), null)
  assert.deepEqual(await load(), ['press.b v1'])
})

test('a delivery that is written down while its tombstone is swept is not lost', async t => {
  const looked = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const { store, load } = await storeFor(t, objects => ({
    ...objects,
    delete: async key => {
      looked.resolve()
      await goOn.promise
      await objects.delete(key)
    },
  }))
  const held = await store.save('partner', pendingOf('press.a', 1), null)
  await store.clear('partner', pendingOf('press.a'), held)
  const swept = store.sweep('partner', () => true)
  await looked.promise
  const saved = store.save('partner', pendingOf('press.a', 2), null)
  goOn.resolve()
  await Promise.all([swept, saved])
  assert.deepEqual(await load(), ['press.a v2'])
})

test('who is not surely the owner any more writes over nothing that came meanwhile', async t => {
  const { store, load } = await storeFor(t)
  await store.save('partner', pendingOf('press.a', 2), null)
  await assert.rejects(
    store.save('partner', pendingOf('press.a', 1), null, () => false),
    { code: 'NEWSWIRE_OUTLETS_LOST' },
  )
  assert.deepEqual(await load(), ['press.a v2'])
})

test('retractions are read before everything else, however much that is, and are read again in their place', async t => {
  const { store, load } = await storeFor(t, undefined, 2)
  for (const name of ['a', 'b', 'c', 'd', 'e']) await store.save('partner', pendingOf(`press.${name}`), null)
  for (const name of ['x', 'Y', 'z']) await store.save('partner', pendingOf(`press.${name}`, 2, true), null)
  await store.save('other', pendingOf('press.w', 2, true), null)
  const first = await store.page('partner')
  const second = await store.page('partner', first.after ?? undefined)
  const early = [...first.stored, ...second.stored].map(one => one.pending.subject)
  assert.deepEqual(early.sort(), ['press.Y', 'press.x', 'press.z'])
  assert.deepEqual(
    [...new Set(await load())],
    ['press.Y v2', 'press.a v1', 'press.b v1', 'press.c v1', 'press.d v1', 'press.e v1', 'press.x v2', 'press.z v2'],
  )
})

test('a retraction that ended, or that a newer version took the place of, is none that is read first', async t => {
  const { store } = await storeFor(t)
  const ended = await store.save('partner', pendingOf('press.a', 2, true), null)
  await store.clear('partner', pendingOf('press.a', 2, true), ended)
  const replaced = await store.save('partner', pendingOf('press.b', 2, true), null)
  await store.save('partner', pendingOf('press.b', 3), replaced)
  await store.save('partner', pendingOf('press.c', 2, true), null)
  const { stored } = await store.page('partner')
  assert.deepEqual(
    stored.map(one => one.pending.subject),
    ['press.c'],
  )
})

test('the mark of a retraction goes once that is over, not before, and not once the outlet is lost', async t => {
  const { objects, store } = await storeFor(t)
  const marks = async () => (await objects.list(keys.pendingKillPrefix('partner'))).map(one => one.key)
  const held = await store.save('partner', pendingOf('press.a', 2, true), null)
  await store.save('partner', pendingOf('press.b', 2, true), null)
  await store.clear('partner', pendingOf('press.a', 2, true), held)
  await store.sweep('partner', () => false)
  assert.equal((await marks()).length, 2)
  await store.sweep('partner', () => true)
  assert.deepEqual(await marks(), [keys.pendingKill('partner', 'press.b')])
})

test('a retraction that is written down while the mark of the one before it is swept is marked', async t => {
  const looked = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const { store } = await storeFor(t, objects => ({
    ...objects,
    delete: async key => {
      if (key.startsWith(keys.pendingKillPrefix('partner'))) {
        looked.resolve()
        await goOn.promise
      }
      await objects.delete(key)
    },
  }))
  const held = await store.save('partner', pendingOf('press.a', 2, true), null)
  await store.clear('partner', pendingOf('press.a', 2, true), held)
  const swept = store.sweep('partner', () => true)
  await looked.promise
  const saved = store.save('partner', pendingOf('press.a', 4, true), null)
  goOn.resolve()
  await Promise.all([swept, saved])
  const { stored } = await store.page('partner')
  assert.deepEqual(
    stored.map(one => one.pending.delivery.want),
    [4],
  )
})

test('an owner of whom something lies there is told from one of whom nothing does, however their names begin', async t => {
  const { store } = await storeFor(t)
  await store.save('partner', pendingOf('press.a'), null)
  assert.deepEqual(await Promise.all(['partner', 'part', 'partner-2'].map(store.isAny)), [true, false, false])
})
