/** Where a group stands in the partitions it holds: a batch counts only if it continues there, and what retention took is told. */
import { fetchCommitted } from './kafka-groups.ts'
import { toPosition } from './kafka-position.ts'
import { isHole, type KafkaReader } from './kafka-reader.ts'
import type { SubscribeOptions } from './log.ts'
import { retentionGap } from './refusals.ts'

/** A partition held: the offset that its next batch must continue from, once known. */
export type Held = { next: number | null }

type KafkaPlaces = Readonly<{
  /** False when the batch does not continue where the partition stands, and then kafkajs was sent back to there; or when it is held no more. */
  continues(partition: number, state: Held, batch: Readonly<{ fetchedOffset: number; isHeld: () => boolean }>): Promise<boolean>
  /** The group was joined anew: its places are asked for again. */
  forget(): void
}>

type Wanted = Readonly<{
  reader: KafkaReader
  epoch: number
  /** The names on the brokers. */
  topic: string
  groupId: string
  options: Pick<SubscribeOptions, 'group' | 'topic'>
  /** Told with `NEWSWIRE_LOG_GAP` of records that retention took before the group had handled them. */
  onGap: (error: Error) => void
  seek: (partition: number, offset: number) => void
}>

/** What kafkajs commits when the group's place is gone. */
const RESET_TO_START = -2

export const createPlaces = ({ reader, epoch, topic, groupId, options, onGap, seek }: Wanted): KafkaPlaces => {
  let starts: Promise<ReadonlyMap<number, number>> | null = null

  /** Where the group stands in all its partitions, asked once after each join. */
  const findStarts = (): Promise<ReadonlyMap<number, number>> => {
    starts ??= reader
      .persist(topic, async () => (await fetchCommitted(reader, groupId, topic)).get(topic) ?? new Map<number, number>())
      .catch(error => {
        starts = null
        throw error
      })
    return starts
  }

  /** `next` is `null` when kafkajs was the first to notice. */
  const reportGap = async (partition: number, next: number | null): Promise<void> => {
    const start = (await reader.ranges(topic)).find(range => range.partition === partition)?.start ?? 0
    if (next !== null && start <= next) return
    const at = next === null ? 'before its beginning' : toPosition(epoch, next)
    onGap(retentionGap(options.group, `${options.topic}/${partition}`, at, toPosition(epoch, start)))
  }

  return {
    continues: async (partition, state, { fetchedOffset, isHeld }) => {
      if (state.next === null) {
        const start = (await findStarts()).get(partition) ?? -1
        // A group without a place begins where kafkajs began for it.
        state.next = start < 0 ? fetchedOffset : start
        if (start === RESET_TO_START) await reportGap(partition, null)
      }
      if (!isHeld()) return false
      if (fetchedOffset <= state.next) return true
      await reportGap(partition, state.next)
      if (await isHole(reader, topic, partition, state.next, fetchedOffset)) return isHeld()
      seek(partition, state.next)
      return false
    },
    forget: () => {
      starts = null
    },
  }
}
