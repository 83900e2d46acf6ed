/** A real Kafka and a real S3 store for benchmarks, from where the tests take them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromContainersWith } from '../infra/test/containers.ts'
import { fromEnvironment } from '../infra/test/given.ts'
import { findPart, type Part, partNames } from '../infra/test/parts.ts'
import { fromScripts } from '../infra/test/scripts.ts'
import type { Outcome } from './benchmark.ts'

/** Connections stay open between requests, and none is written down: a new one for each costs us 0.9 CPU-ms an article at 50/s. */
const AS_S3_ITSELF = { VGW_KEEP_ALIVE: 'true', VGW_QUIET: 'true' }

/**
 * Room for what is young, as every broker's own scripts give it (they ask for a gigabyte): in what is left of the 128 MB that tests start with, the whole broker
 * stood still for 12 to 22 ms every 1.3 s at fifty articles a second. Touched at the start: else that is paid while it is measured (9.0 CPU-ms an article, 5.7 so).
 */
const AS_AN_OPERATOR_STARTS_IT = '-Xms512m -Xmn256m -XX:+AlwaysPreTouch'

/** Runs with the settings that reach both parts; without them the outcome says that it was skipped and why. Ends what was started.
 * `BENCH_SCRATCH` names the folder their data goes to: with one in memory the file system's own work is not measured along. */
export const withRealParts = async (
  { what, toReach }: Readonly<{ what: string; toReach: string }>,
  run: (env: Readonly<Record<string, string>>, labels: readonly string[]) => Promise<Outcome>,
): Promise<Outcome> => {
  const scratch = mkdtempSync(join(process.env.BENCH_SCRATCH ?? tmpdir(), 'newswire-bench-parts-'))
  const found = await Promise.all(
    partNames.map(name =>
      findPart(name, [
        fromEnvironment,
        fromContainersWith(AS_S3_ITSELF),
        fromScripts(scratch, { s3: ['--keep-alive'], jvm: AS_AN_OPERATOR_STARTS_IT }),
      ]),
    ),
  )
  const parts = found.map(one => one.part).filter((part): part is Part => part !== null)
  try {
    if (parts.length < partNames.length) {
      const why = found.flatMap(one => (one.part ? [] : one.reasons)).join('; ')
      return { result: { skipped: why }, lines: [{ what, measured: `skipped: ${why}`, toReach, floor: '' }] }
    }
    const env = Object.assign({}, ...parts.map(part => part.env)) as Record<string, string>
    return await run(
      env,
      parts.map(part => part.label),
    )
  } finally {
    for (const part of parts) await part.end()
    rmSync(scratch, { recursive: true, force: true })
  }
}
