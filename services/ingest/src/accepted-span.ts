/** What was taken, as the span that its trace begins with (OpenTelemetry's conventions for HTTP servers). */
import { randomBytes } from 'node:crypto'
import type { Submission } from '@newswire/events/submission'
import type { Span } from '@newswire/runtime/telemetry'

export type Accepted = Readonly<{
  submission: Submission
  /** As the submission carries it. */
  traceparent: string
  /** The trace began here, so its `traceparent` names this span; else it names the caller's. */
  isFirst: boolean
  method: string
  /** With its parameters unfilled: no article's own. */
  route: string
  /** From the first look at the request until the log had it. */
  durationMs: number
}>

const spanIdIn = (traceparent: string): string => traceparent.split('-')[2] ?? ''

export const toSpan = ({ submission, traceparent, isFirst, method, route, durationMs }: Accepted, endMs: number): Span => ({
  traceparent,
  spanId: isFirst ? spanIdIn(traceparent) : randomBytes(8).toString('hex'),
  name: `${method} ${route}`,
  kind: 'server',
  endMs,
  durationMs,
  attributes: {
    'http.request.method': method,
    'http.route': route,
    'http.response.status_code': 202,
    'newswire.subject': submission.articleId,
    'newswire.submission': submission.submissionId,
    'newswire.command': submission.command,
  },
})
