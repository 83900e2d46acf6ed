/** Small tools of the benchmarks: quantiles, the facts of the machine, memory of a process tree. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted.length === 0 ? Number.NaN : (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN)
}

export const round = (value: number, digits = 1): number => Math.round(value * 10 ** digits) / 10 ** digits

export const machineFacts = () => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: round(totalmem() / 2 ** 30),
  node: process.version,
  kernel: execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim(),
  loadBefore: readFileSync('/proc/loadavg', 'utf8').split(' ')[0],
})

const childrenOf = (pid: number): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && existsSync(`/proc/${name}/stat`))
    .filter(name => {
      try {
        return Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]) === pid
      } catch {
        // It ended between the listing and the reading.
        return false
      }
    })
    .map(Number)

const ownPssMb = (pid: number): number => {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    // It ended between the listing and the reading.
    return 0
  }
}

/** Proportional set size of a process and all below it, MB: shared pages are counted once. */
export const treePssMb = (pid: number): number => {
  const own = ownPssMb(pid)
  return childrenOf(pid).reduce((sum, child) => sum + treePssMb(child), own)
}

/** Resident set of one process, MB: now, and at most so far. */
export const residentMb = (pid: number): Readonly<{ nowMb: number; peakMb: number }> => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
  return { nowMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') }
}

/** Looks twice a second how much a process and all below it take (`treePssMb`), until it is stopped; at most so far, MB. */
export const watchPss = (pid: number): Readonly<{ peakMb(): number; stop(): void }> => {
  let peakMb = 0
  const look = () => {
    peakMb = Math.max(peakMb, treePssMb(pid))
  }
  const timer = setInterval(look, 500)
  return { peakMb: () => peakMb, stop: () => clearInterval(timer) }
}

/** How long each of so many runs took, ms. */
export const timed = (times: number, work: (index: number) => void): number[] =>
  Array.from({ length: times }, (_, index) => {
    const began = performance.now()
    work(index)
    return performance.now() - began
  })

/** CPU of all threads of this process so far, ms. */
export const ownCpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** CPU seconds (user and system) of a process so far. */
export const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** CPU seconds that everybody on this machine has taken so far, the system with them; not what was idle or waited for disks. */
export const machineCpuSeconds = (): number => {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (
    /^cpu +(.*)/.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? ''
  )
    .split(' ')
    .map(Number)
  return (user + nice + system + irq + softirq + steal) / 100
}

/** The socket that listens on a port, by its inode: fields of `/proc/net/tcp` are address:port in hex, state 0A for listening, and the inode tenth. */
const listeningInode = (port: number): string | undefined => {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return ['tcp', 'tcp6']
    .flatMap(file => readFileSync(`/proc/net/${file}`, 'utf8').split('\n'))
    .map(line => line.trim().split(/\s+/))
    .find(fields => fields[1]?.endsWith(hex) && fields[3] === '0A')?.[9]
}

const holds = (pid: number, socket: string): boolean => {
  try {
    return readdirSync(`/proc/${pid}/fd`).some(fd => readlinkSync(`/proc/${pid}/fd/${fd}`) === socket)
  } catch {
    // Another user's process, or a descriptor closed between the listing and the reading.
    return false
  }
}

/** The process of this machine that listens on a port; `null` when there is none, as for a broker elsewhere or behind a container's network. */
export const listenerPid = (port: number): number | null => {
  const inode = listeningInode(port)
  if (inode === undefined) return null
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.map(Number).find(pid => holds(pid, `socket:[${inode}]`)) ?? null
}

/** Waits for it; false when it has not come by then. */
export const until = async (condition: () => boolean, timeoutMs: number): Promise<boolean> => {
  const deadline = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadline) return false
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return true
}
