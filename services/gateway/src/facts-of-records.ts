/** The facts that the gateway's views are made of, out of the records of `articles`. */
import { codeOf, messageOf } from '@newswire/events/errors'
import { fromRecord, isArticleEvent } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import type { LogRecord } from '@newswire/log/log'

export type OnPoison = (details: { code: string; message: string; position: number }) => void

export const factOf = (record: Pick<LogRecord, 'headers' | 'value' | 'position'>, onPoison: OnPoison): Fact | null => {
  try {
    const event = fromRecord(record)
    return isArticleEvent(event) ? event.data : null
  } catch (error) {
    // The subscriptions of feeds, archive and outlets put such a record into the dead letters; a view passes it over.
    onPoison({ code: codeOf(error), message: messageOf(error), position: record.position })
    return null
  }
}
