/** Feeds in the form that `services/feeds` writes them, for the tests of this service. */
import type { FeedOutput } from '@newswire/events/feed'
import { escapeMarkup } from '@newswire/events/text'

const FRAMES: Readonly<Record<FeedOutput, Readonly<{ head: string; item: (text: string) => string; between: string; foot: string }>>> = {
  rss: {
    head: '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0">\n    <channel>\n        <title>Tin</title>',
    item: text => `\n        <item>\n            <title>${escapeMarkup(text)}</title>\n        </item>`,
    between: '',
    foot: '\n    </channel>\n</rss>\n',
  },
  atom: {
    head: '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n    <title>Tin</title>',
    item: text => `\n    <entry xml:lang="vi">\n        <title>${escapeMarkup(text)}</title>\n    </entry>`,
    between: '',
    foot: '\n</feed>\n',
  },
  json: {
    head: '{"version":"https://jsonfeed.org/version/1.1","title":"Tin","items":[\n',
    item: text => JSON.stringify({ id: text, content_text: text }),
    between: ',\n',
    foot: '\n]}\n',
  },
  sitemap: {
    head: '<?xml version="1.0" encoding="utf-8"?>\n<urlset>',
    item: text => `\n    <url>\n        <loc>${escapeMarkup(text)}</loc>\n    </url>`,
    between: '',
    foot: '\n</urlset>\n',
  },
}

/** A feed of these texts, in their order. */
export const sampleFeed = (output: FeedOutput, texts: readonly string[]): string => {
  const { head, item, between, foot } = FRAMES[output]
  return `${head}${texts.map(item).join(between)}${foot}`
}
