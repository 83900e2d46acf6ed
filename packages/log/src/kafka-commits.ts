/** Commits of one subscription: what is done, at most one request at a time, with the generation that the last batch belonged to. */
import type { EachBatchPayload } from 'kafkajs'

type Commit = EachBatchPayload['commitOffsetsIfNecessary']

type KafkaCommits = Readonly<{
  /** What commits with the generation in force now. */
  use(commit: Commit): void
  /** Commits what has moved; never rejects. Twice at once is once. */
  commit(): Promise<void>
  /** A partition was lost: what is committed for it is for others to say. */
  forget(partition: number): void
  failingSinceMs(): number | null
}>

type Wanted = Readonly<{
  topic: string
  /** By held partition the offset behind what is done. */
  done: () => ReadonlyMap<number, number>
  isHeld: (partition: number) => boolean
  onError: (error: unknown) => void
}>

export const createKafkaCommits = ({ topic, done, isHeld, onError }: Wanted): KafkaCommits => {
  const committed = new Map<number, number>()
  let commitWith: Commit | null = null
  let committing: Promise<void> | null = null
  let failingSinceMs: number | null = null

  const commitNow = async (): Promise<void> => {
    const moved = [...done()].filter(([partition, offset]) => isHeld(partition) && committed.get(partition) !== offset)
    if (moved.length === 0 || !commitWith) return
    try {
      await commitWith({ topics: [{ topic, partitions: moved.map(([partition, offset]) => ({ partition, offset: String(offset) })) }] })
      for (const [partition, offset] of moved) if (isHeld(partition)) committed.set(partition, offset)
      failingSinceMs = null
    } catch (error) {
      // The same offsets go with the next commit; after a rebalance the brokers refuse those of the old generation, as they should.
      onError(error)
      failingSinceMs ??= performance.now()
    }
  }
  return {
    use: commit => {
      commitWith = commit
    },
    commit: () => {
      committing ??= commitNow().finally(() => {
        committing = null
      })
      return committing
    },
    forget: partition => void committed.delete(partition),
    failingSinceMs: () => failingSinceMs,
  }
}
