/**
 * Connections that are kept, by origin: whoever sends takes the one that was free last, else a new one, and gives it back once the whole answer is there.
 *
 * In place of undici's own pool, which looks for a free one from the front of all that it ever had, twice for each request: with hundreds that are in use, or hang, at
 * one host that was more than anything else it did.
 */
import { Client, type Dispatcher } from 'undici'

/** A connection, made with the first request, and one request at a time. */
export type Connection = Readonly<{
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void
  /** Whoever comes next may have it: the answer is there to its end. Once. */
  release(): void
  /** Nobody may have it any more: it ends once what is left of the request has. Once. */
  drop(): void
}>

export type Connections = Readonly<{
  /** `null` once all of it is closed. */
  take(origin: string): Connection | null
  /** Waits for requests in hand. Twice is once. */
  close(): Promise<void>
}>

/** Of one origin. */
type Host = { readonly free: Kept[]; kept: number }
type Kept = Connection & { readonly close: () => Promise<void>; isFree: boolean }

export const createConnections = (options: Client.Options): Connections => {
  const hosts = new Map<string, Host>()
  const all = new Set<Kept>()
  let closing: Promise<unknown> | undefined

  const connect = (origin: string, host: Host): Kept => {
    const client = new Client(origin, options)
    const end = () => {
      if (!all.delete(one)) return
      host.kept -= 1
      if (host.kept === 0) hosts.delete(origin)
      void client.close().catch(() => undefined) // twice: outbound is being closed, which waits for it
    }
    const one: Kept = {
      isFree: false,
      dispatch: (request, handler) => void client.dispatch(request, handler),
      release: () => {
        one.isFree = true
        host.free.push(one)
      },
      drop: end,
      close: () => client.close(),
    }
    // One that is in use tells whoever uses it, or connects anew for a request that is not begun.
    client.on('disconnect', () => {
      if (!one.isFree) return
      host.free.splice(host.free.indexOf(one), 1)
      end()
    })
    all.add(one)
    host.kept += 1
    return one
  }

  return {
    take: origin => {
      if (closing !== undefined) return null
      let host = hosts.get(origin)
      if (host === undefined) {
        host = { free: [], kept: 0 }
        hosts.set(origin, host)
      }
      const one = host.free.pop()
      if (one === undefined) return connect(origin, host)
      one.isFree = false
      return one
    },
    close: async () => {
      closing ??= Promise.all([...all].map(one => one.close()))
      await closing
    },
  }
}
