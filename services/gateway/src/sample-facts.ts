/** Facts and settings to try the gateway with; what its tests share. */
import type { Article, Picture } from '@newswire/events/article'
import type { CategoryConfig, SiteConfig } from '@newswire/events/config'
import { type NewswireEvent, toRecord } from '@newswire/events/events'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'
import { sampleArticle } from '@newswire/events/sample-article'
import type { NewRecord } from '@newswire/log/log'
import { type ArticleContext, usualRules } from './pages/article-context.ts'

export const site: SiteConfig = {
  id: 'news.example,2026',
  title: 'Tin & bài',
  language: 'vi',
  timeZone: 'Asia/Ho_Chi_Minh',
  publicUrl: 'https://news.example',
}

export const categories: ReadonlyMap<string, CategoryConfig> = new Map([
  ['news', { id: 'news', name: 'Tin tức' }],
  ['culture', { id: 'culture', name: 'Văn hóa <&>', parent: 'news' }],
])

export const makePicture = (sha256: string, changes: Partial<Picture> = {}): Picture => ({
  url: `newswire:${sha256}`,
  role: 'lead',
  caption: '',
  alt: '',
  credit: '',
  state: 'ready',
  sha256,
  renditions: [
    { preset: 'w640', key: `renditions/${sha256}/w640-r1.jpg`, type: 'image/jpeg', width: 640, height: 360, bytes: 4 },
    { preset: 'w1280', key: `renditions/${sha256}/w1280-r1.jpg`, type: 'image/jpeg', width: 1280, height: 720, bytes: 4 },
  ],
  ...changes,
})

type Common = Partial<Omit<LiveFact, 'article' | 'state' | 'action'>>

const common = (changes: Common, isPublic: boolean) => ({
  articleId: 'press.a',
  publisher: 'press',
  version: 1,
  submissionId: 's',
  lane: 'live' as const,
  firstReleasedAt: '2026-03-01T08:00:00.000Z',
  releasedAt: '2026-03-01T08:00:00.000Z',
  updatedAt: '2026-03-01T08:00:00.000Z',
  facetsEver: { categories: [], languages: ['vi'], publishers: ['press'], types: ['article'], public: isPublic },
  aliases: [],
  ...changes,
})

export const makeLive = (changes: Common & { article?: Partial<Article> } = {}): LiveFact => {
  const made = sampleArticle(changes.article)
  return { state: 'live', action: 'published', ...common(changes, made.audience === 'public'), article: made }
}

export const makeRetracted = (
  changes: Common = {},
  retraction: Partial<Extract<Fact, { state: 'retracted' }>['retraction']> = {},
): Fact => ({
  state: 'retracted',
  action: 'retracted',
  ...common(changes, true),
  retraction: { mode: 'withdraw', reason: 'wrong names', legal: false, ...retraction },
})

/** An article with nothing around it but what a test puts there. */
export const makeContext = (fact: LiveFact, changes: Partial<ArticleContext> = {}): ArticleContext => ({
  frame: { site, sections: [] },
  fact,
  categories,
  publisherName: 'Press',
  rules: usualRules,
  related: [],
  original: null,
  versions: [fact],
  ...changes,
})

/** The record of a fact, as the desk publishes it. */
export const toFactRecord = (fact: Fact): NewRecord =>
  toRecord({
    id: deriveId('fact', fact.articleId, fact.version),
    type: `article.${fact.action}`,
    source: '/services/desk',
    subject: fact.articleId,
    time: fact.releasedAt,
    data: fact,
  } as NewswireEvent)
