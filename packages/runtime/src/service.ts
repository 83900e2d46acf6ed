/** What every service is given, and what it gives back. `newswire up` starts eight of them on one context, `newswire run` the ones named. */
import type { Log } from '@newswire/log/log'
import type { Objects } from '@newswire/objects/objects'
import type { Sealing } from '@newswire/objects/sealed'
import type { Outbound } from '@newswire/outbound/outbound'
import type { Trace } from '@newswire/trace/trace'
import type { Configuration } from './configuration.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import type { Settings } from './settings.ts'
import type { Spans } from './span-exporter.ts'

export type ServiceName = 'ingest' | 'images' | 'desk' | 'feeds' | 'archive' | 'outlets' | 'gateway' | 'console'

export type ServiceContext = Readonly<{
  settings: Settings
  log: Log
  objects: Objects
  /** The one guarded HTTP client; asks `configuration` which networks are allowed. */
  outbound: Outbound
  configuration: Configuration
  logger: Logger
  metrics: Metrics
  /** The projection of `milestones`, opened on first use and shared by the services of one process. */
  trace: () => Promise<Trace>
  /** Where the gateway of this very process listens; `null` until it does, absent when it is another process's. */
  gatewayUrl?: () => string | null
  /** Wall clock, ms since 1970. Passed in, so that decisions can be tested at any time. */
  now: () => number
  /** The value of an environment variable that the configuration names as a secret; `undefined` when it is not set. */
  secret: (name: string) => string | undefined
  /** Where spans go; absent when nobody wants them. What handlers do is told by the log. */
  spans?: Pick<Spans, 'add'>
  /** Keeps secrets that strangers gave us; `null` when there is no key to seal them with. */
  sealing: Sealing | null
}>

export type Readiness = Readonly<{ ready: boolean; detail: Readonly<Record<string, unknown>> }>

export type RunningService = Readonly<{
  name: ServiceName
  /** Where it listens, when it has a port of its own. */
  url?: string
  readiness(): Readiness
  /** Stops taking work, finishes what is in hand, lets go. Twice is once. */
  stop(): Promise<void>
}>

export type StartService = (context: ServiceContext) => Promise<RunningService>
