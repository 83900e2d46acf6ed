/** Structured logs on standard output: pino, object first, a fixed message name, everything that varies in fields. */
import { type Logger as PinoLogger, pino } from 'pino'

export type Logger = PinoLogger
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

void pino
