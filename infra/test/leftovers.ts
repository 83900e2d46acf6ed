/**
 * What a run that was killed left behind, found by marks that carry the process id of its runner: containers by label, folders of the
 * script way by name. And what tests of this run left running, found by a variable that only they inherit.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { getContainerRuntimeClient } from 'testcontainers'
import { within } from './wait.ts'

const PROBE_MS = 5_000
const STOP_MS = 60_000
const DEV = join(import.meta.dirname, '..', 'dev')
const FOLDER = /^newswire-test-(\d+)-/

/** On every container of ours: `<host name>/<pid of the runner>`. */
export const OWNER_LABEL = 'newswire.test.runner'
export const owner = `${hostname()}/${process.pid}`
export const folderPrefix = join(tmpdir(), `newswire-test-${process.pid}-`)

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** An owner on another host, or behind another host name, is not ours to judge. */
export const isOrphan = (label: string): boolean => {
  const [host, pid] = label.split('/')
  return host === hostname() && /^\d+$/.test(pid ?? '') && !isAlive(Number(pid))
}

const sweepFolders = (): number => {
  const dead = readdirSync(tmpdir()).filter(name => {
    const pid = FOLDER.exec(name)?.[1]
    return pid !== undefined && !isAlive(Number(pid))
  })
  for (const name of dead) {
    // A small disk of a test (`test/support/small-disk.ts`).
    try {
      execFileSync('umount', ['-l', join(tmpdir(), name)], { stdio: 'ignore' })
    } catch {
      // No mount, as nearly all of them.
    }
    for (const part of ['kafka', 's3']) {
      const dir = join(tmpdir(), name, part)
      // A folder that a start never finished has nothing to stop; what the scripts say about it does not matter.
      if (existsSync(dir))
        execFileSync('bash', ['-c', '"$0" stop --dir "$1" --wipe || true', join(DEV, `${part}.sh`), dir], {
          timeout: STOP_MS,
          stdio: 'ignore',
        })
    }
    rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
  return dead.length
}

const sweepContainers = async (): Promise<number> => {
  const docker = await within(PROBE_MS, 'asking Docker', getContainerRuntimeClient()).catch(() => null)
  if (docker === null) return 0
  const all = await within(
    PROBE_MS,
    'asking Docker',
    docker.container.dockerode.listContainers({ all: true, filters: { label: [OWNER_LABEL] } }),
  )
  const dead = all.filter(one => isOrphan(one.Labels[OWNER_LABEL] ?? ''))
  for (const one of dead) await docker.container.dockerode.getContainer(one.Id).remove({ force: true, v: true })
  return dead.length
}

/** Removes what runners that are no more have left. Returns how many things there were. */
export const sweepLeftovers = async (): Promise<number> => sweepFolders() + (await sweepContainers())

/** The variable by which processes started by tests are known. */
export const RUN_VARIABLE = 'NEWSWIRE_TEST_RUN'

const carriesRun = (pid: string, run: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${RUN_VARIABLE}=${run}`)
  } catch {
    // Gone by now, or somebody else's: not ours to end.
    return false
  }
}

/** Ends processes that tests of this run left behind (Linux; elsewhere there is no way to know them). Returns how many there were. */
export const endStrays = (run: string): number => {
  if (!existsSync('/proc/self/environ')) return 0
  const strays = readdirSync('/proc').filter(name => /^\d+$/.test(name) && Number(name) !== process.pid && carriesRun(name, run))
  for (const pid of strays) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It ended by itself in between.
    }
  }
  return strays.length
}
