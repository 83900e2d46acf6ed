/** What kafkajs throws, as the two errors of the port. No class of kafkajs leaves this package. */
import { messageOf, RejectError, UnavailableError } from '@newswire/events/errors'

type KafkaError = {
  name?: unknown
  message?: unknown
  type?: unknown
  code?: unknown
  retriable?: unknown
  cause?: unknown
  errors?: unknown
}

const causesOf = (error: unknown): KafkaError[] => {
  const causes: KafkaError[] = []
  const visit = (one: unknown) => {
    if (typeof one !== 'object' || one === null || causes.includes(one) || causes.length > 20) return
    causes.push(one)
    const { cause, errors } = one as KafkaError
    visit(cause)
    if (Array.isArray(errors)) errors.forEach(visit)
  }
  visit(error)
  return causes
}

/** The broker's name of an error, like `UNKNOWN_TOPIC_OR_PARTITION`, wherever in the chain of causes it is. */
export const brokerErrorOf = (error: unknown): string | null => {
  for (const { type } of causesOf(error)) if (typeof type === 'string') return type
  return null
}

/** True when the broker itself said no for good: not a lost connection, not a change of leaders. */
export const isRefusal = (error: unknown): boolean =>
  causesOf(error).some(one => typeof one.type === 'string' && one.retriable === false) && !WORTH_TRYING.has(brokerErrorOf(error) ?? '')

const MEMBERSHIP: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID'])
/** True when the group does not take whoever asked for a member of now: a member joins again, nothing is wrong with it; from outside, the group has members. */
export const isOfMembership = (error: unknown): boolean => MEMBERSHIP.has(brokerErrorOf(error) ?? '')

/** What kafkajs finds by itself and no waiting mends. */
const HOPELESS: ReadonlySet<unknown> = new Set([
  'KafkaJSSASLAuthenticationError',
  'KafkaJSNotImplemented',
  'KafkaJSServerDoesNotSupportApiKey',
  'KafkaJSUnsupportedMagicByteInMessageSet',
])

/** kafkajs names every failure while it says who we are so, also a connection that was lost meanwhile, and keeps of its cause the words only. */
const LOST = /clos(ed|ing)|not connected|connection (error|timeout)|timed out/i

/** True when it would be the same another time: wrong credentials, or brokers that speak another protocol. */
export const isHopeless = (error: unknown): boolean =>
  causesOf(error).some(one => HOPELESS.has(one.name) && !LOST.test(String(one.message)))

/**
 * True when a subscription that ended with this would end with it again. kafkajs calls more than that not retriable: a coordinator not yet
 * found or a broker not yet connected, when the brokers have just come back.
 */
export const endsForGood = (error: unknown): boolean => isHopeless(error) || (isRefusal(error) && !isOfMembership(error))

/** Not retriable with the same producer, but nothing is wrong with the records. */
const WORTH_TRYING: ReadonlySet<string> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'UNKNOWN_PRODUCER_ID',
  'REQUEST_TIMED_OUT',
])

export const unknownTopic = (topic: string, cause?: unknown): RejectError =>
  new RejectError(
    'NEWSWIRE_LOG_UNKNOWN_TOPIC',
    `there is no topic "${topic}" on the brokers; create the topics with "newswire topics apply"`,
    { cause },
  )

export const unavailable = (doing: string, cause: unknown): UnavailableError =>
  new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', `${doing} failed: ${messageOf(cause)}; are the brokers up and reachable?`, { cause })

export const refusedConnection = (cause: unknown): RejectError =>
  new RejectError('NEWSWIRE_LOG_REFUSED', `the brokers refuse us: ${messageOf(cause)}; check the KAFKA_SASL and KAFKA_SSL settings`, {
    cause,
  })

/** Ours stay as they are; an unknown topic is a reject; everything else means that the brokers cannot be reached now. */
export const translate = (error: unknown, doing: string, topic: string): Error => {
  if (error instanceof RejectError || error instanceof UnavailableError) return error
  if (brokerErrorOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return unknownTopic(topic, error)
  return unavailable(doing, error)
}

/** Rejects with `UnavailableError` when `work` takes longer than `ms`; the work itself goes on. */
export const within = async <T>(ms: number, doing: string, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(doing, new Error(`no answer within ${ms} ms`))), ms)
  })
  try {
    return await Promise.race([work, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
