/**
 * Files on a partner's server, by SFTP. The only importer of ssh2, and that when the first connection is made. The host is known by its pinned keys
 * alone; the connection below is the caller's, so that it goes through our own rules.
 */
import { hash } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Client, ConnectConfig, SFTPWrapper } from 'ssh2'

/** The server said no to one request: a status of the SFTP protocol (draft-ietf-secsh-filexfer-02 §7). */
export class SftpStatus extends Error {
  override readonly name = 'SftpStatus'
  readonly status: number
  constructor(status: number, options?: ErrorOptions) {
    super(`SFTP status ${status}`, options)
    this.status = status
  }
}
export const NO_SUCH_FILE = 2
export const PERMISSION_DENIED = 3

/** The connection did not come about, or is over. `shaken`: nothing was asked of the server before. */
export class SshLost extends Error {
  override readonly name = 'SshLost'
  readonly why: 'host-key' | 'login' | 'handshake' | 'cut' | 'timeout'
  constructor(why: SshLost['why'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.why = why
  }
}

type SshSettings = Readonly<{
  user: string
  privateKey: Buffer
  passphrase?: string | undefined
  /** Fingerprints (`SHA256:…`) or keys (`ssh-ed25519 AAAA…`). */
  hostKeys: readonly string[]
  /** For the handshake, and for each answer after it. Milliseconds. */
  timeoutMs: number
}>

export type Sftp = Readonly<{
  isOpen(): boolean
  /** `null`: there is nothing. At most `maxBytes`. */
  read(path: string, maxBytes: number): Promise<Buffer | null>
  exists(path: string): Promise<boolean>
  list(path: string): Promise<readonly string[]>
  makeFolder(path: string): Promise<void>
  /** A file that was not there; on the server's disk when it resolves, if the server can do that. */
  write(path: string, bytes: Uint8Array): Promise<void>
  /** `false`: there is something at `to`. */
  renameNew(from: string, to: string): Promise<boolean>
  /** Over what is at `to`: in one step where the server can (`posix-rename@openssh.com`). */
  renameOver(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  close(): void
}>

/** Written and on their way at once, in pieces that every server takes. Bytes. */
const PIECE = 32_768
const PIECES_AT_ONCE = 16

export const fingerprintOf = (key: Uint8Array): string => `SHA256:${hash('sha256', key, 'base64').replace(/=+$/, '')}`

type Pinned = Readonly<{ fingerprint: string; type: string | null }>
const toPinned = (text: string): Pinned => {
  if (text.startsWith('SHA256:')) return { fingerprint: text.replace(/=+$/, ''), type: null }
  const [, type = '', key = ''] = /((?:ssh|ecdsa)-[a-z0-9-]+) ([A-Za-z0-9+/]+=*)/.exec(text) ?? []
  return { fingerprint: fingerprintOf(Buffer.from(key, 'base64')), type }
}

/** A host may have several keys and shows the first that was asked for, so those that are pinned are asked for alone; a fingerprint does not say its kind. */
const algorithmsOf = (pinned: readonly Pinned[]): ConnectConfig['algorithms'] => {
  if (pinned.some(({ type }) => type === null)) return undefined
  const types = pinned.flatMap(({ type }) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]))
  return { serverHostKey: types } as ConnectConfig['algorithms']
}

type Level = Readonly<{ level?: string; message: string }>

const toLost = (error: Level, refusedKey: string | null): SshLost => {
  if (refusedKey !== null)
    return new SshLost('host-key', `its host key is ${refusedKey}, which the configuration does not name, so nothing was sent`)
  if (error.level === 'client-authentication') return new SshLost('login', 'it does not let our user in with this key', { cause: error })
  return new SshLost('handshake', 'it does not speak SSH with us to the end of the greeting', { cause: error })
}

const shake = async (socket: Socket, { user, privateKey, passphrase, hostKeys, timeoutMs }: SshSettings): Promise<Client> => {
  const { Client: SshClient } = (await import('ssh2')).default
  const pinned = hostKeys.map(toPinned)
  const algorithms = algorithmsOf(pinned)
  const client = new SshClient()
  let refusedKey: string | null = null
  const config: ConnectConfig = {
    sock: socket,
    username: user,
    privateKey,
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(algorithms === undefined ? {} : { algorithms }),
    readyTimeout: timeoutMs,
    keepaliveInterval: Math.max(1_000, Math.floor(timeoutMs / 2)),
    keepaliveCountMax: 2,
    hostVerifier: (key: Buffer) => {
      const shown = fingerprintOf(key)
      const isKnown = pinned.some(({ fingerprint }) => fingerprint === shown)
      if (!isKnown) refusedKey = shown
      return isKnown
    },
  }
  return new Promise((resolve, reject) => {
    const fail = (error: Level) => {
      reject(toLost(error, refusedKey))
      client.destroy()
      socket.destroy()
    }
    client.once('ready', () => resolve(client))
    client.on('error', fail)
    client.once('close', () => fail({ message: 'closed' }))
    try {
      client.connect(config)
    } catch (error) {
      // A key that cannot be read is thrown, not emitted.
      reject(new SshLost('login', 'the private key file holds no key that can be used', { cause: error }))
      socket.destroy()
    }
  })
}

type Answer<T> = (error?: Error | null | undefined, value?: T) => void
type Ask = <T>(begin: (answer: Answer<T>) => void) => Promise<T>

const statusOf = (error: unknown): number | null => {
  const code = (error as { code?: unknown }).code
  return typeof code === 'number' ? code : null
}
const isStatus = (error: unknown, status: number): boolean => error instanceof SftpStatus && error.status === status

