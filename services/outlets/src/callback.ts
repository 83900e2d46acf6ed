/**
 * Tells a publisher what became of its submissions, at its `callbackUrl`: a webhook of its own kind. The subject is the submission, its versions are
 * how far it has come, so the order holds and a state that another has followed meanwhile is passed over.
 */
import { createHash } from 'node:crypto'
import type { PublisherConfig } from '@newswire/events/config'
import type { OutboundResult } from '@newswire/outbound/outbound'
import type { SubmissionStatus } from '@newswire/trace/queries'
import { classify, failed, NO_LONGER_OURS } from './answers.ts'
import type { Kind } from './kind.ts'
import type { Outcome } from './machine.ts'
import { type Post, toKey } from './signing.ts'
import type { News } from './tell.ts'

/** How far a submission has come, as its milestones are ordered; what was refused may be redriven. That it was accepted was answered at the door. */
const RANKS: Readonly<Record<string, number>> = { parked: 1, held: 2, refused: 3, released: 4, duplicate: 4, superseded: 4 }
/** 0: nothing to be told of. */
export const rankOf = (state: string): number => (Object.hasOwn(RANKS, state) ? (RANKS[state] ?? 0) : 0)

/** What is older is not told any more, ms: after that nobody waits for it, and the last attempt of the schedule would be the end. */
const TOLD_FOR_MS = 70 * 3_600_000

/** Of publisher, submission and state, so one id always has the same bytes. */
const callbackId = (publisher: string, submissionId: string, state: string): string =>
  createHash('sha256').update([publisher, submissionId, 'callback', state].join('\0')).digest('base64url')

/** The same for every attempt. */
export const toCallbackBody = ({ submissionId, articleId, state, at, command, version, code, detail }: SubmissionStatus): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      type: `submission.${state}`,
      timestamp: at,
      data: {
        submissionId,
        articleId,
        ...(command === null ? {} : { command }),
        ...(version === undefined ? {} : { version }),
        ...(code === undefined ? {} : { code }),
        ...(detail === undefined ? {} : { detail }),
      },
    }),
  )

export type CallbackNeeds = Readonly<{
  /** As it is configured now. */
  publisher: () => PublisherConfig | undefined
  /** As the trace knows it, once it has seen all that is said so far. */
  submission: (submissionId: string) => Promise<SubmissionStatus | null>
  secret: (name: string) => string | undefined
  post: (post: Post) => Promise<OutboundResult>
  now: () => number
  scale: number
  onNews: (news: readonly News[]) => void
}>

/** Calls at once to one publisher from one partition. */
const CONCURRENCY = 4
const nothing = (version: number) => ({ version, kill: false, send: null })

export const callbackKind = (publisherId: string, needs: CallbackNeeds): Kind => {
  const { publisher, submission, secret, post, now, scale, onNews } = needs
  const addressOf = () => {
    const { callbackUrl: url, callbackSecretEnv: secretEnv } = publisher() ?? {}
    return url === undefined || secretEnv === undefined ? null : { url, secretEnv }
  }
  const call = async (status: SubmissionStatus, mayStill: () => boolean): Promise<Outcome> => {
    const address = addressOf()
    const value = address === null ? undefined : secret(address.secretEnv)
    if (address === null) return failed('it has no callbackUrl any more')
    if (value === undefined || value === '')
      return failed(`the environment variable ${address.secretEnv} with its secret is not set`, { alarm: true })
    if (!mayStill()) return NO_LONGER_OURS
    const nowMs = now()
    const callback = {
      url: address.url,
      id: callbackId(publisherId, status.submissionId, status.state),
      nowMs,
      keys: [toKey(value)],
      contentType: 'application/json',
      body: toCallbackBody(status),
    }
    const outcome = classify(await post(callback), nowMs)
    // What it cannot read today it may read tomorrow, and nothing else would tell it.
    return outcome.kind === 'refused' || outcome.kind === 'gone' ? failed(outcome.reason, { alarm: outcome.kind === 'gone' }) : outcome
  }
  return {
    target: () => ({ concurrency: CONCURRENCY, deliver: addressOf() }),
    read: async (submissionId, want) => {
      const status = await submission(submissionId)
      // Aged out of the trace, or too old: nobody waits for it.
      if (addressOf() === null || status === null || now() - Date.parse(status.at) > TOLD_FOR_MS * scale) return nothing(want)
      return { version: rankOf(status.state), kill: false, send: (_attempt, mayStill) => call(status, mayStill) }
    },
    // The submission's own milestones tell what became of it; that its publisher was told is counted.
    say: async (_submissionId, news) => onNews(news),
    about: { publisher: publisherId },
    fields: submissionId => ({ publisher: publisherId, submissionId }),
    newestOnly: true,
  }
}
