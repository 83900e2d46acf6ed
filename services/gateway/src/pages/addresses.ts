/** Addresses on our pages: below the path of the site's public address, so that a gateway behind a prefix works, on whatever host it is asked. */
import type { SiteConfig } from '@newswire/events/config'

/** `path` begins with a slash. For links, pictures and styles; what leaves the page (canonical, JSON-LD, feeds) takes `publicUrl` whole. */
export const toLink = ({ publicUrl }: SiteConfig, path: string): string => `${new URL(publicUrl).pathname.replace(/\/+$/, '')}${path}`

/** As a header or link can carry it (a `Location` is ASCII, RFC 9110 §10.2.2); `null` for what is no address of the web. */
export const toWebAddress = (text: string | undefined): string | null => {
  if (text === undefined || !URL.canParse(text)) return null
  const url = new URL(text)
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null
}
