/** Facts and settings to try rendering with; what the tests of this service share. */
import type { CategoryConfig, FeedConfig, SiteConfig } from '@newswire/events/config'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { type FactChanges, type RetractionChanges, sampleFact, sampleRetraction } from '@newswire/events/sample-fact'
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

/** A live public fact; it is dated by its release unless `updatedAt` is given. */
export const makeFact = ({ article, ...changes }: FactChanges = {}): LiveFact =>
  sampleFact({
    articleId: 'baoqk.a-1',
    ...(changes.releasedAt === undefined ? {} : { updatedAt: changes.releasedAt }),
    ...changes,
    article: { summary: 'Tóm tắt của bài', body: { html: '<p>Nội dung của bài.</p>' }, ...article },
  })

export const makeRetraction = (changes: RetractionChanges = {}): Fact =>
  sampleRetraction({
    articleId: 'baoqk.a-1',
    ...(changes.releasedAt === undefined ? {} : { updatedAt: changes.releasedAt }),
    retraction: { reason: 'court order', legal: true },
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
