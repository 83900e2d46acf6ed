/** Opens the address of a feed as a source of an import, with what the running system knows: its categories, its identity, where it may reach. */
import type { CategoryConfig, NetworkConfig } from '@newswire/events/config'
import { messageOf } from '@newswire/events/errors'
import { sha256Hex } from '@newswire/events/ids'
import { createOutbound } from '@newswire/outbound/create-outbound'
import type { Client } from '../client.ts'
import { warn } from '../finish.ts'
import type { Terminal } from '../terminal.ts'
import { UsageError } from '../usage-error.ts'
import { readFeedArticles, toShown } from './feed-source.ts'

type Known = Readonly<{
  site: { id: string } | null
  network: NetworkConfig
  categories: readonly CategoryConfig[]
}>

const NOTHING_KNOWN: Known = { site: null, network: { allow: [], allowHttp: false }, categories: [] }

/** The console has it; without one a feed can be imported all the same. */
const askConfiguration = async (terminal: Pick<Terminal, 'say'>, client: Client): Promise<Known> => {
  try {
    return (await client.console('GET', '/v1/config')) as Known
  } catch (error) {
    const [why] = messageOf(error).split('\n')
    warn(
      terminal,
      `the configuration is not known (${why}), so what the feed files under becomes tags, and only public https addresses are reached`,
    )
    return NOTHING_KNOWN
  }
}

/** A name for its journal that says which feed it was, without what may be a secret of its address. */
export const journalNameOf = (feedUrl: string): string => {
  const words = toShown(feedUrl)
    .replace(/^https?:\/\//, '')
    .replace(/[^A-Za-z0-9.]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
  return `${words.slice(0, 150)}-${sha256Hex(feedUrl).slice(0, 8)}.import.journal`
}

/** Throws `UsageError` for what is no address, or a category that is not configured. */
export const openFeedSource = async (terminal: Terminal, client: Client, feedUrl: string, everyCategory: readonly string[]) => {
  if (!URL.canParse(feedUrl)) throw new UsageError('the address of the feed cannot be read as one')
  const { site, network, categories } = await askConfiguration(terminal, client)
  const publisher = await client.whose()
  const known = new Map(categories.map(one => [one.id, one]))
  const unknown = everyCategory.filter(id => categories.length > 0 && !known.has(id))
  if (unknown.length > 0) throw new UsageError(`not in the configuration: ${unknown.join(', ')}; there are ${[...known.keys()].join(', ')}`)
  const outbound = createOutbound({ network: () => network })
  const passedOver: Record<string, number> = {}
  const articles = readFeedArticles(feedUrl, {
    outbound,
    into: { siteId: site?.id ?? null, publisher, categories: known, everyCategory },
    onPassedOver: kind => {
      passedOver[kind] = (passedOver[kind] ?? 0) + 1
    },
  })
  return { articles, passedOver, journal: journalNameOf(feedUrl), close: outbound.close }
}
