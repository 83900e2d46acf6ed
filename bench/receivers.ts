/** Receivers in a process of their own, so that what they cost is not ours: `/hang/…` never answers, everything else is taken at once. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'

/** `at`: ms since 1970, with fractions. `article`: as `x-newswire-article` has it, or empty. */
export type Taken = Readonly<{ path: string; at: number; bytes: number; article: string }>

export const startReceivers = async () => {
  const child: ChildProcess = fork(join(import.meta.dirname, 'websub-receivers.ts'), { stdio: 'ignore' })
  const next = <T>() => new Promise<T>(resolve => child.once('message', message => resolve(message as T)))
  const { port } = await next<{ port: number }>()
  return {
    port,
    pid: child.pid ?? 0,
    taken: async () => {
      const answer = next<{ taken: Taken[] }>()
      child.send('taken')
      return (await answer).taken
    },
    stop: () => child.kill(),
  }
}
