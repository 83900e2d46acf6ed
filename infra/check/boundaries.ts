/** Our own boundaries, beside those of turbo: `node infra/check/boundaries.ts [root]` prints every offence and exits 1 when there is one. */
import { join } from 'node:path'
import { findHouseOffences } from './house.ts'
import { findImportOffences } from './imports.ts'
import { findManifestOffences, serviceNames } from './manifests.ts'
import { type Offence, readSources } from './sources.ts'

/** Every offence in the tree at `root`, by file and line. */
export const findOffences = (root: string): Offence[] => {
  const sources = readSources(root)
  return [...findImportOffences(sources, serviceNames(sources)), ...findManifestOffences(sources), ...findHouseOffences(sources)].sort(
    (a, b) => a.path.localeCompare(b.path, 'en') || a.line - b.line,
  )
}

if (import.meta.main) {
  const offences = findOffences(process.argv[2] ?? join(import.meta.dirname, '..', '..'))
  for (const { path, line, message } of offences) console.log(`${path}:${line} ${message}`)
  console.log(offences.length === 0 ? 'boundaries hold' : `${offences.length} offence(s)`)
  process.exit(offences.length === 0 ? 0 : 1)
}
