/** The metrics of one process, in Prometheus text. */
import type { Registry } from '@prometheus-io/client'

export type Counter = Readonly<{ inc(labels?: Readonly<Record<string, string>>, by?: number): void }>
export type Gauge = Readonly<{ set(value: number, labels?: Readonly<Record<string, string>>): void }>
export type Histogram = Readonly<{ observe(seconds: number, labels?: Readonly<Record<string, string>>): void }>

/** Declaring one name twice gives the same metric, so services in one process share it. Labels are bounded sets: never an article id. */
export type Metrics = Readonly<{
  counter(name: `newswire_${string}`, help: string, labels?: readonly string[]): Counter
  gauge(name: `newswire_${string}`, help: string, labels?: readonly string[]): Gauge
  histogram(name: `newswire_${string}`, help: string, labels?: readonly string[], buckets?: readonly number[]): Histogram
  /** Called before each exposition, to set gauges that are only looked at. */
  onCollect(collect: () => void | Promise<void>): void
  /** Prometheus text exposition format. */
  text(): Promise<string>
  readonly registry: Registry
}>
