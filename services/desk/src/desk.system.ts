/** For tests: a desk on the embedded log and the disk, and what the front door would put before it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type Article, articleInput, contentOf, toArticle } from '@newswire/events/article'
import { canonicalSha256 } from '@newswire/events/canonical'
import { fromRecord, type NewswireEvent, toRecord } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'
import type { Milestone } from '@newswire/events/milestone'
import type { Prepared } from '@newswire/events/submission'
import { createEmbeddedLog } from '@newswire/log/embedded'
import type { LogRecord } from '@newswire/log/log'
import { createDiskObjects } from '@newswire/objects/disk'
import { createLogger } from '@newswire/runtime/logger'
import { createMetrics } from '@newswire/runtime/metrics'
import { start } from './main.ts'

export const until = async <T>(
  what: string,
  look: () => T | undefined | false | null | Promise<T | undefined | false | null>,
  withinMs = 60_000,
): Promise<T> => {
  const deadline = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${withinMs} ms`)
    await setTimeout(5)
  }
}

/** A desk on the embedded log and the disk, and all that it publishes. */
export const openSystem = async (dir: string) => {
  const log = await createEmbeddedLog({ file: join(dir, 'log.db'), fsync: 'normal', retryScale: 0.01 })
  const objects = await createDiskObjects({ root: join(dir, 'objects'), fsync: 'normal' })
  const metrics = createMetrics({ processMetrics: false })
  const settings = { dataDir: dir, retryScale: 0.01 }
  const desk = await start({ log, objects, metrics, settings, logger: createLogger({ service: 'desk', level: 'silent' }), now: Date.now })
  const records: LogRecord[] = []
  const milestones: Milestone[] = []
  const dead: LogRecord[] = []
  const keep = (event: NewswireEvent | null) => {
    if (event?.type === 'milestone.reached') milestones.push(event.data)
  }
  await log.follow({ topic: 'articles', from: 'start', onRecords: batch => void records.push(...batch) })
  await log.follow({ topic: 'milestones', from: 'start', onRecords: batch => batch.map(fromRecord).forEach(keep) })
  await log.follow({ topic: 'dead-letters', from: 'start', onRecords: batch => void dead.push(...batch) })
  const facts = (): Fact[] => records.map(record => fromRecord(record)?.data as Fact)
  return {
    log,
    objects,
    desk,
    metrics,
    records,
    milestones,
    dead,
    facts,
    fact: (articleId: string, version: number) =>
      until(`version ${version} of ${articleId}`, () => facts().find(one => one.articleId === articleId && one.version === version)),
    outcome: (submissionId: string, state: string) =>
      until(`${submissionId} ${state}`, () =>
        milestones.find(one => one.kind === 'submission' && one.submissionId === submissionId && one.state === state),
      ),
    close: async () => {
      await desk.stop()
      await log.close()
      await objects.close()
    },
  }
}

export type System = Awaited<ReturnType<typeof openSystem>>

export const openFolder = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), 'desk-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export const open = async (t: TestContext): Promise<System> => {
  const dir = openFolder(t)
  const system = await openSystem(dir)
  t.after(system.close)
  return system
}

let position = 0
export const common = (submissionId: string, articleId: string) => {
  position += 1
  const publisher = articleId.slice(0, articleId.indexOf('.'))
  return { submissionId, articleId, publisher, receivedAt: new Date().toISOString(), lane: 'live' as const, position }
}

export const toPublish = (submissionId: string, articleId: string, said: Record<string, unknown> = {}): Prepared => {
  const input = articleInput.parse({ title: submissionId, body: { text: `Nội dung ${submissionId}` }, ...said })
  const article: Article = toArticle(input, { language: 'vi' })
  return { command: 'publish', ...common(submissionId, articleId), article, contentSha256: canonicalSha256(contentOf(article)) }
}
export const toRetract = (submissionId: string, articleId: string): Prepared => ({
  command: 'retract',
  ...common(submissionId, articleId),
  retraction: { mode: 'gone', reason: 'sai', legal: false },
})

export const toEvent = (data: Prepared): NewswireEvent<'submission.prepared'> => ({
  id: deriveId('prepared', data.submissionId),
  type: 'submission.prepared',
  source: '/services/images',
  subject: data.articleId,
  time: data.receivedAt,
  correlationid: data.submissionId,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  data,
})

export const give = async ({ log }: System, ...prepared: readonly Prepared[]) => {
  await log.publish(prepared.map(toEvent).map(toRecord))
}
