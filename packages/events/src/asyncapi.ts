/** AsyncAPI 3.0 of the topics and their events, made from the tables that the code runs on. */
import { z } from 'zod'
import { type EventType, eventTable } from './events.ts'
import { type TopicSpec, topicSpecs, topics } from './topics.ts'

type Json = Record<string, unknown>

/** Channel and message names may not hold dots. */
const nameOf = (text: string): string => text.replaceAll('.', '-')

const headers = {
  type: 'object',
  description: 'CloudEvents 1.0, Kafka protocol binding, binary content mode.',
  required: ['ce_specversion', 'ce_id', 'ce_type', 'ce_source', 'ce_subject', 'ce_time'],
  properties: Object.fromEntries(
    [
      'ce_specversion',
      'ce_id',
      'ce_type',
      'ce_source',
      'ce_subject',
      'ce_time',
      'ce_correlationid',
      'ce_causationid',
      'traceparent',
      'content-type',
    ].map(name => [name, { type: 'string' }]),
  ),
}

/** Types go to the topic of their row; an accepted submission of the backfill lane to that lane's topic. */
const typesOf = (spec: TopicSpec): EventType[] =>
  (Object.keys(eventTable) as EventType[]).filter(
    type => eventTable[type].topic.name === spec.name || (type === 'submission.accepted' && spec.name === topics.submissionsBackfill.name),
  )

const channel = (spec: TopicSpec): Json => ({
  address: spec.name,
  description: spec.purpose,
  messages: Object.fromEntries(typesOf(spec).map(type => [nameOf(type), { $ref: `#/components/messages/${nameOf(type)}` }])),
  bindings: {
    kafka: {
      partitions: spec.partitions,
      topicConfiguration: { 'cleanup.policy': [spec.cleanup], 'retention.ms': spec.retentionMs, 'max.message.bytes': spec.maxRecordBytes },
      bindingVersion: '0.5.0',
    },
  },
})

/** The five facts share one schema, and so one name. */
const payloadName = (type: EventType): string =>
  nameOf((Object.keys(eventTable) as EventType[]).find(other => eventTable[other].data === eventTable[type].data) ?? type)

const payloads = (): Json =>
  Object.fromEntries(
    (Object.keys(eventTable) as EventType[])
      .filter(type => payloadName(type) === nameOf(type))
      .map(type => [nameOf(type), z.toJSONSchema(eventTable[type].data, { io: 'input', unrepresentable: 'any' })]),
  )

const message = (type: EventType): Json => ({
  name: type,
  contentType: 'application/json',
  headers: { $ref: '#/components/schemas/envelope' },
  payload: { $ref: `#/components/schemas/${payloadName(type)}` },
})

export const toAsyncApi = (): Json => ({
  asyncapi: '3.0.0',
  info: {
    title: 'Newswire topics',
    version: '1',
    description: 'Changes only add; consumers ignore what they do not know. Every record key is the id that the topic is keyed by.',
  },
  channels: Object.fromEntries(topicSpecs.map(spec => [nameOf(spec.name), channel(spec)])),
  components: {
    schemas: { envelope: headers, ...payloads() },
    messages: Object.fromEntries((Object.keys(eventTable) as EventType[]).map(type => [nameOf(type), message(type)])),
  },
})
