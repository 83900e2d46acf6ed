/**
 * Structured logs: pino, object first, a fixed message name, everything that varies in fields. Secrets are kept out twice: errors and
 * headers are cut down to what is ours, and every line is looked over once more before it is written.
 */
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'

export type Logger = PinoLogger
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
type LogLevel = (typeof logLevels)[number]

/** Characters of a message or stack. */
const MAX_TEXT = 2_000

/** User and password of an address; its query and fragment: that is where tokens travel. */
const ADDRESS = /\b((?:https?|ftps?|sftp|s3|kafka|wss?):\/\/)(?:[^\s/@"'\\]*@)?([^\s?#"'\\]*)(?:[?#][^\s"'\\]*)?/gi
const CREDENTIAL = /\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+/gi
/** Our own tokens, and the signing secrets of Standard Webhooks. */
const OWN = /\b(whsec_|nw_)[A-Za-z0-9+/=_-]{16,}/g
/** Fields that hold nothing else, wherever they are in a line of JSON. */
const FIELD =
  /("(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key|api_?key|password|passphrase|secret|secret_?access_?key|secretKey|consoleToken|token)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi

const hideSecrets = (text: string): string =>
  text.replace(FIELD, '$1"[hidden]"').replace(ADDRESS, '$1$2').replace(CREDENTIAL, '$1 [hidden]').replace(OWN, '$1[hidden]')

/** Text from elsewhere as it may be logged: without secrets, short, and without the control characters that would forge lines. */
export const withoutSecrets = (text: string): string =>
  hideSecrets(text)
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, ' ')
    .slice(0, MAX_TEXT)

/** Name, code, message and stack, and those of the causes; never the other fields, which hold requests and headers. */
const toErrorFields = (error: unknown, depth = 0): unknown => {
  if (!(error instanceof Error)) return withoutSecrets(String(error))
  const { code } = error as { code?: unknown }
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: withoutSecrets(error.message),
    ...(depth === 0 && error.stack ? { stack: withoutSecrets(error.stack.replaceAll('\n', ' | ')) } : {}),
    ...(error.cause !== undefined && depth < 3 ? { cause: toErrorFields(error.cause, depth + 1) } : {}),
  }
}

const notLogged = () => '[not logged]'
/** Whoever logs these means well, and everything is in them. */
const WHOLE_MESSAGES = ['headers', 'req', 'request', 'res', 'response', 'body', 'env']

/** Lines of JSON on `destination` (default: standard error, because `up` and `run` say what matters on standard output). */
export const createLogger = ({
  service,
  level,
  destination,
}: {
  service: string
  level: LogLevel
  destination?: DestinationStream
}): Logger =>
  pino(
    {
      level,
      // Services of one process say `service` in loggers of their own.
      base: { process: service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      serializers: {
        err: error => toErrorFields(error),
        error: error => toErrorFields(error),
        ...Object.fromEntries(WHOLE_MESSAGES.map(field => [field, notLogged])),
      },
      hooks: { streamWrite: hideSecrets },
    },
    destination ?? pino.destination({ fd: 2, sync: false }),
  )
