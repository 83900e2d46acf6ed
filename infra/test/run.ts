/**
 * The one test runner: `npm test [-- [--tier unit|integration|e2e]… [--way environment|containers|scripts]… [--name REGEX] [path…]]`.
 *
 * Unit tests run at once; meanwhile the real parts are started, once for the whole run (parts.ts says where they come from). Then
 * integration tests and those of the whole program, two files at a time; then those that stop and start the parts, one file at a time. What is not there is skipped, and
 * the last lines say so; with `NEWSWIRE_TEST_REQUIRE=kafka,s3` it is a failure. Everything started is stopped, however the run ends.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { requireNode24 } from '../node24.ts'
import { fromContainers } from './containers.ts'
import { type Control, startControl } from './control.ts'
import { findTestFiles, needsThePartsAlone, type Tier, tierOf, tiers } from './files.ts'
import { fromEnvironment } from './given.ts'
import { endStrays, folderPrefix, RUN_VARIABLE, sweepLeftovers } from './leftovers.ts'
import { messageOf } from './message.ts'
import { type Phase, type Result, runNodeTest } from './node-test.ts'
import { describeMissing, type Found, findPart, type Part, type PartName, partNames, type Way } from './parts.ts'
import { fromScripts } from './scripts.ts'

/** Where the real parts are looked for, in this order. */
const wayNames = ['environment', 'containers', 'scripts'] as const
type WayName = (typeof wayNames)[number]

const ROOT = join(import.meta.dirname, '..', '..')
const MINUTE_MS = 60_000
/** The time for one test and for the whole phase: far more than they need, so that only what hangs meets it. */
const LIMITS = {
  unit: { timeoutMs: 3 * MINUTE_MS, deadlineMs: 15 * MINUTE_MS },
  integration: { timeoutMs: 5 * MINUTE_MS, deadlineMs: 20 * MINUTE_MS },
  e2e: { timeoutMs: 10 * MINUTE_MS, deadlineMs: 40 * MINUTE_MS },
  alone: { timeoutMs: 10 * MINUTE_MS, deadlineMs: 40 * MINUTE_MS },
} as const

const readOptions = () => {
  const { values, positionals } = parseArgs({
    options: { tier: { type: 'string', multiple: true }, name: { type: 'string' }, way: { type: 'string', multiple: true } },
    allowPositionals: true,
  })
  const wanted = values.tier ?? [...tiers]
  const unknown = wanted.find(one => !tiers.some(tier => tier === one))
  if (unknown !== undefined) throw new Error(`--tier is one of ${tiers.join(', ')}; got "${unknown}"`)
  const ways = values.way ?? [...wayNames]
  const detour = ways.find(one => !wayNames.some(way => way === one))
  if (detour !== undefined) throw new Error(`--way is one of ${wayNames.join(', ')}; got "${detour}"`)
  const required = (process.env['NEWSWIRE_TEST_REQUIRE'] ?? '').split(',').filter(one => one !== '')
  const stranger = required.find(one => !partNames.some(name => name === one))
  if (stranger !== undefined) throw new Error(`NEWSWIRE_TEST_REQUIRE names ${partNames.join(' and ')}; got "${stranger}"`)
  return { tiers: wanted as Tier[], patterns: positionals, name: values.name, required: required as PartName[], ways: ways as WayName[] }
}

const startParts = async (scratch: string, names: readonly WayName[]): Promise<ReadonlyMap<PartName, Found>> => {
  const swept = await sweepLeftovers()
  if (swept > 0) console.error(`removed ${swept} leftover(s) of earlier runs`)
  const ways = { environment: fromEnvironment, containers: fromContainers, scripts: fromScripts(scratch) } satisfies Record<WayName, Way>
  const chosen = wayNames.filter(name => names.includes(name)).map(name => ways[name])
  return new Map(await Promise.all(partNames.map(async name => [name, await findPart(name, chosen)] as const)))
}

