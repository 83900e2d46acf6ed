/** Facts and settings to try the gateway with; what its tests share. */
import type { Picture } from '@newswire/events/article'
import type { CategoryConfig, SiteConfig } from '@newswire/events/config'
import { type NewswireEvent, toRecord } from '@newswire/events/events'
import type { Fact, LiveFact } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'
import { type RetractionChanges, sampleFact, samplePicture, sampleRetraction } from '@newswire/events/sample-fact'
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

/** Its renditions are as large as the files that tests put in their place. */
export const makePicture = (sha256: string, changes: Partial<Picture> = {}): Picture => {
  const { renditions, ...made } = samplePicture({ sha256 })
  return { ...made, renditions: renditions.map(one => ({ ...one, bytes: 4 })), ...changes }
}

export const makeLive = sampleFact
export const makeRetracted = (changes: RetractionChanges = {}, retraction: RetractionChanges['retraction'] = {}): Fact =>
  sampleRetraction({ ...changes, retraction })

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
