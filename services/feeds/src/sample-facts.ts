/** Facts and settings to try rendering with; what the tests of this service share. */
import type { Article, Picture } from '@newswire/events/article'
import type { CategoryConfig, FeedConfig, SiteConfig } from '@newswire/events/config'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { sampleArticle } from '@newswire/events/sample-article'
import type { Profile } from './item.ts'

export const site: SiteConfig = {
  id: 'news.example,2026',
  title: 'Báo mới',
  language: 'vi',
  timeZone: 'Asia/Ho_Chi_Minh',
  publicUrl: 'https://news.example',
}

export const categories: ReadonlyMap<string, CategoryConfig> = new Map([
  ['thoi-su', { id: 'thoi-su', name: 'Thời sự' }],
  ['quoc-phong', { id: 'quoc-phong', name: 'Quốc phòng & an ninh', parent: 'thoi-su' }],
  ['van-hoa', { id: 'van-hoa', name: 'Văn hóa' }],
  ['doi-song', { id: 'doi-song', name: 'Đời sống – đất và người' }],
])

export const makeProfile = (changes: Partial<Profile> = {}): Profile => ({
  key: 'full',
  site,
  categories,
  publishers: new Map([['baoqk', { name: 'Báo Quân khu', pages: { canonical: 'source', index: true } }]]),
  content: 'full',
  rules: 'standard',
  language: 'vi',
  ...changes,
})

export const makePicture = (changes: Partial<Picture> & { sha256?: string } = {}): Picture => {
  const sha256 = changes.sha256 ?? 'a'.repeat(64)
  return {
    url: `newswire:${sha256}`,
    role: 'lead',
    caption: '',
    alt: '',
    credit: '',
    state: 'ready',
    renditions: [
      { preset: 'w640', key: `renditions/${sha256}/w640-r1.jpg`, type: 'image/jpeg', width: 640, height: 360, bytes: 40_000 },
      { preset: 'w1280', key: `renditions/${sha256}/w1280-r1.jpg`, type: 'image/jpeg', width: 1280, height: 720, bytes: 120_000 },
    ],
    ...changes,
    sha256,
  }
}

const article: Article = sampleArticle({ summary: 'Tóm tắt của bài', body: { html: '<p>Nội dung của bài.</p>' } })

type Changes<T extends Fact> = Partial<Omit<T, 'article'>>

const common = (changes: Partial<Fact>, facets: Partial<Fact['facetsEver']>) => ({
  articleId: 'baoqk.a-1',
  publisher: 'baoqk',
  version: 1,
  submissionId: '00000000-0000-7000-8000-000000000001',
  lane: 'live' as const,
  firstReleasedAt: '2026-03-01T08:00:00.000Z',
  releasedAt: '2026-03-01T08:00:00.000Z',
  updatedAt: changes.releasedAt ?? '2026-03-01T08:00:00.000Z',
  facetsEver: { categories: [], languages: ['vi'], publishers: ['baoqk'], types: ['article'], public: true, ...facets },
  aliases: [],
})

/** A live public fact; `facetsEver` follows from the article unless it is given. */
export const makeFact = ({ article: changed, ...changes }: Changes<LiveFact> & { article?: Partial<Article> } = {}): LiveFact => {
  const made = { ...article, ...changed }
  const facets = { categories: made.categories, languages: [made.language], types: [made.type], public: made.audience === 'public' }
  return { state: 'live', action: 'published', ...common(changes, facets), ...changes, article: made }
}

export const makeRetraction = (changes: Changes<Extract<Fact, { state: 'retracted' }>> = {}): Fact => ({
  state: 'retracted',
  action: 'retracted',
  ...common(changes, {}),
  retraction: { mode: 'withdraw', reason: 'court order', legal: true },
  ...changes,
})

export const feedOf = (changes: Partial<FeedConfig> = {}): FeedConfig => ({
  id: 'all',
  title: 'All',
  description: '',
  match: {},
  limit: 3,
  content: 'full',
  profile: 'standard',
  ...changes,
})
