/** Structured logs: pino, object first, a fixed message name, everything that varies in fields. Secrets do not get in: errors are cut down to what is ours. */
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'

export type Logger = PinoLogger
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

const MAX_TEXT = 2_000

/** Addresses without user, password, query and fragment: that is where tokens travel. Control characters would forge lines. */
export const withoutSecrets = (text: string): string =>
  text
    .replace(/\b(https?:\/\/)(?:[^\s/@]*@)?([^\s?#"']*)(?:[?#][^\s"']*)?/gi, '$1$2')
    .replace(/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+/gi, '$1 [hidden]')
    .replace(/whsec_[A-Za-z0-9+/=]+/g, 'whsec_[hidden]')
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, ' ')
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
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      serializers: { err: toErrorFields, error: toErrorFields },
    },
    destination ?? pino.destination({ fd: 2, sync: false }),
  )
