/** The one table of topics: code, broker (`newswire topics apply`) and `docs/asyncapi.yaml` are set up from it. */

const DAY_MS = 86_400_000
const MIB = 1_048_576

export type TopicSpec = Readonly<{
  name: string
  /** What the record key is. Fixed for ever: order and ownership hang on it. */
  key: 'article' | 'feed' | 'outlet' | 'config' | 'subscription' | 'original'
  /** Partitions on Kafka. Never changed after creation: keys would move. The embedded log has a third, at least 1. */
  partitions: number
  cleanup: 'delete' | 'compact'
  /** How long records are kept (`delete`), or kept untouched before compaction (`compact`). */
  retentionMs: number
  maxRecordBytes: number
  /** The embedded log syncs every publish to it before it resolves (architecture §6.18): nothing else could make these records again. */
  synced: boolean
  purpose: string
}>

const topic = (spec: Omit<TopicSpec, 'maxRecordBytes' | 'synced' | 'cleanup'> & Partial<TopicSpec>): TopicSpec => ({
  maxRecordBytes: 4 * MIB,
  synced: false,
  cleanup: 'delete',
  ...spec,
})

export const topics = {
  submissions: topic({
    name: 'submissions',
    key: 'article',
    partitions: 12,
    retentionMs: 30 * DAY_MS,
    synced: true,
    purpose: 'what a publisher asked for, mapped; its position orders all that is done to an article',
  }),
  submissionsBackfill: topic({
    name: 'submissions.backfill',
    key: 'article',
    partitions: 12,
    retentionMs: 30 * DAY_MS,
    synced: true,
    purpose: 'the same, for imports and replays',
  }),
  prepared: topic({
    name: 'prepared',
    key: 'article',
    partitions: 12,
    retentionMs: 7 * DAY_MS,
    purpose: 'a submission with its renditions and its position; holds that are due; late pictures',
  }),
  articles: topic({
    name: 'articles',
    key: 'article',
    partitions: 12,
    cleanup: 'compact',
    retentionMs: 30 * DAY_MS,
    purpose: 'every released version, whole',
  }),
  feedChanges: topic({
    name: 'feed-changes',
    key: 'feed',
    partitions: 12,
    retentionMs: 7 * DAY_MS,
    purpose: 'thin intent: this article changed for this feed',
  }),
  feeds: topic({
    name: 'feeds',
    key: 'feed',
    partitions: 6,
    cleanup: 'compact',
    retentionMs: 7 * DAY_MS,
    purpose: 'which bytes of a feed are current',
  }),
  deliveries: topic({
    name: 'deliveries',
    key: 'outlet',
    partitions: 24,
    retentionMs: 30 * DAY_MS,
    purpose: 'thin intent: this article changed for this outlet',
  }),
  milestones: topic({
    name: 'milestones',
    key: 'article',
    partitions: 6,
    retentionMs: 30 * DAY_MS,
    purpose: 'who did what to which version, when',
  }),
  configChanges: topic({
    name: 'config-changes',
    key: 'config',
    partitions: 1,
    retentionMs: 7 * DAY_MS,
    synced: true,
    purpose: 'a configuration object changed',
  }),
  subscriptions: topic({
    name: 'subscriptions',
    key: 'subscription',
    partitions: 1,
    retentionMs: 7 * DAY_MS,
    purpose: 'a WebSub subscription changed',
  }),
  outletRequests: topic({
    name: 'outlet-requests',
    key: 'outlet',
    partitions: 6,
    retentionMs: 7 * DAY_MS,
    synced: true,
    purpose: 'what is to be done once for an outlet: a replay, a test; and that its state changed',
  }),
  deadLetters: topic({
    name: 'dead-letters',
    key: 'original',
    partitions: 3,
    retentionMs: 30 * DAY_MS,
    synced: true,
    purpose: 'records that could not be handled, byte for byte',
  }),
} as const satisfies Record<string, TopicSpec>

export const topicSpecs: readonly TopicSpec[] = Object.values(topics)
