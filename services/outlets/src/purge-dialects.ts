/** How each cache wants to be told what to forget: pure. A row for each; what one request may name is the vendor's own limit. */
import type { DeliverBy } from '@newswire/events/deliver'
import type { OutboundRequest } from '@newswire/outbound/outbound'
import { MAX_ANSWER_BYTES } from './answers.ts'

type Purge = DeliverBy<'purge'>
type Names = readonly string[]
type Ask = (
  deliver: Purge,
  names: Names,
  token: string,
) => Pick<OutboundRequest, 'method' | 'url'> & { headers: Record<string, string>; body?: unknown }

type Dialect = Readonly<{
  /** How many keys, or addresses, one request may name; 0: it cannot be asked by these, and the configuration is refused. */
  most: Readonly<Record<Purge['by'], number>>
  ask: Ask
}>

const bearer = (token: string): Record<string, string> => (token === '' ? {} : { authorization: `Bearer ${token}` })

/** An address of ours, asked of the cache that stands before us under our own name. */
const toItself =
  (method: 'PURGE' | 'BAN'): Ask =>
  ({ url, by }, names, token) => {
    if (by === 'keys') return { method, url, headers: { ...bearer(token), 'xkey-purge': names.join(' ') } }
    const { host, pathname, search } = new URL(names[0] ?? '')
    return { method, url: `${new URL(url).origin}${pathname}${search}`, headers: { ...bearer(token), host } }
  }

const dialects: Record<Purge['dialect'], Dialect> = {
  /** `POST {"type":"cache.purge","keys":[…]}`, or `urls`. */
  generic: {
    most: { keys: 500, urls: 500 },
    ask: ({ url, by }, names, token) => ({ method: 'POST', url, headers: bearer(token), body: { type: 'cache.purge', [by]: names } }),
  },
  /** `POST /service/{id}/purge`: 256 surrogate keys a request. */
  fastly: {
    most: { keys: 256, urls: 0 },
    ask: ({ url }, names, token) => ({ method: 'POST', url, headers: { 'fastly-key': token }, body: { surrogate_keys: names } }),
  },
  /** `POST /zones/{id}/purge_cache`: 30 tags or files a request on every plan. */
  cloudflare: {
    most: { keys: 30, urls: 30 },
    ask: ({ url, by }, names, token) => ({
      method: 'POST',
      url,
      headers: bearer(token),
      body: { [by === 'keys' ? 'tags' : 'files']: names },
    }),
  },
  /** `PURGE` of an address, or of keys by vmod xkey. */
  varnish: { most: { keys: 50, urls: 1 }, ask: toItself('PURGE') },
  'varnish-ban': { most: { keys: 0, urls: 1 }, ask: toItself('BAN') },
}

/** The requests that make the cache forget all of `names`. */
export const toPurgeRequests = (deliver: Purge, names: Names, token: string): readonly OutboundRequest[] => {
  const { most, ask } = dialects[deliver.dialect]
  const step = Math.max(1, most[deliver.by])
  const requests: OutboundRequest[] = []
  for (let start = 0; start < names.length; start += step) {
    const { body, headers, ...asked } = ask(deliver, names.slice(start, start + step), token)
    const json = body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }
    const typed = body === undefined ? headers : { ...headers, 'content-type': 'application/json' }
    requests.push({ ...asked, ...json, headers: typed, maxBytes: MAX_ANSWER_BYTES, overflow: 'cut' })
  }
  return requests
}
