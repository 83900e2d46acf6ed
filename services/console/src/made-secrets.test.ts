import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { outletConfig } from '@newswire/events/config'
import { emptyOutletState, planRotation } from '@newswire/events/outlet'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { findMissedSecrets } from './made-secrets.ts'

const DAY_MS = 86_400_000
const webhook = (id: string) =>
  outletConfig.parse({ id, deliver: { kind: 'webhook', url: 'https://w.example', secretEnv: `${id.toUpperCase()}_SECRET` } })

test('an outlet whose secret was made needs none of the environment, during the overlap neither; one without is told of, with what helps', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-made-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const nowMs = Date.parse('2026-11-28T00:00:00.000Z')
  const signing = planRotation(null, { secretEnv: 'MADE_SECRET', id: 'outlet-made-1', nowMs, overlapMs: DAY_MS })
  await objects.put(keys.outletState('made'), Buffer.from(JSON.stringify({ ...emptyOutletState, signing })))
  const config = { publishers: [], outlets: [webhook('made'), webhook('bare')] }
  for (const later of [1, 2 * DAY_MS])
    assert.deepEqual(await findMissedSecrets({ objects, config, secret: () => undefined, nowMs: nowMs + later }), {
      unsetSecrets: [{ kind: 'outlets', id: 'bare', names: ['BARE_SECRET'] }],
      warnings: [
        'outlets/bare: nothing is sent until Newswire is started again with BARE_SECRET set, or `newswire outlets rotate bare` makes a secret',
      ],
    })
})
