import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeOnce } from '@newswire/archive/close'
import { openSampleArchive, SAMPLE_DAY_MS } from '@newswire/archive/sample-archive'
import { keys } from '@newswire/objects/keys'
import { lookAtArchive } from './archive.ts'

test('the end of the chain is looked at: signature, the manifest before, the one that the keys name, and its age', async t => {
  const archive = await openSampleArchive()
  t.after(() => archive.close())
  const { objects, needs, clock } = archive
  const look = async () => (await lookAtArchive(objects, clock.nowMs))[0] ?? assert.fail('nothing was said')
  assert.match((await look()).detail, /nothing is closed yet/)

  await archive.add('press.a', 1)
  await closeOnce(needs)
  await archive.add('press.a', 2)
  await closeOnce(needs)
  assert.deepEqual([(await look()).state, /^manifest 2, /.test((await look()).detail)], ['ok', true])
  clock.nowMs += 2 * SAMPLE_DAY_MS
  assert.deepEqual([(await look()).state, /no day was closed since/.test((await look()).detail)], ['warning', true])

  const changed = async (key: string, change: (text: string) => string | null, said: RegExp) => {
    const held = (await objects.get(key)) ?? assert.fail(`${key} is missing`)
    const next = change(Buffer.from(held.bytes).toString('utf8'))
    if (next === null) await objects.delete(key)
    else await objects.put(key, Buffer.from(next))
    const finding = await look()
    assert.equal(finding.state, 'failed')
    assert.match(finding.detail, said)
    assert.match(finding.remedy ?? '', /archive verify/)
    await objects.put(key, held.bytes)
  }
  await changed(keys.archiveManifest(2), text => text.replace('"count":', '"count":9'), /the signature of manifest 2 does not fit/)
  await changed(keys.archiveManifest(2), () => null, /manifest 2, which the published keys name, is missing/)
  await changed(
    keys.archiveManifest(1),
    text => text.replace('"closedAt":"2026', '"closedAt":"2027'),
    /manifest 2 does not follow manifest 1/,
  )
  await changed(keys.archiveKeys(), text => text.replace(/"kid":"[^"]*"/, '"kid":"0000000000000000"'), /which is not published/)
  assert.equal((await look()).state, 'warning')
})
