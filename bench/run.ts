/**
 * `npm run bench [-- --only embedded,kafka,kafka-deliveries,kafka-hops,feed,build,start,pictures,serving,websub,search,archive,replay,deliveries,isolation,burst,restart,flash] [--seconds 60] [--rate 420] [--processes eight,two,up]`: the speeds that the issues name, each beside its floor,
 * measured in one run. Prints a table and writes JSON to bench/results. Kafka and S3 come from where the tests take them.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benchArchive } from './archive.ts'
import type { Benchmark, Line } from './benchmark.ts'
import { benchBuild } from './build.ts'
import { benchBurst } from './burst.ts'
import { benchDeliveries } from './deliveries.ts'
import { benchEmbedded, benchStart } from './embedded.ts'
import { benchFeed } from './feed.ts'
import { benchFlash } from './flash.ts'
import { diskFloors } from './floors.ts'
import { benchIsolation } from './isolation.ts'
import { benchKafka, deploymentNames } from './kafka.ts'
import { benchKafkaDeliveries } from './kafka-deliveries.ts'
import { benchKafkaHops } from './kafka-hops.ts'
import { machineFacts } from './measure.ts'
import { benchPictures } from './pictures.ts'
import { benchReplay } from './replay.ts'
import { benchRestart } from './restart.ts'
import { benchSearch } from './search.ts'
import { benchServing } from './serving.ts'
import { benchWebSub } from './websub.ts'

/** In this order; a new one is a new row. */
const benchmarks: Readonly<Record<string, Benchmark>> = {
  feed: benchFeed,
  build: benchBuild,
  start: benchStart,
  embedded: benchEmbedded,
  kafka: benchKafka,
  'kafka-deliveries': benchKafkaDeliveries,
  'kafka-hops': benchKafkaHops,
  pictures: benchPictures,
  serving: benchServing,
  websub: benchWebSub,
  deliveries: benchDeliveries,
  isolation: benchIsolation,
  burst: benchBurst,
  restart: benchRestart,
  search: benchSearch,
  archive: benchArchive,
  replay: benchReplay,
  flash: benchFlash,
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '420' },
    'kafka-rate': { type: 'string', default: '50' },
    processes: { type: 'string' },
  },
})
/** The names asked for; ends when one of them is none. `null`: none was asked for. */
const namesIn = (what: string, given: string | undefined, there: readonly string[]): readonly string[] | null => {
  const names = given?.split(',') ?? null
  const unknown = names?.filter(name => !there.includes(name)) ?? []
  if (unknown.length === 0) return names
  console.error(`no such ${what}: ${unknown.map(name => JSON.stringify(name)).join(', ')}; there are ${there.join(', ')}`)
  process.exit(2)
}
const wanted = namesIn('benchmark', values.only, Object.keys(benchmarks)) ?? Object.keys(benchmarks)
const processes = namesIn('deployment (--processes)', values.processes, deploymentNames)

const floors = diskFloors()
const asked = {
  seconds: Number(values.seconds),
  rate: Number(values.rate),
  kafkaRate: Number(values['kafka-rate']),
  processes,
  diskFloor: `synced SQLite insert ${floors.sqliteInsertSynced.p50Ms} ms, synced file put ${floors.filePutSynced.p50Ms} ms`,
}
const results: Record<string, unknown> = { at: new Date().toISOString(), machine: machineFacts(), floors }
const lines: Line[] = []
for (const [name, benchmark] of Object.entries(benchmarks)) {
  if (!wanted.includes(name)) continue
  const outcome = await benchmark(asked)
  results[name] = outcome.result
  lines.push(...outcome.lines)
}

const folder = join(import.meta.dirname, 'results')
mkdirSync(folder, { recursive: true })
const file = join(folder, `${String(results.at).replaceAll(':', '-')}.json`)
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
const widths = (['what', 'measured', 'toReach', 'floor'] as const).map(column =>
  Math.max(column.length, ...lines.map(line => line[column].length)),
)
const show = (line: Line) =>
  [line.what, line.measured, line.toReach, line.floor]
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
    .join('  ')
    .trimEnd()
console.log([show({ what: 'what', measured: 'measured', toReach: 'to reach', floor: 'floor' }), ...lines.map(show)].join('\n'))
console.log(`\nwritten to bench/results/${file.split('/').at(-1)}`)
process.exit(0)
