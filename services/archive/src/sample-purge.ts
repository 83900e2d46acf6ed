/** For tests: an archive with two articles, closed; a purge of the first one, and what a forger would write. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { LiveFact } from '@newswire/events/fact'
import { sha256Hex } from '@newswire/events/ids'
import { readArchived } from '@newswire/objects/archived'
import { keys } from '@newswire/objects/keys'
import { closeOnce } from './close.ts'
import { createCloser } from './closer.ts'
import { inPlace } from './copy.ts'
import { erase } from './erase.ts'
import { keepVersion } from './keep.ts'
import { signedLines } from './manifest.ts'
import { createPackedHashes } from './packed-hashes.ts'
import { purge } from './purge.ts'
import type { PurgeRecord } from './purged.ts'
import { archivedFact, openSampleArchive, type SampleArchive } from './sample-archive.ts'
import { readKeys, type Signer } from './signing.ts'
import { verifyCopy } from './verify-copy.ts'

export const ID = 'press.a'

const open = async (t: TestContext): Promise<SampleArchive> => {
  const archive = await openSampleArchive()
  t.after(() => archive.close())
  return archive
}

export const verifyLive = async ({ objects }: SampleArchive) => {
  const found = await readKeys(objects)
  assert.ok(found)
  return verifyCopy(inPlace(objects), found.value, { isLive: true })
}

/** One version of two articles, packed; what the first one is packed as. */
export const closed = async (t: TestContext) => {
  const archive = await open(t)
  const fact = await archive.add(ID, 1, 'Đã ký')
  await archive.add('press.b', 1)
  await closeOnce(archive.needs)
  await archive.objects.put(keys.current(ID), Buffer.from(JSON.stringify({ released: { fact } })))
  const key = keys.archive(fact.firstReleasedAt, ID, 1)
  const native = keys.native(fact.publisher, fact.releasedAt, fact.submissionId)
  const signed = Buffer.from((await readArchived(archive.objects, key)) ?? [])
  const forged = Buffer.from(signed.toString().replaceAll('Đã ký', 'Giả mạo'))
  assert.notDeepEqual(signed, forged)
  return { archive, key, native, signed, forged }
}

export const purgeOf = (archive: SampleArchive) => {
  const { article: _, ...common } = archivedFact(ID, 2, { text: '', atMs: archive.clock.nowMs }) as LiveFact
  const fact = { ...common, state: 'purged' as const, action: 'purged' as const, reason: 'court order', by: 'An' }
  const { objects } = archive
  return {
    /** `between`: what happens after its last version is kept, and before it is purged. */
    keepPurged: async (between: () => Promise<unknown> = async () => undefined) => {
      const needs = { objects, packed: createPackedHashes(objects, Date.now), isPurged: () => false }
      await keepVersion(needs, { eventId: 'purge-event', time: fact.releasedAt, fact })
      await between()
      await purge(archive.needs, fact)
    },
    settle: async () => {
      const closer = createCloser({ ...archive.needs, owns: () => true })
      await closer.close()
      await closer.stop()
    },
  }
}

/** A record that says that the first version was purged, with a signature by `signer`; and the version is gone. */
export const forgePurge = async ({ archive, key, signed }: Awaited<ReturnType<typeof closed>>, signer: Signer) => {
  const { objects } = archive
  const found = await readArchived(objects, key)
  assert.deepEqual(Buffer.from(found ?? []), signed)
  const said: Omit<PurgeRecord, 'keyId'> = {
    schema: 'newswire.archive.purge/1',
    articleId: ID,
    part: 1,
    at: '2026-03-01T09:00:00.000Z',
    by: 'nobody',
    reason: 'none',
    keeps: keys.archive('2026-03-01T08:00:00.000Z', ID, 2),
    removed: [{ key, sha256: sha256Hex(signed), bytes: signed.byteLength, manifest: 1 }],
    milestones: [],
    pictures: [],
    renditions: [],
    replaces: [],
  }
  await objects.put(keys.archivePurged(ID, 1), Buffer.from(`${signedLines(said, signer).join('\n')}\n`))
  await erase(objects, [{ key }])
}
