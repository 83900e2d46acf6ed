/** A disk that can be full: a tmpfs of a few megabytes, where the test may mount one. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export type SmallDisk = Readonly<{
  path: string
  /** Leaves room for so many bytes, about. */
  leave(bytes: number): void
  /** As much room as there was. */
  free(): void
}>

const STEP = 64 * 1024

const mount = (megabytes: number): string => {
  const path = mkdtempSync(join(tmpdir(), `newswire-test-${process.pid}-disk-`))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], { stdio: 'ignore' })
  } catch (error) {
    rmdirSync(path)
    throw error
  }
  return path
}

const unmount = (path: string): void => {
  execFileSync('umount', ['-l', path], { stdio: 'ignore' })
  rmdirSync(path)
}

/** For the options of a test: `false`, or why it cannot run here. */
export const noSmallDisk = ((): string | false => {
  try {
    unmount(mount(1))
    return false
  } catch {
    return 'a tmpfs cannot be mounted here'
  }
})()

/** Writes until there is no room, and gives how many bytes went in. */
const fillUp = (file: string): number => {
  const descriptor = openSync(file, 'w')
  const block = Buffer.alloc(STEP)
  let written = 0
  try {
    for (;;) written += writeSync(descriptor, block)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    return written
  } finally {
    closeSync(descriptor)
  }
}

export const openSmallDisk = (t: TestContext, megabytes: number): SmallDisk => {
  const path = mount(megabytes)
  t.after(() => unmount(path))
  const filler = join(path, 'filler')
  return {
    path,
    leave: bytes => truncateSync(filler, Math.max(0, fillUp(filler) - bytes)),
    free: () => rmSync(filler, { force: true }),
  }
}
