/**
 * Drops onto a partner's SFTP server: each file under a name of its own first, then renamed into its place. SFTP has no conditional writes: what is
 * replaced is read again right before, and the outlet's owner is the one writer. One connection for each outlet, shared by what is in flight.
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import type { DeliverBy } from '@newswire/events/deliver'
import { sha256Hex } from '@newswire/events/ids'
import { classify, failed, NO_LONGER_OURS } from './answers.ts'
import type { Delivery, DeliveryNeeds } from './delivery.ts'
import { DropFault, type DropStore, putDrop, putTest } from './drop.ts'
import { toDrop } from './drop-parcel.ts'
import type { Outcome } from './machine.ts'
import { createSftpPool, type SftpPool } from './sftp-pool.ts'
import { NO_SUCH_FILE, openSftp, PERMISSION_DENIED, type Sftp, SftpStatus, SshLost } from './ssh.ts'

/** What an attempt that threw came to. Bugs are thrown on. */
const toOutcome = (error: unknown): Outcome => {
  if (error instanceof SshLost) {
    const alarm = error.why === 'host-key' || error.why === 'login'
    const isBefore = alarm || error.why === 'handshake'
    return failed(error.message, { alarm, connect: error.why === 'handshake', ambiguous: !isBefore })
  }
  if (error instanceof SftpStatus) {
    if (error.status === NO_SUCH_FILE) return failed('the folder of its configuration is not there', { alarm: true })
    if (error.status === PERMISSION_DENIED) return failed('our user may not write there', { alarm: true })
    return failed(`its server reported a failure (status ${error.status}); its disk or a quota may be full`)
  }
  throw error
}

/** Unfinished files, ours alone by this name: left behind by whoever was cut off, removed by the next who writes there. */
const PART = /^\.newswire-[0-9a-f]{16}\.part$/
const partName = () => `.newswire-${randomBytes(8).toString('hex')}.part`

/** The folders that a session has seen to; `root` must be there. */
const createFolders = (sftp: Sftp, root: string) => {
  const seen = new Map<string, Promise<void>>()
  const tidy = async (path: string) => {
    const left = (await sftp.list(path)).filter(name => PART.test(name))
    for (const name of left) await sftp.remove(posix.join(path, name)).catch(() => undefined) // somebody else's to remove
  }
  const make = async (path: string) => {
    await sftp.makeFolder(path).catch(async (error: unknown) => {
      if (!(error instanceof SftpStatus) || !(await sftp.exists(path))) throw error
    })
    await tidy(path)
  }
  /** Below `root` only, so that a wrong `path` is noticed. */
  return async (path: string): Promise<void> => {
    const parts = path
      .slice(root.length)
      .split('/')
      .filter(part => part !== '')
    let folder = root
    for (const part of parts) {
      folder = `${folder}${part}`
      const known = seen.get(folder) ?? make(folder)
      seen.set(folder, known)
      known.catch(() => seen.delete(folder))
      await known
      folder += '/'
    }
  }
}

const createStore = (sftp: Sftp, root: string): DropStore => {
  const provide = createFolders(sftp, root)
  const upload = async (path: string, bytes: Uint8Array, place: (part: string) => Promise<boolean>): Promise<boolean> => {
    const folder = posix.dirname(path)
    await provide(folder)
    const part = posix.join(folder, partName())
    let isPlaced = false
    try {
      await sftp.write(part, bytes)
      isPlaced = await place(part)
      return isPlaced
    } finally {
      if (!isPlaced && sftp.isOpen()) await sftp.remove(part).catch(() => undefined) // the error that led here is the one to tell
    }
  }
  const read: DropStore['read'] = async (path, maxBytes) => {
    const bytes = await sftp.read(path, maxBytes)
    return bytes === null ? null : { bytes, tag: `${maxBytes}:${sha256Hex(bytes)}` }
  }
  return {
    read,
    has: sftp.exists,
    create: async (path, { bytes }) => {
      if (await sftp.exists(path)) return false
      return upload(path, bytes, part => sftp.renameNew(part, path))
    },
    replace: (path, { bytes }, tag) =>
      upload(path, bytes, async part => {
        if ((await read(path, Number(tag.split(':')[0])))?.tag !== tag) return false
        await sftp.renameOver(part, path)
        return true
      }),
  }
}

/** An absolute path, or one below where the server puts our user; ends with a slash unless it is empty. */
const toRoot = (path: string): string => (path === '' || path.endsWith('/') ? path : `${path}/`)

type Opened = Readonly<{ store: DropStore; sftp: Sftp }>

export const createSftpDrop = ({ connect, secret, objects, context, timeoutMs, now }: DeliveryNeeds): Delivery<'sftp'> => {
  const open = async (deliver: DeliverBy<'sftp'>): Promise<Opened> => {
    const user = secret(deliver.userEnv) ?? ''
    if (user === '') throw new DropFault(failed(`the environment variable ${deliver.userEnv} with its user is not set`, { alarm: true }))
    const privateKey = await readFile(deliver.privateKeyFile).catch(() => {
      throw new DropFault(failed('the file that privateKeyFile names cannot be read', { alarm: true }))
    })
    const connection = await connect(deliver.host, deliver.port)
    if (!connection.ok) throw new DropFault(classify(connection, 0))
    const passphrase = deliver.passphraseEnv === undefined ? undefined : secret(deliver.passphraseEnv)
    const sftp = await openSftp(connection.socket, { user, privateKey, passphrase, hostKeys: [deliver.hostKey].flat(), timeoutMs })
    return { sftp, store: createStore(sftp, toRoot(deliver.path)) }
  }
  const pool: SftpPool<Opened> = createSftpPool({ isOpen: ({ sftp }) => sftp.isOpen(), close: ({ sftp }) => sftp.close() })
  const use = async (id: string, deliver: DeliverBy<'sftp'>, act: (store: DropStore) => Promise<Outcome>): Promise<Outcome> => {
    try {
      return await pool.use(
        id,
        JSON.stringify(deliver),
        () => open(deliver),
        ({ store }) => act(store),
      )
    } catch (error) {
      return error instanceof DropFault ? error.outcome : toOutcome(error)
    }
  }
  return {
    deliver: async (parcel, mayStill) => {
      const { id, deliver } = parcel.outlet
      if (!mayStill()) return NO_LONGER_OURS
      const drop = toDrop(parcel, { ...deliver, prefix: toRoot(deliver.path) }, { objects, context: context() })
      return use(id, deliver, store => putDrop(store, drop, mayStill))
    },
    test: ({ id, deliver }, requestId) =>
      use(id, deliver, store =>
        putTest(store, toRoot(deliver.path), { outlet: id, request: requestId, timestamp: new Date(now()).toISOString() }),
      ),
    close: async () => pool.close(),
  }
}
