/**
 * `npm run bench [-- --only embedded,kafka,feed,start] [--seconds 60] [--rate 420]`: the speeds that the issues name, each beside its floor,
 * measured in one run. Prints a table and writes JSON to bench/results. Kafka and S3 come from where the tests take them.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fromContainers } from '../infra/test/containers.ts'
import { fromEnvironment } from '../infra/test/given.ts'
import { findPart, type Part, partNames } from '../infra/test/parts.ts'
import { fromScripts } from '../infra/test/scripts.ts'
import { measureLoad, measureStart } from './embedded.ts'
import { measureFeed } from './feed.ts'
import { diskFloors, kafkaFloor } from './floors.ts'
import { measureKafka } from './kafka.ts'
import { machineFacts } from './measure.ts'

const ALL = ['feed', 'start', 'embedded', 'kafka']
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '420' },
    'kafka-rate': { type: 'string', default: '50' },
  },
})
const wanted = (values.only ?? ALL.join()).split(',')
const unknown = wanted.filter(name => !ALL.includes(name))
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(', ')}; there are ${ALL.join(', ')}`)
  process.exit(2)
}
const seconds = Number(values.seconds)

type Line = Readonly<{ what: string; measured: string; toReach: string; floor: string }>
const lines: Line[] = []
const results: Record<string, unknown> = { at: new Date().toISOString(), machine: machineFacts() }

const floors = diskFloors()
results.floors = floors
const diskFloor = `synced SQLite insert ${floors.sqliteInsertSynced.p50Ms} ms, synced file put ${floors.filePutSynced.p50Ms} ms`

if (wanted.includes('feed')) {
  const feed = measureFeed()
  results.feed = feed
  for (const [format, { oneMoreMs, bareFeedRebuildMs }] of Object.entries(feed))
    lines.push({
      what: `one more item in 50, ${format}`,
      measured: `p50 ${oneMoreMs.p50} ms, p99 ${oneMoreMs.p99} ms`,
      toReach: '≤ 0.5 ms',
      floor: `bare feed, whole: ${bareFeedRebuildMs.p50} ms`,
    })
}

if (wanted.includes('start')) {
  const start = await measureStart(5)
  results.start = start
  lines.push({
    what: 'start on an empty folder',
    measured: `median ${start.startMs.median} ms, worst ${start.startMs.worst} ms`,
    toReach: '≤ 3 000 ms',
    floor: diskFloor,
  })
  lines.push({
    what: 'memory, idle',
    measured: `${start.idlePssMb} MB PSS`,
    toReach: '≤ 200 MB',
    floor: `bare Node ${process.version}: ${start.bareNodePssMb} MB`,
  })
}

if (wanted.includes('embedded')) {
  const load = await measureLoad({ rate: Number(values.rate), seconds, clients: 16, feeds: 40, limit: 50, fsync: 'full' })
  results.embedded = load
  lines.push({
    what: `embedded, ${values.rate}/s asked for ${seconds} s`,
    measured: `${load.visiblePerSecond}/s accepted and visible in three formats (202 p50 ${load.answerMs.p50} p99 ${load.answerMs.p99} ms, visible p50 ${load.visibleMs.p50} p99 ${load.visibleMs.p99} ms, ${load.cpuMsPerArticle} CPU-ms each, ${load.pssMb} MB)`,
    toReach: '≥ 400/s',
    floor: diskFloor,
  })
}

if (wanted.includes('kafka')) {
  const scratch = mkdtempSync(join(tmpdir(), 'newswire-bench-parts-'))
  const found = await Promise.all(partNames.map(name => findPart(name, [fromEnvironment, fromContainers, fromScripts(scratch)])))
  const parts = found.map(one => one.part).filter((part): part is Part => part !== null)
  try {
    if (parts.length < partNames.length) {
      const why = found.flatMap(one => (one.part ? [] : one.reasons)).join('; ')
      results.kafka = { skipped: why }
      lines.push({ what: 'Kafka', measured: `skipped: ${why}`, toReach: 'p50 ≤ 60 ms, p99 ≤ 150 ms', floor: '' })
    } else {
      const env = Object.assign({}, ...parts.map(part => part.env)) as Record<string, string>
      const floor = await kafkaFloor((env.KAFKA_BROKERS ?? '').split(','))
      const load = await measureKafka({ rate: Number(values['kafka-rate']), seconds, feeds: 3, limit: 50, parts: env, grouped: false })
      results.kafka = { parts: parts.map(part => part.label), floor, load }
      lines.push({
        what: `Kafka + S3, eight processes, ${values['kafka-rate']}/s for ${seconds} s`,
        measured: `202 → visible in RSS p50 ${load.visibleAfter202Ms.p50} p99 ${load.visibleAfter202Ms.p99} ms (202 p50 ${load.answerMs.p50} p99 ${load.answerMs.p99} ms; ${load.visible} of ${load.accepted} seen)`,
        toReach: 'p50 ≤ 60 ms, p99 ≤ 150 ms',
        floor: `Kafka round trip p50 ${floor.roundTrip.p50Ms} p99 ${floor.roundTrip.p99Ms} ms`,
      })
      for (const [hop, { p50, p99 }] of Object.entries(load.hopsMs))
        lines.push({ what: `  ${hop}`, measured: `p50 ${p50} p99 ${p99} ms`, toReach: '', floor: '' })
    }
  } finally {
    for (const part of parts) await part.end()
    rmSync(scratch, { recursive: true, force: true })
  }
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
