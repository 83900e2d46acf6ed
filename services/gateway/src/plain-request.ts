/**
 * A request that the fast path may answer: one whole head, HTTP/1.1, GET of a feed's file, and nothing in it that would change the answer or the
 * framing beyond what is read here. `null` for everything else, which the HTTP parser reads. So there is one real parser, and what is read here
 * can neither have a body nor hide a second request.
 */
import { type FeedOutput, feedFiles, feedOutputs } from '@newswire/events/feed'

export type PlainRequest = Readonly<{
  feedId: string
  output: FeedOutput
  headers: Readonly<{
    'accept-encoding'?: string
    'if-none-match'?: string
    'if-modified-since'?: string
    'x-forwarded-for'?: string
    'user-agent'?: string
  }>
}>

/** Characters of a head; longer ones are unusual. */
const MAX_HEAD = 4_096

const FILES = new Map<string, FeedOutput>(feedOutputs.map(output => [feedFiles[output].name, output]))
const REQUEST_LINE = /^GET \/feeds\/([a-z0-9][a-z0-9-]{0,63})\/([a-z-]+\.[a-z]+) HTTP\/1\.1$/
/** RFC 9110 §5.6.2 and §5.5, without obs-text; no folded lines, no space before the colon. */
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?[ \t]*$/
const HOST = /^[A-Za-z0-9.\-_]+(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$/

/** What is read; each may be there once. */
const READ = new Set([
  'host',
  'connection',
  'accept-encoding',
  'if-none-match',
  'if-modified-since',
  'x-forwarded-for',
  'user-agent',
  'a-im',
])
/** What has no meaning for a plain GET of a public feed. A field that is neither here nor above goes to the parser: it may mean something. */
const PASSED_OVER = new Set(
  'accept accept-charset accept-language cache-control cookie dnt forwarded from origin pragma priority referer save-data upgrade-insecure-requests via x-forwarded-host x-forwarded-port x-forwarded-proto x-real-ip x-request-id traceparent tracestate'.split(
    ' ',
  ),
)
const isPassedOver = (name: string): boolean => PASSED_OVER.has(name) || name.startsWith('sec-') || name.startsWith('cf-')

const readFields = (lines: readonly string[]): Map<string, string> | null => {
  const fields = new Map<string, string>()
  for (const line of lines) {
    const [, name = '', value = ''] = FIELD.exec(line) ?? []
    const lower = name.toLowerCase()
    if (READ.has(lower)) {
      if (fields.has(lower)) return null
      fields.set(lower, value)
    } else if (!isPassedOver(lower)) return null
  }
  return fields
}

/** `head`: all that was received, a character a byte. */
export const parsePlainRequest = (head: string): PlainRequest | null => {
  if (head.length > MAX_HEAD || !head.endsWith('\r\n\r\n')) return null
  const [requestLine = '', ...lines] = head.slice(0, -4).split('\r\n')
  const [, feedId = '', file = ''] = REQUEST_LINE.exec(requestLine) ?? []
  const output = FILES.get(file)
  if (output === undefined) return null
  const fields = readFields(lines)
  if (fields === null || !HOST.test(fields.get('host') ?? '')) return null
  const connection = fields.get('connection')
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return null
  // With a condition a delta may be the answer.
  if (fields.has('a-im') && fields.has('if-none-match') && output !== 'sitemap') return null
  const headers: Record<string, string> = {}
  for (const [name, value] of fields) if (name !== 'host' && name !== 'connection' && name !== 'a-im') headers[name] = value
  return { feedId, output, headers }
}
