/** Facts to try things with; what tests and benches share. A test says only what it is about. */
import type { Article, Picture } from './article.ts'
import type { Fact, LiveFact } from './fact.ts'
import { sampleArticle } from './sample-article.ts'

type Retracted = Extract<Fact, { state: 'retracted' }>
/** `at`: of every time that is not given by itself. */
type Changes<T extends Fact> = Partial<Omit<T, 'state' | 'article' | 'retraction'>> & Readonly<{ at?: string }>

export type FactChanges = Changes<LiveFact> & Readonly<{ article?: Partial<Article> }>
export type RetractionChanges = Changes<Retracted> & Readonly<{ retraction?: Partial<Retracted['retraction']> }>

const common = ({ at = '2026-03-01T08:00:00.000Z', articleId = 'press.a', version = 1, ...given }: Changes<Fact>, article: Article) => {
  const publisher = articleId.slice(0, articleId.indexOf('.'))
  const { categories, language, type, audience } = article
  return {
    articleId,
    publisher,
    version,
    ...(version === 1 ? {} : { supersedes: version - 1 }),
    submissionId: '00000000-0000-7000-8000-000000000001',
    lane: 'live' as const,
    firstReleasedAt: at,
    releasedAt: at,
    updatedAt: at,
    facetsEver: { categories, languages: [language], publishers: [publisher], types: [type], public: audience === 'public' },
    aliases: [],
    ...given,
  }
}

/** A live fact; what it was ever filed under follows from its article. */
export const sampleFact = ({ article, ...changes }: FactChanges = {}): LiveFact => {
  const made = sampleArticle(article)
  return { ...common(changes, made), state: 'live', action: changes.action ?? 'published', article: made }
}

/** One that takes an article back. */
export const sampleRetraction = ({ retraction, ...changes }: RetractionChanges = {}): Retracted => ({
  ...common(changes, sampleArticle()),
  state: 'retracted',
  action: 'retracted',
  retraction: { mode: 'withdraw', reason: 'wrong names', legal: false, ...retraction },
})

/** A picture with two sizes of it. */
export const samplePicture = (changes: Partial<Picture> = {}): Picture => {
  const sha256 = changes.sha256 ?? 'a'.repeat(64)
  const rendition = (width: number, height: number, bytes: number) => ({
    preset: `w${width}`,
    key: `renditions/${sha256}/w${width}-r1.jpg`,
    type: 'image/jpeg',
    width,
    height,
    bytes,
  })
  return {
    url: `newswire:${sha256}`,
    role: 'lead',
    caption: '',
    alt: '',
    credit: '',
    state: 'ready',
    renditions: [rendition(640, 360, 40_000), rendition(1280, 720, 120_000)],
    ...changes,
    sha256,
  }
}
