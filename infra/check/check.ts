/**
 * `npm run check`: types, lint and format, boundaries. All of them run, whatever the others find, so that one look tells everything.
 * Needs no network. Exit status 0 when all hold, 1 otherwise.
 */
import { execFile } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { requireNode24 } from '../node24.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const BIN = join(ROOT, 'node_modules', '.bin')
const ENV = {
  ...process.env,
  PATH: `${BIN}${delimiter}${process.env['PATH'] ?? ''}`,
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
}

type Check = Readonly<{ name: string; command: string; args: readonly string[] }>

const CHECKS: readonly Check[] = [
  {
    name: 'types of every package',
    command: 'turbo',
    args: ['run', 'typecheck', '--output-logs=errors-only', '--log-order=grouped', '--continue'],
  },
  { name: 'types of infra, test and bench', command: 'tsc', args: ['--noEmit', '-p', '.'] },
  { name: 'lint and format', command: 'biome', args: ['check', '--error-on-warnings', '.'] },
  { name: 'boundaries (turbo)', command: 'turbo', args: ['boundaries'] },
  {
    name: 'boundaries (ours)',
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'boundaries.ts')],
  },
]

const run = async ({ name, command, args }: Check): Promise<boolean> =>
  await new Promise(resolve => {
    const began = performance.now()
    execFile(command, args, { cwd: ROOT, env: ENV, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      console.log(`${error ? '✖' : '✔'} ${name} (${seconds} s)`)
      if (error) console.log(`${stdout}${stderr}${typeof error.code === 'number' ? '' : error.message}`.trimEnd())
      resolve(error === null)
    })
  })

requireNode24()
const results = await Promise.all(CHECKS.map(run))
const failed = results.filter(well => !well).length
console.log(failed === 0 ? 'check: all hold' : `check: ${failed} of ${results.length} failed`)
process.exit(failed === 0 ? 0 : 1)
