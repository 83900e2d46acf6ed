/** The archive: how fast a copy is proved, packed as it is after a closing. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeOnce } from '@newswire/archive/close'
import { copyArchive } from '@newswire/archive/copy'
import { openSampleArchive } from '@newswire/archive/sample-archive'
import { readKeys } from '@newswire/archive/signing'
import { openFolder, verifyCopy } from '@newswire/archive/verify-copy'
import { sideBySide } from '@newswire/runtime/side-by-side'
import type { Benchmark } from './benchmark.ts'
import { ownCpuMs, round } from './measure.ts'
import { createRandom, prose } from './prose.ts'

const VERSIONS = 20_000
const AT_ONCE = 64
/** Characters of a title, which the sample says again as the body, in the payload and in the ledger: a version then has 3 kB, all of it together 6. */
const CHARACTERS = 800

const build = async (archive: Awaited<ReturnType<typeof openSampleArchive>>): Promise<void> => {
  const random = createRandom(7)
  await sideBySide([...Array(VERSIONS).keys()], AT_ONCE, at => archive.add(`press.bai-${at}`, 1, prose(CHARACTERS, random)))
  while ((await closeOnce(archive.needs)).hasMore);
}

export const benchArchive: Benchmark = async () => {
  const archive = await openSampleArchive()
  const folder = mkdtempSync(join(tmpdir(), 'newswire-bench-copy-'))
  try {
    const cpuAtBuild = ownCpuMs()
    await build(archive)
    const buildCpuMs = ownCpuMs() - cpuAtBuild
    await copyArchive(archive.objects, folder)
    const published = await readKeys(archive.objects)
    if (published === null) throw new Error('nothing was closed')
    const runs = []
    for (let run = 0; run < 3; run++) {
      const [cpu, began] = [ownCpuMs(), performance.now()]
      const verdict = await verifyCopy(openFolder(folder), published.value)
      if (!verdict.ok || verdict.versions !== VERSIONS) throw new Error(`not proved: ${JSON.stringify(verdict)}`)
      runs.push({
        cpuMs: ownCpuMs() - cpu,
        ms: performance.now() - began,
        bytes: verdict.bytes,
        entries: verdict.natives + verdict.ledger + verdict.versions,
      })
    }
    const best = runs.reduce((a, b) => (b.cpuMs < a.cpuMs ? b : a))
    const perSecond = round((VERSIONS * 1000) / best.cpuMs, 0)
    return {
      result: { versions: VERSIONS, buildCpuMs: round(buildCpuMs, 0), runs },
      lines: [
        {
          what: 'archive: verify a packed copy',
          measured: `${perSecond} versions/s of CPU, each with its payload and its line of the ledger (${best.entries} entries, ${round(best.bytes / 2 ** 20, 0)} MiB; ${round((VERSIONS * 1000) / best.ms, 0)}/s by the clock)`,
          toReach: '≥ 20 000 versions/s',
          floor: '–',
        },
      ],
    }
  } finally {
    await archive.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
