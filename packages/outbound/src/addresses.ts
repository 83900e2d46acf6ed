/** Which addresses may be reached: public unicast ones on the usual ports, and what the configuration allows besides. */
import { isIP } from 'node:net'
import type { NetworkConfig } from '@newswire/events/config'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Characters: an address of 2048, and a hub's parameters behind it. */
const MAX_URL_LENGTH = 8_192
/** To public hosts; an allowed network may use any port. */
export const WEB_PORTS: ReadonlySet<number> = new Set([80, 443, 8443])
/** SSH's own, and those that servers of files are mostly put on. */
export const SSH_PORTS: ReadonlySet<number> = new Set([22, 2022, 2222])
const list = (ports: ReadonlySet<number>): string => [...ports].join(', ').replace(/, (\d+)$/, ' and $1')
/**
 * Public by their bits and still nobody's business: Azure's WireServer, IPv6's dummy prefix that the library calls unicast, and IPv4 addresses in
 * the clothes that RFC 4291 §2.5.5.1 has given up.
 */
const DENIED = ['168.63.129.16/32', '100:0:0:1::/64', '::/96'].map(cidr => ipaddr.parseCIDR(cidr))

/** One spelling for all of an address, without its zone. The library alone would read `::8.8.8.8` as the mapped `::ffff:8.8.8.8`. */
const canonical = (address: string): string => {
  const [bits = ''] = address.split('%')
  return isIP(address) === 6 ? toHost(new URL(`http://[${bits}]`).hostname) : address
}

/** An IPv4 address in IPv6 clothes is that IPv4 address. */
const bare = (address: Address): Address =>
  address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address

const isIn = (address: Address, [network, bits]: [Address, number]): boolean =>
  address.kind() === network.kind() && address.match(network as never, bits)

/** Whether a text is a network in CIDR form. */
export const isNetwork = (cidr: string): boolean => {
  const [address = ''] = cidr.split('/')
  return isIP(address) !== 0 && ipaddr.isValidCIDR(cidr)
}

/** Parsed once for each configuration: this is asked for every request. */
const parsedNetworks = new WeakMap<NetworkConfig, readonly [Address, number][]>()

const networksOf = (network: NetworkConfig): readonly [Address, number][] => {
  const known = parsedNetworks.get(network)
  if (known !== undefined) return known
  const parsed = network.allow.filter(isNetwork).map(cidr => ipaddr.parseCIDR(cidr))
  parsedNetworks.set(network, parsed)
  return parsed
}

const isAllowed = (address: Address, network: NetworkConfig): boolean => networksOf(network).some(cidr => isIn(address, cidr))

/** Why an IP address may not be reached on that port; `null` when it may. Anything that cannot be read as one may not. */
export const findAddressOffence = (address: string, port: number, network: NetworkConfig, ports = WEB_PORTS): string | null => {
  // The library alone would take "1.2.3" for 1.2.0.3.
  if (isIP(address) === 0 || !ipaddr.isValid(address)) return 'it is no address'
  const parsed = bare(ipaddr.parse(canonical(address)))
  if (isAllowed(parsed, network)) return null
  if (DENIED.some(cidr => isIn(parsed, cidr))) return 'it is a reserved address'
  const range = parsed.range()
  if (range !== 'unicast') return `it is a ${range} address`
  return ports.has(port) ? null : `port ${port} is not allowed; ${list(ports)} are`
}

/** A host as `net` takes it: an IPv6 literal without its brackets. */
export const toHost = (hostname: string): string => hostname.replace(/^\[|\]$/g, '')

export const toPort = ({ port, protocol }: { port: string; protocol: string }): number => Number(port || (protocol === 'https:' ? 443 : 80))

/** What is wrong with an address before any name is resolved; `null` when nothing is. */
export const findUrlOffence = (text: string, network: NetworkConfig): string | null => {
  if (text.length > MAX_URL_LENGTH || !URL.canParse(text)) return 'it is no address'
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return `${url.protocol.slice(0, -1)} is not spoken here; expected https`
  if (url.protocol === 'http:' && !network.allowHttp)
    return 'plain http is not allowed; network.allowHttp in the configuration would allow it'
  if (url.username !== '' || url.password !== '') return 'a name or password in an address is not allowed'
  return findHostOffence(toHost(url.hostname), toPort(url), network)
}

/** What is wrong with a host and a port before any name is resolved; `null` when nothing is. `ports`: those that public hosts may have. */
export const findHostOffence = (host: string, port: number, network: NetworkConfig, ports = WEB_PORTS): string | null => {
  if (isIP(host) !== 0) {
    const offence = findAddressOffence(host, port, network, ports)
    return offence === null ? null : `${offence}; network.allow in the configuration would allow it`
  }
  // What a name leads to is seen when it is connected to; without allowed networks no other port can come out of that.
  return ports.has(port) || network.allow.length > 0 ? null : `port ${port} is not allowed; ${list(ports)} are`
}
