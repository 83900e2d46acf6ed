/** Where requests go, looked at once for each configuration: partners are asked for thousands of times a minute, at the same few addresses. */
import type { NetworkConfig } from '@newswire/events/config'
import { findUrlOffence } from './addresses.ts'

/** What of an address a request needs; or why it may not be reached. */
type Target = Readonly<{ offence: null; origin: string; path: string }> | Readonly<{ offence: string }>

/** What is longer is seldom asked for twice. Characters. */
const MOST_KEPT_LENGTH = 300
/** Forgotten when there are more: pictures have an address each. */
const MOST_KEPT = 5_000

const look = (text: string, network: NetworkConfig): Target => {
  const offence = findUrlOffence(text, network)
  if (offence !== null) return { offence }
  const url = new URL(text)
  return { offence, origin: url.origin, path: `${url.pathname}${url.search}` }
}

/** A change of the configuration is in force with the next request: it is another object. */
export const createTargets = (network: () => NetworkConfig): ((url: string) => Target) => {
  let known = new Map<string, Target>()
  let of = network()
  return url => {
    const now = network()
    if (now !== of || known.size >= MOST_KEPT) known = new Map()
    of = now
    const found = known.get(url) ?? look(url, now)
    if (url.length <= MOST_KEPT_LENGTH) known.set(url, found)
    return found
  }
}
