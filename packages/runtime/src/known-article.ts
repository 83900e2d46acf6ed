import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { Trace } from '@newswire/trace/trace'

/** How long the trace is waited for to reach the log's end. */
const TRACE_WAIT_MS = 2_000

type Needs = Readonly<{ objects: Pick<Objects, 'head'>; trace: () => Promise<Pick<Trace, 'article' | 'caughtUp'>> }>

/**
 * Whether anything was ever submitted under the id, however long ago: a trace that was made again knows a month. What cannot be known now is taken for
 * known: a retraction is not lost.
 */
export const isKnownArticle = async ({ objects, trace }: Needs, articleId: string): Promise<boolean> => {
  if ((await objects.head(keys.current(articleId))) !== null) return true
  const view = await trace()
  try {
    await view.caughtUp(AbortSignal.timeout(TRACE_WAIT_MS))
  } catch {
    return true // the trace is behind
  }
  return view.article(articleId) !== null
}
