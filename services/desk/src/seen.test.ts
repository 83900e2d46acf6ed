import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { toRecord } from '@newswire/events/events'
import { createEmbeddedLog } from '@newswire/log/embedded'
import type { Log } from '@newswire/log/log'
import { submissionCause } from './cause.ts'
import { decide } from './decide.ts'
import { openFolder, toEvent, toPublish, until } from './desk.system.ts'
import { factEvent } from './outcomes.ts'
import { openSeenVersions } from './seen.ts'
import { blank } from './state.ts'

it('a view that is still being made again says nothing of any article: its end may be what is still to be read', async t => {
  const dir = openFolder(t)
  const log = await createEmbeddedLog({ file: join(dir, 'log.db'), fsync: 'normal' })
  t.after(() => log.close())
  const gate = Promise.withResolvers<void>()
  const slow: Log = { ...log, follow: async options => ({ ...(await log.follow(options)), ready: gate.promise }) }
  const { released } = decide(blank, submissionCause(toEvent(toPublish('b1', 'baoqk.hai')), 'baoqk.hai'), new Date().toISOString()).next
  assert.ok(released)
  await log.publish([toRecord(factEvent(released))])
  const seen = await openSeenVersions({ log: slow, file: join(dir, 'seen.db') })
  t.after(seen.stop)
  await until('the first version to be read', () => seen.newest('baoqk.hai') === 1)
  assert.equal(seen.standingOf('baoqk.hai'), null)
  gate.resolve()
  await seen.ready
  assert.equal(seen.standingOf('baoqk.hai'), 'here')
})
