/** Which addresses may be reached: public unicast ones, and what the configuration allows besides. */
import type { NetworkConfig } from '@newswire/events/config'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Public by their bits and still nobody's business: Azure's WireServer, and IPv6's dummy prefix that the library calls unicast. */
const DENIED = ['168.63.129.16/32', '100:0:0:1::/64'].map(cidr => ipaddr.parseCIDR(cidr))

/** An IPv4 address in IPv6 clothes is that IPv4 address. */
const bare = (address: Address): Address =>
  address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address

const isIn = (address: Address, [network, bits]: [Address, number]): boolean =>
  address.kind() === network.kind() && address.match(network as never, bits)

const parseAllowed = (cidr: string): [Address, number] | null => (ipaddr.isValidCIDR(cidr) ? ipaddr.parseCIDR(cidr) : null)

/** Why an IP address may not be reached; `null` when it may. Anything that cannot be read as one may not. */
export const findAddressOffence = (address: string, network: NetworkConfig): string | null => {
  if (!ipaddr.isValid(address)) return 'it is no address'
  const parsed = bare(ipaddr.parse(address))
  const allowed = network.allow.map(parseAllowed).some(cidr => cidr !== null && isIn(parsed, cidr))
  if (allowed) return null
  if (DENIED.some(cidr => isIn(parsed, cidr))) return 'it is a reserved address'
  const range = parsed.range()
  return range === 'unicast' ? null : `it is a ${range} address`
}
