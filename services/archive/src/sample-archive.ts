/** For tests and benchmarks: an archive on the disk store and the embedded log, with articles, native payloads and milestones in it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type NewswireEvent, toRecord } from '@newswire/events/events'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { deriveId, newId } from '@newswire/events/ids'
import { sampleFact } from '@newswire/events/sample-fact'
import { createEmbeddedLog } from '@newswire/log/embedded'
import type { Log } from '@newswire/log/log'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { createSealing, makeSealingKey, parseSealingKey, type Sealing } from '@newswire/objects/sealed'
import { createLogger } from '@newswire/runtime/logger'
import type { CloseNeeds } from './close.ts'
import { keepVersion } from './keep.ts'
import { createPackedHashes } from './packed-hashes.ts'

export type SampleArchive = Readonly<{
  objects: Objects
  log: Log
  needs: CloseNeeds
  /** The time it is, ms; set it. */
  clock: { nowMs: number }
  /** One more version of an article, as if it had come all the way: native payload, milestones, archived. */
  add(articleId: string, version: number, text?: string, more?: Partial<Fact>): Promise<Fact>
  close(): Promise<void>
}>

const FIRST = Date.parse('2026-03-01T08:00:00.000Z')
export const SAMPLE_DAY_MS = 86_400_000

/** A live fact; `text` is its title and its body. */
export const archivedFact = (articleId: string, version: number, { text, atMs }: { text: string; atMs: number }): LiveFact =>
  sampleFact({
    articleId,
    version,
    submissionId: newId(),
    action: version === 1 ? 'published' : 'updated',
    at: new Date(atMs).toISOString(),
    firstReleasedAt: new Date(FIRST).toISOString(),
    article: { title: text, body: { html: `<p>${text}</p>` }, categories: ['thoi-su'] },
  })

const milestoneOf = (fact: Fact, stage: 'ingest' | 'desk', text: string): NewswireEvent<'milestone.reached'> => {
  const common = { articleId: fact.articleId, at: fact.releasedAt, submissionId: fact.submissionId }
  return {
    id: deriveId('sample', stage, fact.articleId, fact.version),
    type: 'milestone.reached',
    source: `/services/${stage}`,
    subject: fact.articleId,
    time: fact.releasedAt,
    correlationid: fact.submissionId,
    data:
      stage === 'ingest'
        ? { kind: 'submission', ...common, stage, state: 'accepted', command: 'publish' }
        : { kind: 'released', ...common, version: fact.version, action: fact.action, title: text },
  }
}

export const openSampleArchive = async ({
  objects: given,
  log: givenLog,
  secretKey = makeSealingKey(),
}: {
  objects?: Objects
  log?: Log
  /** As in `NEWSWIRE_SECRET_KEY`. */
  secretKey?: string
} = {}): Promise<SampleArchive> => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-archive-'))
  const objects = given ?? (await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' }))
  const log = givenLog ?? (await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal', retryScale: 0.001 }))
  const clock = { nowMs: FIRST }
  const now = () => clock.nowMs
  const sealing: Sealing = createSealing(objects, parseSealingKey(secretKey) ?? new Uint8Array(32))
  const logger = createLogger({ service: 'archive', level: 'silent' })
  return {
    objects,
    log,
    clock,
    needs: { objects, log, sealing, logger, group: 'archive', now },
    add: async (articleId, version, text = `Bản tin số ${version} của ${articleId}`, more = {}) => {
      const fact = { ...archivedFact(articleId, version, { text, atMs: clock.nowMs }), ...more } as Fact
      const native = keys.native(fact.publisher, fact.releasedAt, fact.submissionId)
      await objects.put(native, Buffer.from(JSON.stringify({ headline: text }, null, 2)))
      await log.publish([toRecord(milestoneOf(fact, 'ingest', text)), toRecord(milestoneOf(fact, 'desk', text))])
      await keepVersion(
        { objects, packed: createPackedHashes(objects, Date.now), isPurged: () => false },
        { eventId: deriveId('fact', articleId, version), time: fact.releasedAt, fact },
      )
      return fact
    },
    close: async () => {
      await log.close()
      await objects.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
