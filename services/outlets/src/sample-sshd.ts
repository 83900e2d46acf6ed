/** For tests: OpenSSH's own server on loopback, with keys and a folder of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { until } from './partner.ts'

const SSHD = '/usr/sbin/sshd'
/** Why it cannot be started here; `false` when it can. */
export const sshdMissing: string | false = existsSync(SSHD) ? false : 'there is no sshd here; install openssh-server'

export type Sshd = Readonly<{
  port: number
  user: string
  /** Where drops go: the server's starting folder is its parent. */
  folder: string
  privateKeyFile: string
  /** The host's key as `ssh-keygen` writes it, and its fingerprint. */
  hostKey: string
  fingerprint: string
  /** A second key of the host, of another kind. */
  rsaHostKey: string
  /** Ends the server and every connection, as a crash would. */
  kill(): Promise<void>
  start(): Promise<void>
}>

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

const answers = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('data', () => resolve(socket.destroy().destroyed))
    socket.once('error', () => resolve(false))
  })

const keygen = (file: string, type = 'ed25519') => execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'test', '-f', file])

/** `options`: of its `internal-sftp`, `-R` makes it read only. */
export const startSshd = async (t: TestContext, { options = '' } = {}): Promise<Sshd> => {
  const home = await mkdtemp(join(tmpdir(), 'newswire-sshd-'))
  const file = (name: string) => join(home, name)
  await mkdir(file('in'))
  keygen(file('host'))
  keygen(file('rsa'), 'rsa')
  keygen(file('user'))
  await writeFile(file('authorized'), await readFile(file('user.pub')))
  const port = await freePort()
  await writeFile(
    file('config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${file('host')}`,
      `HostKey ${file('rsa')}`,
      `AuthorizedKeysFile ${file('authorized')}`,
      `PidFile ${file('pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'PermitRootLogin prohibit-password',
      'MaxStartups 100',
      'Subsystem sftp internal-sftp',
      `ForceCommand internal-sftp -d ${home} ${options}`,
      '',
    ].join('\n'),
  )
  // sshd run by root wants this folder, which an init script would make.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  let child: ChildProcess | undefined
  const start = async () => {
    child = spawn(SSHD, ['-D', '-e', '-f', file('config')], { stdio: 'ignore', detached: true })
    await until('sshd', () => answers(port))
  }
  const kill = async () => {
    const { pid } = child ?? {}
    if (pid === undefined || child?.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    // Sessions have left the group: they end with their connections.
    process.kill(-pid, 'SIGKILL')
    await ended
  }
  await start()
  t.after(async () => {
    await kill()
    await rm(home, { recursive: true, force: true })
  })
  const [type, key] = (await readFile(file('host.pub'), 'utf8')).split(' ')
  const fingerprint =
    execFileSync('ssh-keygen', ['-lf', file('host.pub')])
      .toString()
      .split(' ')[1] ?? ''
  return {
    port,
    user: userInfo().username,
    folder: file('in'),
    privateKeyFile: file('user'),
    hostKey: `${type} ${key}`,
    fingerprint,
    rsaHostKey: (await readFile(file('rsa.pub'), 'utf8')).trim(),
    kill,
    start,
  }
}
