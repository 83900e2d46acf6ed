/**
 * A fetch session with one broker (KIP-227): pure. The broker remembers what is asked for, so that a request names only the partitions that
 * moved, and an answer only those that have something to say. Without one each fetch of kafkajs lists every partition, both ways.
 */

type WantedPartition = Readonly<{ partition: number; fetchOffset: string; maxBytes: number }>
export type WantedTopic = Readonly<{ topic: string; partitions: readonly WantedPartition[] }>

/** What one request says, in kafkajs' words. */
type SessionFields = Readonly<{
  sessionId: number
  sessionEpoch: number
  topics: readonly WantedTopic[]
  forgottenTopics: readonly Readonly<{ topic: string; partitions: readonly number[] }>[]
}>

type FetchSession = Readonly<{
  /** The next request for all that is wanted. One at a time: `answered` or `lost` comes before the next. */
  ask(wanted: readonly WantedTopic[]): SessionFields
  /** False when the broker has forgotten the session: ask again. */
  answered(answer: Readonly<{ errorCode?: number; sessionId?: number }>): boolean
  /** No answer, or one that could not be used: the next request begins anew, in place of the session there may be. */
  lost(): void
}>

const NO_SESSION = 0
/** A full request, which begins a session. */
const FIRST_EPOCH = 0
const LAST_EPOCH = 2 ** 31 - 1

type Known = Map<string, Map<number, string>>

const placeOf = ({ fetchOffset, maxBytes }: WantedPartition): string => `${fetchOffset}/${maxBytes}`

const toKnown = (wanted: readonly WantedTopic[]): Known =>
  new Map(wanted.map(({ topic, partitions }) => [topic, new Map(partitions.map(one => [one.partition, placeOf(one)]))]))

/** What moved since it was asked for last, and what is new. */
const changedIn = (wanted: readonly WantedTopic[], known: Known): WantedTopic[] =>
  wanted
    .map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.filter(one => known.get(topic)?.get(one.partition) !== placeOf(one)),
    }))
    .filter(({ partitions }) => partitions.length > 0)

const forgottenIn = (now: Known, known: Known): { topic: string; partitions: number[] }[] =>
  [...known]
    .map(([topic, partitions]) => ({ topic, partitions: [...partitions.keys()].filter(partition => !now.get(topic)?.has(partition)) }))
    .filter(({ partitions }) => partitions.length > 0)

export const createFetchSession = (): FetchSession => {
  let sessionId = NO_SESSION
  let sessionEpoch = FIRST_EPOCH
  let known: Known = new Map()

  return {
    ask: wanted => {
      const before = known
      known = toKnown(wanted)
      if (sessionEpoch === FIRST_EPOCH) return { sessionId, sessionEpoch, topics: wanted, forgottenTopics: [] }
      return { sessionId, sessionEpoch, topics: changedIn(wanted, before), forgottenTopics: forgottenIn(known, before) }
    },
    answered: answer => {
      const wasFull = sessionEpoch === FIRST_EPOCH
      const isKept = !answer.errorCode && (wasFull || answer.sessionId === sessionId)
      // A broker whose sessions are all taken gives none, and one older than sessions says nothing of them: then every request is a full one.
      sessionId = isKept ? (answer.sessionId ?? NO_SESSION) : NO_SESSION
      if (sessionId === NO_SESSION) sessionEpoch = FIRST_EPOCH
      else sessionEpoch = sessionEpoch === LAST_EPOCH ? 1 : sessionEpoch + 1
      return wasFull || isKept
    },
    lost: () => {
      sessionEpoch = FIRST_EPOCH
    },
  }
}
