/** Outlets and facts for tests. */
import { type OutletConfig, outletConfig, type SiteConfig } from '@newswire/events/config'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { sampleArticle } from '@newswire/events/sample-article'
import type { DocumentContext } from './document-format.ts'
import type { OutletBy } from './parcel.ts'

export const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes ok!').toString('base64')}`

export const outletOf = (fields: Partial<Omit<OutletConfig, 'deliver'>> & { id: string; url?: string }): OutletBy<'webhook'> => {
  const { url = `http://${fields.id}/hook`, ...rest } = fields
  return outletConfig.parse({ deliver: { kind: 'webhook', url, secretEnv: 'PARTNER_SECRET' }, ...rest }) as OutletBy<'webhook'>
}

/** What documents are made with, of a site without categories. */
export const contextOf = (site: Pick<SiteConfig, 'id' | 'publicUrl'>): DocumentContext => ({
  site: { language: 'vi', ...site },
  categories: new Map(),
  publishers: new Map(),
})

type Fields = Readonly<{
  articleId: string
  version: number
  releasedAt?: string
  lane?: 'live' | 'backfill'
  facetsEver?: Fact['facetsEver']
}>

const common = ({ articleId, version, releasedAt = '2026-11-24T03:00:00.000Z', lane = 'live', facetsEver }: Fields) => ({
  articleId,
  publisher: articleId.slice(0, articleId.indexOf('.')),
  version,
  ...(version > 1 ? { supersedes: version - 1 } : {}),
  submissionId: `submission-${version}`,
  lane,
  firstReleasedAt: '2026-11-24T03:00:00.000Z',
  releasedAt,
  updatedAt: releasedAt,
  facetsEver: facetsEver ?? { categories: ['city'], languages: ['en'], publishers: ['press'], types: ['article'], public: true },
  aliases: [],
})

export const liveFact = ({ article, ...fields }: Fields & Readonly<{ article?: Partial<LiveFact['article']> }>): LiveFact => ({
  state: 'live',
  action: fields.version === 1 ? 'published' : 'updated',
  ...common(fields),
  article: sampleArticle({
    language: 'en',
    title: 'The bridge is open again',
    summary: 'Traffic flows since noon.',
    body: { html: `<p>Version ${fields.version}: the bridge opened at noon.</p>` },
    categories: ['city'],
    ...article,
  }),
})

export const killFact = (fields: Fields): Fact => ({
  state: 'retracted',
  action: 'retracted',
  ...common(fields),
  retraction: { mode: 'gone', reason: 'a name was wrong', legal: false },
})
