/**
 * Whether the ports are free, before anything begins: a start that finds out later has sent to partners by then. Somebody may still take one in the
 * moment between; the server that then cannot listen says so too.
 */
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { ServiceName } from '@newswire/runtime/service'
import { type Settings, SettingsError } from '@newswire/runtime/settings'

const doors = {
  gateway: { port: 'gatewayPort', flag: '--gateway-port', setting: 'NEWSWIRE_GATEWAY_PORT' },
  ingest: { port: 'ingestPort', flag: '--ingest-port', setting: 'NEWSWIRE_INGEST_PORT' },
  console: { port: 'consolePort', flag: '--console-port', setting: 'NEWSWIRE_CONSOLE_PORT' },
} as const

/** An address as a browser on this machine writes it: a wildcard is none, and IPv6 stands in brackets. */
export const urlAt = (host: string, port: number): string => {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

class PortsError extends Error {
  readonly code = 'NEWSWIRE_PORT_TAKEN'
}

const listen = (port: number, host: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject).listen({ port, host, exclusive: true }, () => resolve(server))
  })

const close = (server: Server): Promise<void> => new Promise(resolve => server.close(() => resolve()))

const why = (error: unknown): string => {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'EADDRINUSE' ? 'is taken' : `cannot be listened on (${code ?? String(error)})`
}

/** Throws `SettingsError` when it is the address that cannot be had: no other port on it could. */
const refuseHost = (error: unknown, host: string, flags: boolean): void => {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (!['ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EINVAL'].includes(code)) return
  throw new SettingsError(
    `Nothing was started: ${host} is no address of this machine (${code}); give one with ${flags ? '--host or ' : ''}NEWSWIRE_HOST.`,
  )
}

/** A port of this address that nobody has now. Throws `SettingsError` when there is no such address. */
export const freePort = async (host: string): Promise<number> => {
  const server = await listen(0, host).catch(error => {
    refuseHost(error, host, true)
    throw error
  })
  const { port } = server.address() as AddressInfo
  await close(server)
  return port
}

/** Throws `PortsError` that names every port that cannot be had, and how to give another, or `SettingsError` when it is the address. All of them are free again afterwards. */
export const checkPorts = async (settings: Settings, names: readonly ServiceName[], { flags }: { flags: boolean }): Promise<void> => {
  const wanted = Object.entries(doors).filter(([name]) => names.includes(name as ServiceName))
  const open: Server[] = []
  const complaints: string[] = []
  const options: string[] = []
  let isOthers = false
  for (const [at, [name, { port, flag, setting }]] of wanted.entries()) {
    const another = flags ? `${flag} N or ${setting}` : setting
    const same = wanted.slice(0, at).find(([, one]) => settings[one.port] !== 0 && settings[one.port] === settings[port])
    if (same !== undefined) {
      options.push(`${flag} 0`)
      complaints.push(`${same[0]} and ${name} were both given port ${settings[port]}; give ${name} another with ${another}`)
      continue
    }
    try {
      open.push(await listen(settings[port], settings.host))
    } catch (error) {
      options.push(`${flag} 0`)
      refuseHost(error, settings.host, flags)
      isOthers = true
      complaints.push(
        `port ${settings[port]} on ${settings.host} ${why(error)}, so ${name} cannot listen there; give another with ${another}`,
      )
    }
  }
  await Promise.all(open.map(close))
  if (complaints.length === 0) return
  const npm = flags ? ` With npm: \`npm start -- ${options.join(' ')}\`.` : ''
  throw new PortsError(`Nothing was started: ${complaints.join('. ')}. ${isOthers ? 'Or stop what has it; ' : ''}0 picks a free one.${npm}`)
}
