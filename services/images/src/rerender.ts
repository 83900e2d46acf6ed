/**
 * A changed table of presets: the pictures of every article that is live are made again from their originals, behind live work, one article at a time.
 * An article whose renditions are others afterwards gets a version of its own (a late picture's: no date moves); one whose are the same gets none.
 * The old renditions stay at their addresses. Where nothing but the default table was ever in force, there is nothing to do.
 */

import type { Picture } from '@newswire/events/article'
import { follow } from '@newswire/events/events'
import { isLive, type LiveFact } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'
import { withOutcome } from '@newswire/events/picture-outcome'
import type { Publish } from '@newswire/log/events'
import { keys } from '@newswire/objects/keys'
import { getReleased } from '@newswire/objects/released'
import { isSameFiles } from './parked.ts'
import type { Settle } from './settle-picture.ts'
import { type Walk, walkArticles } from './walk-articles.ts'

type RerenderNeeds = Pick<Walk, 'objects' | 'partitions' | 'partitionOf' | 'pageSize'> &
  Readonly<{
    publish: Publish
    settle: Settle
    /** Names the table in force, and the one that is in force where nobody said otherwise. */
    table: () => string
    defaultTable: string
  }>

/** Those of the article's pictures that have other renditions now. */
const renderAgain = async ({ settle }: RerenderNeeds, fact: LiveFact, signal: AbortSignal): Promise<readonly Picture[]> => {
  const again: Picture[] = []
  for (const picture of fact.article.images) {
    if (picture.state !== 'ready' || picture.sha256 === undefined) continue
    const settleFor = { articleId: fact.articleId, lane: 'backfill' as const, rights: fact.article.rights }
    const settled = await settle({ ...picture, url: `newswire:${picture.sha256}` }, settleFor, signal)
    // What cannot be made now, or would be refused by now, stays as it is.
    if (settled.outcome !== 'settled' || settled.picture.state !== 'ready') continue
    if (!isSameFiles(settled.picture, picture)) again.push(withOutcome(picture, settled.picture))
  }
  return again
}

const renderArticle = async (needs: RerenderNeeds, articleId: string, table: string, signal: AbortSignal): Promise<void> => {
  const fact = (await getReleased(needs.objects, articleId))?.fact
  if (fact === undefined || !isLive(fact)) return
  const pictures = await renderAgain(needs, fact, signal)
  if (pictures.length === 0 || signal.aborted) return
  const { submissionId, version, releasedAt } = fact
  const arrived = follow(
    { id: submissionId, correlationid: submissionId },
    {
      type: 'pictures.arrived',
      id: deriveId('rerendered', articleId, version, table),
      source: '/services/images',
      subject: articleId,
      time: releasedAt,
      data: { articleId, submissionId, pictures: [...pictures] },
    },
  )
  await needs.publish([arrived], { synced: true })
}

/** Ends when all are done, when `signal` says so, or when the table has changed once more: then it is called again. Safe to repeat. */
export const rerenderAll = ({ table, defaultTable, ...needs }: RerenderNeeds, signal: AbortSignal): Promise<void> =>
  walkArticles(
    {
      ...needs,
      work: table,
      doneAtFirst: defaultTable,
      keyOf: keys.rerender,
      visit: async (articleId, work, stopped) => {
        await renderArticle({ ...needs, table, defaultTable }, articleId, work, stopped)
        return 'done'
      },
    },
    signal,
  )
