/**
 * What moves through the pipeline as server-sent events (WHATWG HTML §9.2): what each says, and the ids that a client comes back with. No more is told
 * than in a trace: ids, versions, states and our own words, and no title. Pure.
 */
import type { Milestone } from '@newswire/events/milestone'
import type { DeadLetter } from '@newswire/log/dead-letter'

/** Topics that events are made of, by the letter that they have in an id. */
export const liveTopics = { m: 'milestones', d: 'dead-letters' } as const
type LiveTopic = keyof typeof liveTopics

/** One event and where its record stands in the log. */
export type LiveEvent = Readonly<{ topic: LiveTopic; partition: number; position: number; name: string; data: object }>

const ofMilestone = (milestone: Milestone): Readonly<{ name: string; data: object }> => {
  const { kind, ...data } = milestone
  switch (milestone.kind) {
    case 'released': {
      // A retraction's detail is the publisher's reason.
      const { kind: _, title: __, detail: ___, ...released } = milestone
      return { name: milestone.action === 'retracted' || milestone.action === 'purged' ? 'retracted' : 'released', data: released }
    }
    case 'restored': {
      const { kind: _, title: __, ...restored } = milestone
      return { name: kind, data: restored }
    }
    case 'fanned-out': {
      const { articleId, version, at, stage, sinks } = milestone
      return { name: kind, data: { articleId, version, at, stage, sinks: sinks.length } }
    }
    case 'submission': {
      // Its detail quotes what was submitted; the trace has it.
      const { kind: _, detail: __, ...submission } = milestone
      return { name: kind, data: submission }
    }
    case 'sink':
    case 'proved-gone':
    case 'resent':
      return { name: kind, data }
    default:
      return milestone satisfies never
  }
}

type Place = Readonly<{ partition: number; position: number }>

export const toLiveMilestone = (milestone: Milestone, { partition, position }: Place): LiveEvent => ({
  topic: 'm',
  partition,
  position,
  ...ofMilestone(milestone),
})

/** Of a dead letter its error's code alone: messages repeat what a stranger sent. */
export const toLiveDeadLetter = (letter: DeadLetter, { partition, position }: Place): LiveEvent => {
  const { id, service, topic, attempts, lastFailedAt: at, errorCode: code } = letter
  return { topic: 'd', partition, position, name: 'dead-letter', data: { id, service, topic, attempts, at, code } }
}

/** How far a client is: the last position it was sent, by topic and partition (`m3`). Every console of a system means the same by it. */
export type Places = Map<string, number>
export const placeOf = ({ topic, partition }: Pick<LiveEvent, 'topic' | 'partition'>): string => `${topic}${partition}`

/** `m0.17-m1.4-d0.2`. */
export const toEventId = (places: Places): string => [...places].map(([place, position]) => `${place}.${position}`).join('-')

/** What Node takes of all headers together: a longer one never arrives. Some 700 partitions. */
const MAX_ID = 16 * 1024

/** `null` for what is no id of ours. A stranger may have written it. */
export const parseEventId = (text: string): Places | null => {
  if (text.length > MAX_ID || !/^[md]\d{1,4}\.\d{1,16}(-[md]\d{1,4}\.\d{1,16})*$/.test(text)) return null
  return new Map(
    text.split('-').map(one => {
      const [place = '', position] = one.split('.')
      return [place, Number(position)]
    }),
  )
}

/** JSON has no line feed of its own, and the name and the id are ours. */
export const toEventText = (name: string, data: string, id: string): string => `id: ${id}\nevent: ${name}\ndata: ${data}\n\n`