const sumUp = (results: readonly Result[], found: ReadonlyMap<PartName, Found>, required: readonly PartName[]): boolean => {
  let missing = 0
  for (const [name, { part, reasons }] of found) {
    if (part) console.log(`used: ${part.label}`)
    else console.log(describeMissing(name, reasons))
    if (!part && required.includes(name)) {
      console.log(`failed: ${name} is required by NEWSWIRE_TEST_REQUIRE`)
      missing += 1
    }
  }
  const reasons = new Map<string, number>()
  for (const result of results) for (const [reason, times] of result.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + times)
  for (const [reason, times] of reasons) console.log(`skipped: ${times} × ${reason || 'without a reason'}`)
  const sum = (key: keyof Result['counts']) => results.reduce((total, { counts }) => total + counts[key], 0)
  console.log(`${sum('passed')} passed, ${sum('failed') + missing} failed, ${sum('skipped')} skipped`)
  return missing === 0 && results.every(({ ok }) => ok)
}

const main = async (): Promise<number> => {
  const { tiers: wanted, patterns, name: namePattern, required, ways } = readOptions()
  const files = (await findTestFiles(ROOT, patterns)).filter(file => wanted.includes(tierOf(file)))
  if (files.length === 0) throw new Error(`no test file matches ${patterns.join(', ') || wanted.join(', ')}`)

  const scratch = mkdtempSync(folderPrefix)
  const run = `${process.pid}-${Date.now()}`
  const stop = new AbortController()
  let ending: string | null = null
  const endEarly = (why: string) => {
    // Asked twice: leave at once. The next run sweeps up.
    if (ending !== null) process.exit(1)
    ending = why
    console.error(`${why}: stopping what was started`)
    stop.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => endEarly(signal))
  process.on('uncaughtException', error => endEarly(`the runner failed (${messageOf(error)})`))

  const unit = files.filter(file => tierOf(file) === 'unit')
  const beside = (tier: Tier) => files.filter(file => tierOf(file) === tier && !needsThePartsAlone(file))
  const alone = files.filter(needsThePartsAlone)
  const starting = files.length > unit.length ? startParts(scratch, ways) : Promise.resolve(new Map<PartName, Found>())
  starting.catch(() => undefined)
  let control: Control | undefined
  const results: Result[] = []
  // Every file is a process, and many start more: what the first of them compiles, the others read. A fifth of the CPU time of a run.
  const always = { [RUN_VARIABLE]: run, NODE_COMPILE_CACHE: join(scratch, 'compiled') }
  const phase = async (title: keyof typeof LIMITS, which: readonly string[], concurrency: number, env: Record<string, string>) => {
    const given: Phase = { title, files: which, concurrency, ...LIMITS[title], env: { ...env, ...always }, namePattern }
    results.push(await runNodeTest(ROOT, scratch, given, stop.signal))
  }
  try {
    await phase('unit', unit, availableParallelism(), {})
    const found = await starting
    const parts = new Map([...found].flatMap(([name, { part }]) => (part ? [[name, part] as [PartName, Part]] : [])))
    control = await startControl(parts)
    const env = Object.assign(
      { KAFKAJS_NO_PARTITIONER_WARNING: '1', NEWSWIRE_TEST_CONTROL: control.url },
      ...[...parts.values()].map(part => part.env),
    )
    const two = Math.min(2, availableParallelism())
    await phase('integration', beside('integration'), two, env)
    await phase('e2e', beside('e2e'), two, env)
    await control.restore()
    await phase('alone', alone, 1, env)
    const well = sumUp(results, found, required)
    if (ending !== null) console.log(`not everything ran: ${ending}`)
    return ending === null && well ? 0 : 1
  } finally {
    const strays = endStrays(run)
    if (strays > 0) console.error(`ended ${strays} process(es) that tests had left running`)
    await control?.close()
    const found = await starting.catch(() => new Map<PartName, Found>())
    for (const { part } of found.values())
      await part?.end().catch((error: unknown) => console.error(`could not end ${part.label}: ${messageOf(error)}`))
    rmSync(scratch, { recursive: true, force: true })
  }
}

requireNode24()
try {
  process.exit(await main())
} catch (error) {
  console.error(messageOf(error))
  process.exit(1)
}
