/**
 * The ledger: every milestone for good, by article and day. Its lines are made from the log, between two cuts; one line is what became of one
 * article in one manifest's time on one day. Pure but for the reading.
 */
import { canonicalJson } from '@newswire/events/canonical'
import { isArticleId, parseArticleId } from '@newswire/events/ids'
import { topics } from '@newswire/events/topics'
import type { Log, LogRecord } from '@newswire/log/log'
import { createGiveWay, inTurns } from '@newswire/objects/in-turns'
import { keys } from '@newswire/objects/keys'

export type Milestone = Readonly<{ id: string; time: string; source: string; data: Readonly<Record<string, unknown>> }>
/** What a line of the ledger says. */
export type LedgerLine = Readonly<{
  schema: 'newswire.archive.ledger/1'
  articleId: string
  manifest: number
  milestones: readonly Milestone[]
}>

/** A line as it is archived, and where. */
export type Staged = Readonly<{ key: string; article: string; line: string }>

/** What a record says, as it says it: fields that this build does not know are kept. `null` for what is no milestone of an article. */
const readMilestone = ({ key, value, headers }: LogRecord): (Milestone & { articleId: string }) | null => {
  if (value === null || key === null || !isArticleId(key) || headers.ce_type !== 'milestone.reached') return null
  try {
    const data: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value))
    if (typeof data !== 'object' || data === null || (data as { articleId?: unknown }).articleId !== key) return null
    const { ce_id: id = '', ce_time: time = '', ce_source: source = '' } = headers
    return { articleId: key, id, time, source, data: data as Record<string, unknown> }
  } catch {
    return null // poison: the console's guard has put it into the dead letters
  }
}

/** Fields that say what happened and never what was written. */
const PLAIN = new Set([
  'kind',
  'articleId',
  'at',
  'ms',
  'submissionId',
  'stage',
  'state',
  'command',
  'version',
  'code',
  'action',
  'receivedAt',
  'sinks',
  'sink',
  'also',
  'attempts',
  'nextAt',
])

/** A milestone of an article that was purged by law: who got which version stays known, no word of it does. */
export const withoutWords = (milestone: Milestone): Milestone => ({
  ...milestone,
  data: Object.fromEntries(Object.entries(milestone.data).filter(([name]) => PLAIN.has(name))),
})

type Cut = Readonly<Record<string, number>>
type Slice = Readonly<{ records: readonly LogRecord[]; cut: Cut; isWhole: boolean }>

/** Records at once: some milliseconds' reading. */
const PAGE = 200

/** Milestones from `from` on, at most about `limit`, and the cut behind them. `isWhole`: nothing more was there when reading began. */
export const readMilestones = async (log: Pick<Log, 'ends' | 'read'>, from: Cut, limit: number): Promise<Slice> => {
  const topic = topics.milestones.name
  const records: LogRecord[] = []
  const cut: Record<string, number> = {}
  let isWhole = true
  const giveWay = createGiveWay()
  for (const { partition, start, end } of await log.ends(topic)) {
    let at = Math.max(from[partition] ?? 0, start)
    while (at < end && records.length < limit) {
      const read = await log.read({ topic, partition, from: { positions: { [partition]: at } }, limit: PAGE })
      for (const record of read.records) if (record.position < end) records.push(record)
      // The embedded log answers within the turn, so that all pages together would hold up everything else.
      await giveWay()
      if (read.next <= at) break
      at = Math.min(read.next, end)
    }
    cut[partition] = Math.max(at, from[partition] ?? 0)
    isWhole &&= at >= end
  }
  return { records, cut, isWhole }
}

/** Days that have a folder: a broker takes a record's time from whoever wrote it. */
const LAST_DAY_MS = Date.parse('9999-12-31T00:00:00Z')
const dayOf = ({ timestamp }: LogRecord): string => new Date(Math.min(Math.max(timestamp || 0, 0), LAST_DAY_MS)).toISOString()

/** `null` for what has no canonical form. */
const canonicalOrNull = (value: unknown): string | null => {
  try {
    return canonicalJson(value)
  } catch {
    return null
  }
}

/** Without fields that no line can hold (numbers beyond all, nesting without end): one hostile record must not keep the archive from closing. */
const sayable = (milestone: Milestone): Milestone => ({
  ...milestone,
  data: Object.fromEntries(Object.entries(milestone.data).filter(([, value]) => canonicalOrNull(value) !== null)),
})

const toLine = (said: Omit<LedgerLine, 'schema'>): string => {
  const line: LedgerLine = { schema: 'newswire.archive.ledger/1', ...said }
  return canonicalOrNull(line) ?? canonicalJson({ ...line, milestones: line.milestones.map(sayable) })
}

/** The lines of a manifest's ledger, sorted by key. */
export const toLedger = async (
  records: readonly LogRecord[],
  manifest: number,
  isPurged: (articleId: string) => boolean,
): Promise<Staged[]> => {
  const lines = new Map<string, { article: string; milestones: Milestone[] }>()
  await inTurns(records, record => {
    const found = readMilestone(record)
    if (found === null) return
    const { articleId, ...milestone } = found
    const key = keys.archiveLedger(dayOf(record), articleId, manifest)
    const line = lines.get(key) ?? { article: articleId, milestones: [] }
    lines.set(key, line)
    line.milestones.push(isPurged(articleId) ? withoutWords(milestone) : milestone)
  })
  const staged = await inTurns(lines, ([key, { article, milestones }]) => ({
    key,
    article,
    line: toLine({ articleId: article, manifest, milestones }),
  }))
  return staged.sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** Staged lines lie as JSON lines, each with its key. */
export const toStagedBytes = async (staged: readonly Staged[]): Promise<Uint8Array> =>
  Buffer.concat(await inTurns(staged, ({ key, article, line }) => Buffer.from(`${JSON.stringify({ key, article, line })}\n`)))

export const parseStaged = (bytes: Uint8Array): Promise<Staged[]> =>
  inTurns(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      .toString('utf8')
      .split('\n')
      .filter(line => line !== ''),
    line => JSON.parse(line) as Staged,
  )

/** Where the native payloads are that these milestones tell of: a submission's acceptance names its publisher, time and id. */
export const nativesIn = async (records: readonly LogRecord[]): Promise<{ article: string; key: string }[]> => {
  const found = new Map<string, string>()
  await inTurns(records, record => {
    const milestone = readMilestone(record)
    const { kind, stage, state, submissionId, at } = milestone?.data ?? {}
    if (milestone === null || kind !== 'submission' || stage !== 'ingest' || state !== 'accepted') return
    const publisher = parseArticleId(milestone.articleId)?.publisher ?? ''
    try {
      found.set(keys.native(publisher, String(at), String(submissionId)), milestone.articleId)
    } catch {
      // no id or no time: nothing can have been kept under it
    }
  })
  return [...found].map(([key, article]) => ({ key, article }))
}
