/** One connection for each outlet, shared by what is in flight, kept for a while, and given up with the settings it was made with. */

/** A connection that nobody uses is ended after this. Milliseconds. */
const IDLE_MS = 30_000

export type SftpPool<T> = Readonly<{
  /** Uses the outlet's connection, or opens one. `settings`: what it was opened with; others open another one. Throws what `open` and `act` throw. */
  use<R>(outletId: string, settings: string, open: () => Promise<T>, act: (opened: T) => Promise<R>): Promise<R>
  /** Ends every connection, also those in use. Twice is once. */
  close(): void
}>

type Kept<T> = { settings: string; opening: Promise<T>; opened: T | null; users: number; idle: NodeJS.Timeout | null }
type Needs<T> = Readonly<{ isOpen: (opened: T) => boolean; close: (opened: T) => void; idleMs?: number }>

export const createSftpPool = <T>({ isOpen, close, idleMs = IDLE_MS }: Needs<T>): SftpPool<T> => {
  const outlets = new Map<string, Kept<T>>()
  const kept = new Set<Kept<T>>()
  let isClosed = false

  const drop = (one: Kept<T>) => {
    if (one.idle !== null) clearTimeout(one.idle)
    kept.delete(one)
    if (one.opened !== null) close(one.opened)
  }
  const begin = (outletId: string, settings: string, open: () => Promise<T>): Kept<T> => {
    const one: Kept<T> = { settings, opening: open(), opened: null, users: 0, idle: null }
    one.opening.then(
      opened => {
        one.opened = opened
        if (isClosed) close(opened)
      },
      () => {
        kept.delete(one)
        if (outlets.get(outletId) === one) outlets.delete(outletId)
      },
    )
    outlets.set(outletId, one)
    kept.add(one)
    return one
  }
  const find = (outletId: string, settings: string): Kept<T> | null => {
    const known = outlets.get(outletId)
    if (known === undefined) return null
    if (known.settings === settings && (known.opened === null || isOpen(known.opened))) return known
    outlets.delete(outletId)
    if (known.users === 0) drop(known)
    return null
  }
  const leave = (outletId: string, one: Kept<T>) => {
    one.users -= 1
    if (one.users > 0) return
    const isCurrent = outlets.get(outletId) === one && one.opened !== null && isOpen(one.opened)
    if (!isCurrent) {
      if (outlets.get(outletId) === one) outlets.delete(outletId)
      return drop(one)
    }
    one.idle = setTimeout(() => {
      outlets.delete(outletId)
      drop(one)
    }, idleMs)
    one.idle.unref()
  }

  return {
    use: async (outletId, settings, open, act) => {
      const one = find(outletId, settings) ?? begin(outletId, settings, open)
      one.users += 1
      if (one.idle !== null) clearTimeout(one.idle)
      one.idle = null
      try {
        return await act(await one.opening)
      } finally {
        leave(outletId, one)
      }
    },
    close: () => {
      isClosed = true
      for (const one of kept) drop(one)
      outlets.clear()
    },
  }
}