/** Opens SFTP on a connection; throws `SshLost`. The connection ends with it. */
export const openSftp = async (socket: Socket, settings: SshSettings): Promise<Sftp> => {
  const client = await shake(socket, settings)
  let lost: SshLost | null = null
  const waiting = new Set<(error: SshLost) => void>()
  const end = (why: SshLost['why'], message: string) => {
    if (lost !== null) return
    lost = new SshLost(why, message)
    for (const reject of waiting) reject(lost)
    client.destroy()
    if (!socket.destroyed) socket.resetAndDestroy()
  }
  client.on('close', () => end('cut', 'the connection ended'))

  /** One request and its answer; a server that keeps us waiting loses the connection, because what it has taken is not known. */
  const ask: Ask = begin =>
    new Promise((resolve, reject) => {
      if (lost !== null) return reject(lost)
      const timer = setTimeout(() => end('timeout', `no answer came within ${settings.timeoutMs} ms`), settings.timeoutMs)
      const finish = () => {
        clearTimeout(timer)
        waiting.delete(fail)
      }
      const fail = (error: unknown) => {
        finish()
        reject(error)
      }
      waiting.add(fail)
      const answer: Answer<never> = (error, value) => {
        if (!error) {
          finish()
          return resolve(value as never)
        }
        const status = statusOf(error)
        fail(
          status === null
            ? (lost ?? new SshLost('cut', 'the connection ended', { cause: error }))
            : new SftpStatus(status, { cause: error }),
        )
      }
      try {
        begin(answer as Answer<unknown> as never)
      } catch (error) {
        fail(error) // an extension that the server does not have
      }
    })

  const sftp = await ask<SFTPWrapper>(answer => client.sftp(answer)).catch(error => {
    end('handshake', 'it offers no SFTP')
    throw error instanceof SshLost ? error : new SshLost('handshake', 'it offers no SFTP', { cause: error })
  })
  return toSftp(sftp, ask, { isOpen: () => lost === null, close: () => end('cut', 'it was closed') })
}

const toSftp = (sftp: SFTPWrapper, ask: Ask, { isOpen, close }: Pick<Sftp, 'isOpen' | 'close'>): Sftp => {
  const withHandle = async <T>(path: string, mode: 'r' | 'wx', act: (handle: Buffer) => Promise<T>): Promise<T> => {
    const handle = await ask<Buffer>(answer => sftp.open(path, mode, answer))
    try {
      return await act(handle)
    } finally {
      if (isOpen()) await ask(answer => sftp.close(handle, answer)).catch(() => undefined) // what counts was answered before
    }
  }
  /** Done where the server can, passed over where it cannot. */
  const ifCan = async (begin: (answer: Answer<void>) => void): Promise<boolean> => {
    try {
      await ask(begin)
      return true
    } catch (error) {
      const cannot = !(error instanceof SftpStatus || error instanceof SshLost) || isStatus(error, 8)
      if (cannot) return false
      throw error
    }
  }
  const exists = async (path: string) => {
    try {
      await ask(answer => sftp.lstat(path, answer))
      return true
    } catch (error) {
      if (isStatus(error, NO_SUCH_FILE)) return false
      throw error
    }
  }
  const remove = (path: string) => ask<void>(answer => sftp.unlink(path, answer))
  const readAll = async (handle: Buffer, maxBytes: number): Promise<Buffer> => {
    const pieces: Buffer[] = []
    for (let at = 0; at < maxBytes; ) {
      const piece = Buffer.alloc(Math.min(PIECE, maxBytes - at))
      const got = await ask<number>(answer => sftp.read(handle, piece, 0, piece.length, at, answer)).catch((error: unknown) => {
        if (isStatus(error, 1)) return 0 // the end of the file
        throw error
      })
      if (got === 0) break
      pieces.push(piece.subarray(0, got))
      at += got
    }
    return Buffer.concat(pieces)
  }
  return {
    isOpen,
    close,
    exists,
    remove,
    read: async (path, maxBytes) => {
      try {
        return await withHandle(path, 'r', handle => readAll(handle, maxBytes))
      } catch (error) {
        if (isStatus(error, NO_SUCH_FILE)) return null
        throw error
      }
    },
    list: async path => (await ask<{ filename: string }[]>(answer => sftp.readdir(path, answer))).map(one => one.filename),
    makeFolder: path => ask<void>(answer => sftp.mkdir(path, answer)),
    write: (path, bytes) =>
      withHandle(path, 'wx', async handle => {
        const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        let next = 0
        const writeNext = async () => {
          while (next < buffer.length) {
            const at = next
            next += PIECE
            const length = Math.min(PIECE, buffer.length - at)
            await ask<void>(answer => sftp.write(handle, buffer, at, length, at, answer))
          }
        }
        await Promise.all(Array.from({ length: PIECES_AT_ONCE }, writeNext))
        await ifCan(answer => sftp.ext_openssh_fsync(handle, answer))
      }),
    renameNew: async (from, to) => {
      try {
        await ask<void>(answer => sftp.rename(from, to, answer))
        return true
      } catch (error) {
        if (error instanceof SftpStatus && (await exists(to))) return false
        throw error
      }
    },
    renameOver: async (from, to) => {
      if (await ifCan(answer => sftp.ext_openssh_rename(from, to, answer))) return
      // Between these two there is nothing at `to`; who looks then looks again.
      await remove(to).catch((error: unknown) => {
        if (!isStatus(error, NO_SUCH_FILE)) throw error
      })
      await ask<void>(answer => sftp.rename(from, to, answer))
    },
  }
}
