/** OpenSearch 1.1: lets browsers and other programs add our search to theirs. */
import type { SiteConfig } from '@newswire/events/config'
import { cleanLine, escapeMarkup } from '@newswire/events/text'
import { speak } from './language.ts'

/** Characters; so says the specification of both. */
const MAX_NAME = 16
const MAX_LONG_NAME = 48

const cut = (text: string, length: number): string => [...cleanLine(text)].slice(0, length).join('').trim()

export const toOpenSearch = ({ title, language, publicUrl }: SiteConfig): string => {
  const { words } = speak(language, language)
  const url = (type: string, path: string) => `  <Url type="${type}" template="${escapeMarkup(`${publicUrl}${path}?q=`)}{searchTerms}"/>`
  return `<?xml version="1.0" encoding="UTF-8"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">
  <ShortName>${escapeMarkup(cut(title, MAX_NAME))}</ShortName>
  <LongName>${escapeMarkup(cut(title, MAX_LONG_NAME))}</LongName>
  <Description>${escapeMarkup(cleanLine(`${words.search}: ${title}`).slice(0, 1024))}</Description>
${url('text/html', '/search')}
${url('application/rss+xml', '/search/rss.xml')}
${url('application/json', '/v1/search')}
  <Language>${escapeMarkup(language)}</Language>
  <InputEncoding>UTF-8</InputEncoding>
  <OutputEncoding>UTF-8</OutputEncoding>
</OpenSearchDescription>
`
}
