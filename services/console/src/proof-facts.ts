/** What has to be known of a retraction before it can be proved: what earlier versions showed, and who may have had them. */
import type { Fact } from '@newswire/events/fact'
import type { OutletResult } from '@newswire/events/retraction-proof'
import { getArchived } from '@newswire/objects/archived'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { RetractionRow } from '@newswire/trace/retractions'
import type { Trace } from '@newswire/trace/trace'
import { z } from 'zod'

/** Versions whose titles and pictures are looked for: the newest. */
const MOST_VERSIONS = 50

const routesPart = z.object({ routes: z.record(z.string(), z.object({ version: z.int(), first: z.int().optional() })) })

/** Earlier versions, the newest first, and those that the archive does not have. */
export const readEarlier = async (objects: Pick<Objects, 'get' | 'list'>, { articleId, version, action }: RetractionRow) => {
  const numbers = Array.from({ length: Math.min(version - 1, MOST_VERSIONS) }, (_, index) => version - 1 - index)
  const facts: Fact[] = []
  const missing: number[] = []
  // What a purge took was deleted with its renditions: nothing tells any more what it showed.
  if (action === 'purged') return { facts, missing }
  for (const number of numbers) {
    const found = await getArchived(objects, articleId, number)
    if (found === null) missing.push(number)
    else facts.push(found.fact)
  }
  return { facts, missing }
}

/** Every outlet that may ever have had any version: by the routes and by what was expected of it. */
export const readOutlets = async (
  { objects, trace }: Readonly<{ objects: Pick<Objects, 'get'>; trace: Pick<Trace, 'article'> }>,
  { articleId, version }: RetractionRow,
): Promise<OutletResult[]> => {
  const routes = (await getDocument(objects, keys.routes(articleId), routesPart))?.value.routes ?? {}
  const versions = trace.article(articleId)?.versions ?? []
  const told = versions.flatMap(one => one.sinks.filter(sink => sink.kind === 'outlet').map(sink => sink.id))
  const sinks = versions.find(one => one.version === version)?.sinks ?? []
  return [...new Set([...Object.keys(routes), ...told])].sort().map(id => {
    const sink = sinks.find(one => one.kind === 'outlet' && one.id === id)
    return {
      id,
      first: routes[id]?.first ?? null,
      state: sink?.state ?? 'pending',
      acknowledgedAt: sink?.state === 'done' ? sink.doneAt : null,
      attempts: sink?.attempts ?? null,
      nextAt: sink?.nextAt ?? null,
      lastError: sink?.lastError ?? null,
    }
  })
}
