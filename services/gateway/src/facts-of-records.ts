/** The facts that the gateway's views are made of, out of the records of `articles`. */
import { codeOf, messageOf, RejectError } from '@newswire/events/errors'
import { fromRecord, isArticleEvent } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { isArticleId } from '@newswire/events/ids'
import type { LogRecord } from '@newswire/log/log'

export type OnPoison = (details: { code: string; message: string; position: number }) => void

/** Ids and instants go into pages as they are: one fact that has others would break the front page for everybody. */
const checkFact = (fact: Fact): Fact => {
  const instants = [
    fact.firstReleasedAt,
    fact.releasedAt,
    fact.updatedAt,
    ...(fact.state === 'live' ? [fact.article.publishedAt ?? ''] : []),
  ]
  if (!isArticleId(fact.articleId) || instants.some(instant => instant !== '' && Number.isNaN(Date.parse(instant))))
    throw new RejectError(
      'NEWSWIRE_GATEWAY_FACT',
      `a fact about ${JSON.stringify(fact.articleId.slice(0, 200))} has an id or a time that cannot be`,
    )
  return fact
}

export const factOf = (record: Pick<LogRecord, 'headers' | 'value' | 'position'>, onPoison: OnPoison): Fact | null => {
  try {
    const event = fromRecord(record)
    return isArticleEvent(event) ? checkFact(event.data) : null
  } catch (error) {
    // The subscriptions of feeds, archive and outlets put such a record into the dead letters; a view passes it over.
    onPoison({ code: codeOf(error), message: messageOf(error), position: record.position })
    return null
  }
}
