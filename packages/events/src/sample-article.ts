/** An article to try things with; what tests and benches share. */
import type { Article } from './article.ts'

/** A released article with no more than it must have, in Vietnamese; a test says only what it is about. */
export const sampleArticle = (changes: Partial<Article> = {}): Article => ({
  type: 'article',
  language: 'vi',
  title: 'Tin mới',
  summary: '',
  body: { html: '<p>Nội dung.</p>' },
  byline: '',
  dateline: '',
  source: '',
  categories: [],
  tags: [],
  urgency: 4,
  expiryMode: 'gone',
  images: [],
  change: 'major',
  audience: 'public',
  related: [],
  ...changes,
})
