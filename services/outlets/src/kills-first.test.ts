import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { createActor } from './actor.ts'
import { steadyClock } from './engine.ts'
import { wantVersion } from './machine.ts'
import { neverSuspended } from './outlet-state.ts'
import { neverOurSide } from './own-side.ts'
import { createPendingStore, outletShelf } from './pending.ts'
import { createSlots } from './slots.ts'

test('after a start a retraction that was left goes before anything else of its outlet has been read', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-kills-first-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  const isRead = Promise.withResolvers<void>()
  const pending = createPendingStore({
    objects: {
      ...objects,
      list: async (prefix, options) => {
        if (prefix === keys.pendingPrefix('partner')) await isRead.promise
        return objects.list(prefix, options)
      },
    },
    shelf: outletShelf,
    now: Date.now,
    onUnreadable: key => assert.fail(key),
  })
  const left = [...['press.a', 'press.b', 'press.c'].map(subject => ({ subject, kill: false })), { subject: 'press.z', kill: true }]
  for (const { subject, kill } of left) {
    const delivery = wantVersion(null, { version: 2, kill, sequence: 1, maybeSent: null }, Date.now())
    await pending.save('partner', { subject, delivery, cause: { id: 'cause' }, sinceMs: Date.now() }, null)
  }

  const sent: string[] = []
  const killed = Promise.withResolvers<void>()
  const all = Promise.withResolvers<void>()
  const actor = createActor('partner', {
    clock: steadyClock(Date.now),
    kind: {
      target: () => ({ concurrency: 4, deliver: 'an address' }),
      read: async (subject, want) => ({
        version: want,
        kill: subject === 'press.z',
        send: async () => {
          sent.push(subject)
          killed.resolve()
          if (sent.length === left.length) all.resolve()
          return { kind: 'accepted' }
        },
      }),
      say: async () => undefined,
      about: { outletId: 'partner' },
      fields: articleId => ({ articleId }),
      newestOnly: false,
    },
    pending,
    states: neverSuspended,
    slots: createSlots(),
    ownSide: neverOurSide,
    owns: () => true,
    random: Math.random,
    scale: 1,
    logger: { info: () => undefined, warn: () => undefined, error: (fields: object) => assert.fail(JSON.stringify(fields)) },
  })
  t.after(async () => {
    await actor.close()
    await objects.close()
    await rm(folder, { recursive: true, force: true })
  })
  await actor.load(true)
  await killed.promise
  assert.deepEqual(sent, ['press.z'])
  isRead.resolve()
  await all.promise
  assert.deepEqual(sent.toSorted(), ['press.a', 'press.b', 'press.c', 'press.z'])
})
