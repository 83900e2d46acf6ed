/** The metrics of one process, in Prometheus text. */
import {
  collectDefaultMetrics,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from '@prometheus-io/client'

type Counter = Readonly<{ inc(labels?: Readonly<Record<string, string>>, by?: number): void }>
type Gauge = Readonly<{ set(value: number, labels?: Readonly<Record<string, string>>): void; reset(): void }>
type Histogram = Readonly<{ observe(seconds: number, labels?: Readonly<Record<string, string>>): void }>

/** Declaring one name twice gives the same metric, so services in one process share it. Labels are bounded sets: never an article id. */
export type Metrics = Readonly<{
  counter(name: `newswire_${string}`, help: string, labels?: readonly string[]): Counter
  gauge(name: `newswire_${string}`, help: string, labels?: readonly string[]): Gauge
  histogram(name: `newswire_${string}`, help: string, labels?: readonly string[], buckets?: readonly number[]): Histogram
  /** Called before each exposition, to set gauges that are only looked at. One that throws is counted and keeps nothing else from being shown. */
  onCollect(collect: () => void | Promise<void>): void
  /** Prometheus text exposition format; at most one collection a second, however often it is asked for. */
  text(): Promise<string>
}>

/**
 * Seconds; edges at 1, 5 and 30, which the service levels are stated in. The client keeps a set's counts in an object by their edge: up to 900 V8 makes
 * an array of them with a place for every whole number, 11 KB for each label; with the last one it is a table of 0.6 KB (measured, Node 24).
 */
const END_TO_END_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3_600]
const CACHE_MS = 1_000
/**
 * How often the process looks at its own event loop, ms. As the client has it (10 and 100) an idle process spends 5 CPU-ms a second on that alone, so 1.1.
 * What `nodejs_eventloop_lag_*` tell is the time between two looks: it begins at 0.05 s.
 */
const LOOKS = { eventLoopMonitoringPrecision: 50, eventLoopUtilizationTimeout: 1_000 } as const

export const createMetrics = ({ processMetrics = true }: { processMetrics?: boolean } = {}): Metrics => {
  const registry = new Registry()
  if (processMetrics) collectDefaultMetrics({ register: registry, ...LOOKS })
  const known = new Map<string, unknown>()
  const collectors: (() => void | Promise<void>)[] = []
  let cached: { at: number; text: Promise<string> } | undefined

  const once = <T>(name: string, make: () => T): T => {
    if (!known.has(name)) known.set(name, make())
    return known.get(name) as T
  }
  const failures = new PromCounter({
    name: 'newswire_metrics_collect_failures_total',
    help: 'Times that gauges could not be looked at before an exposition.',
    registers: [registry],
  })
  const collect = async (): Promise<string> => {
    const outcomes = await Promise.allSettled(collectors.map(async one => one()))
    failures.inc(outcomes.filter(one => one.status === 'rejected').length)
    return registry.metrics()
  }
  return {
    counter: (name, help, labels = []) =>
      once(name, () => {
        const counter = new PromCounter({ name, help, labelNames: [...labels], registers: [registry] })
        return { inc: (values = {}, by = 1) => counter.inc(values, by) }
      }),
    gauge: (name, help, labels = []) =>
      once(name, () => {
        const gauge = new PromGauge({ name, help, labelNames: [...labels], registers: [registry] })
        return { set: (value: number, values = {}) => gauge.set(values, value), reset: () => gauge.reset() }
      }),
    histogram: (name, help, labels = [], buckets = END_TO_END_BUCKETS) =>
      once(name, () => {
        const histogram = new PromHistogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [registry] })
        return { observe: (seconds: number, values = {}) => histogram.observe(values, seconds) }
      }),
    onCollect: one => {
      collectors.push(one)
    },
    text: () => {
      const now = performance.now()
      if (cached === undefined || now - cached.at > CACHE_MS) cached = { at: now, text: collect() }
      return cached.text
    },
  }
}
