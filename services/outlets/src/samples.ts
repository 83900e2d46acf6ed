/** Outlets and facts for tests. */
import { type OutletConfig, outletConfig, type SiteConfig } from '@newswire/events/config'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { sampleFact, sampleRetraction } from '@newswire/events/sample-fact'
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

const common = ({ releasedAt, ...fields }: Fields) => ({
  submissionId: `submission-${fields.version}`,
  at: '2026-11-24T03:00:00.000Z',
  facetsEver: { categories: ['city'], languages: ['en'], publishers: ['press'], types: ['article'], public: true },
  ...(releasedAt === undefined ? {} : { releasedAt, updatedAt: releasedAt }),
  ...fields,
})

export const liveFact = ({ article, ...fields }: Fields & Readonly<{ article?: Partial<LiveFact['article']> }>): LiveFact =>
  sampleFact({
    ...common(fields),
    action: fields.version === 1 ? 'published' : 'updated',
    article: {
      language: 'en',
      title: 'The bridge is open again',
      summary: 'Traffic flows since noon.',
      body: { html: `<p>Version ${fields.version}: the bridge opened at noon.</p>` },
      categories: ['city'],
      ...article,
    },
  })

export const killFact = (fields: Fields): Fact =>
  sampleRetraction({ ...common(fields), retraction: { mode: 'gone', reason: 'a name was wrong' } })
