/**
 * From facts to intents: which feeds an article concerns. Matching remembers (architecture §6.5): a change goes to every feed that matches
 * anything the article was ever released with, so a feed that it left hears of the change too. What an intent means is read from state when the
 * feed is built, so facts that come again, late or out of order only cause a look.
 */
import { matches } from '@newswire/events/config'
import { type ArticleEvent, follow, fromRecord, isArticleEvent, type NewswireEvent } from '@newswire/events/events'
import { type Fact, isForDelivery } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'
import type { Publish } from '@newswire/log/events'
import type { SubscribeOptions } from '@newswire/log/log'
import type { ConfigSnapshot, Configuration } from '@newswire/runtime/configuration'
import type { States } from './states.ts'

/** The feeds in force that a fact concerns; none for an article that was never public. Pure. */
const feedsFor = ({ facetsEver }: Fact, { feeds, categories }: Pick<ConfigSnapshot, 'feeds' | 'categories'>): string[] =>
  facetsEver.public ? [...feeds.values()].filter(feed => matches(feed.match, facetsEver, categories)).map(feed => feed.id) : []

/** The intents of one fact and the milestone that says what is expected. Ids and times come from the fact: a repeat is the same. */
const fanOut = (event: ArticleEvent, snapshot: Pick<ConfigSnapshot, 'feeds' | 'categories'>): NewswireEvent[] => {
  const { articleId, version } = event.data
  const feeds = feedsFor(event.data, snapshot)
  const intents = feeds.map(feedId =>
    follow(event, {
      type: 'feed.changed',
      id: deriveId('feed.changed', feedId, articleId, version),
      source: '/services/feeds',
      subject: feedId,
      time: event.time,
      data: { feedId, articleId, version, ...(isForDelivery(event.data) ? {} : { quiet: true }) },
    }),
  )
  const fannedOut = follow(event, {
    type: 'milestone.reached',
    id: deriveId('fanned-out', 'feeds', articleId, version),
    source: '/services/feeds',
    subject: articleId,
    time: event.time,
    data: {
      kind: 'fanned-out',
      articleId,
      version,
      at: event.time,
      stage: 'feeds',
      sinks: feeds.map(id => ({ kind: 'feed', id })),
    },
  })
  return [...intents, fannedOut]
}

type Intent = NewswireEvent<'feed.changed'>

type Needs = Readonly<{
  publish: Publish
  configuration: Pick<Configuration, 'current'>
  /** Told of every fact that passes by. */
  offer: States['offer']
  /** Given the intents that are about to be published: true when all of them are seen to already, so that nobody waits for the records (default: none is). */
  begin?: (intents: readonly Intent[]) => boolean
}>

const isIntent = (event: NewswireEvent): event is Intent => event.type === 'feed.changed'

/** How long records that nobody waits for may wait for what is published next, which is mostly what a build has to say. ms. */
const COMPANY_MS = 25

/** The `handle` of `articles`: all facts of a batch are fanned out in one publishing, durable before they are committed. Safe to repeat. */
export const onArticles =
  ({ publish, configuration, offer, begin = () => false }: Needs): SubscribeOptions['handle'] =>
  async records => {
    const events = records.map(fromRecord).filter(isArticleEvent)
    const snapshot = configuration.current()
    const caused = events.flatMap(event => fanOut(event, snapshot))
    for (const event of events) offer(event.data)
    const isBegun = begin(caused.filter(isIntent))
    if (caused.length > 0) await publish(caused, isBegun ? { patienceMs: COMPANY_MS } : {})
  }
