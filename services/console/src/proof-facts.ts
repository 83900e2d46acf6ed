/** What has to be known of a retraction before it can be proved: what earlier versions showed, and who may have had them. */
import type { Fact } from '@newswire/events/fact'
import { routesPart } from '@newswire/events/outlet'
import type { OutletResult } from '@newswire/events/retraction-proof'
import { getArchived } from '@newswire/objects/archived'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { RetractionRow } from '@newswire/trace/retractions'
import { RESTORED } from '@newswire/trace/tables'
import type { Trace } from '@newswire/trace/trace'

/** Versions whose titles and pictures are looked for: the newest. */
const MOST_VERSIONS = 50

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
  const { sinks = [], stages = [] } = versions.find(one => one.version === version) ?? {}
  const [stage, outcome] = RESTORED
  const isRestored = stages.some(one => one.stage === stage && one.outcome === outcome)
  /** What was told of it went with a lost log; what an outlet is still owed lies in the store. */
  const isSettled = async (id: string): Promise<boolean> => isRestored && (await objects.get(keys.pending(id, articleId))) === null
  return Promise.all(
    [...new Set([...Object.keys(routes), ...told])].sort().map(async id => {
      const sink = sinks.find(one => one.kind === 'outlet' && one.id === id)
      const isLost = sink === undefined && (await isSettled(id))
      return {
        id,
        first: routes[id]?.first ?? null,
        state: sink?.state ?? (isLost ? 'skipped' : 'pending'),
        acknowledgedAt: sink?.state === 'done' ? sink.doneAt : null,
        attempts: sink?.attempts ?? null,
        nextAt: sink?.nextAt ?? null,
        lastError:
          sink?.lastError ?? (isLost ? "nothing is owed to it; what it said before the log was lost is in the archive's ledger" : null),
      }
    }),
  )
}
