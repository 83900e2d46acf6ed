/**
 * Every way out of Newswire that somebody without rights can look at, as one table: what must not show an article is asked of all of it. A new
 * exit is one more line here, and every leak test asks it.
 */
import type { TestArticle } from './articles.ts'
import { articleIdOf, formats, type Running } from './system.ts'

/** An article that must not be known, and what would give it away. */
export type Secret = Readonly<{
  localId: string
  /** Words that are in nothing else. */
  words: readonly string[]
  /** Addresses of its renditions, which nothing public uses: they cannot be guessed, so the store is asked for them (`stopped.ts`). */
  renditions: readonly string[]
  /** Of nothing that is out: its own addresses then answer as if it had never been. `false` for the update of something public. */
  isNew: boolean
}>

type Answered = Readonly<{ status: number; text: string }>
type Exit = Readonly<{
  name: string
  /** Addresses of the gateway. */
  paths: (secret: Secret, known: Readonly<{ feeds: readonly string[]; days: readonly string[] }>) => string[]
  headers?: Readonly<Record<string, string>>
  /** It is about the article itself: for a new one only 404 is right, a 410 would confirm that it exists. */
  isOwn?: true
  /** It says again what was asked for: only an answer that names the article shows it. */
  echoes?: true
}>

/** By the beginning of its words, and by a whole one of its text (`toSecret`). */
const searchesFor = (path: string, words: readonly string[]): string[] =>
  words.slice(0, 2).flatMap(word => ['', 'thân'].map(end => `${path}?q=${encodeURIComponent(word + end)}`))

const files = [...formats, 'news-sitemap.xml'] as const
const pageFiles = ['rss.xml', 'atom.xml', 'json'] as const

const exits: readonly Exit[] = [
  { name: 'feed', paths: (_, { feeds }) => feeds.flatMap(feed => files.map(file => `/feeds/${feed}/${file}`)) },
  {
    name: 'feed as a delta',
    paths: (_, { feeds }) => feeds.flatMap(feed => formats.map(file => `/feeds/${feed}/${file}`)),
    headers: { 'a-im': 'feed', 'if-none-match': '"0"' },
  },
  {
    name: 'page of a feed',
    paths: (_, { feeds, days }) =>
      feeds.flatMap(feed => days.flatMap(day => pageFiles.flatMap(file => ['', '-2'].map(k => `/feeds/${feed}/pages/${day}${k}.${file}`)))),
  },
  { name: 'list of feeds', paths: () => ['/feeds', '/opml.xml', '/robots.txt'] },
  { name: 'front page', paths: () => ['/', '/?page=2', '/?category=thoi-su'] },
  { name: 'article page', paths: ({ localId }) => [`/articles/${articleIdOf(localId)}`], isOwn: true },
  { name: 'print view', paths: ({ localId }) => [`/articles/${articleIdOf(localId)}/print`], isOwn: true },
  { name: 'article.json', paths: ({ localId }) => [`/articles/${articleIdOf(localId)}/article.json`], isOwn: true },
  { name: 'ninjs.json', paths: ({ localId }) => [`/articles/${articleIdOf(localId)}/ninjs.json`], isOwn: true },
  {
    name: 'article page for a program',
    paths: ({ localId }) => [`/articles/${articleIdOf(localId)}`],
    headers: { accept: 'application/json' },
    isOwn: true,
  },
  { name: 'rendition', paths: ({ renditions }) => [...renditions], isOwn: true },
  { name: 'search', paths: ({ words }) => searchesFor('/search', words), echoes: true },
  { name: 'search for a program', paths: ({ words }) => searchesFor('/v1/search', words), echoes: true },
  { name: 'search as a feed', paths: ({ words }) => searchesFor('/search/rss.xml', words), echoes: true },
  {
    name: 'list of the archive',
    paths: () => ['/search', '/v1/search', '/search/rss.xml'].map(path => `${path}?category=thoi-su&sort=time`),
  },
]

/** Words that give an article away wherever they are; each is given a part that nothing else has. */
export const toSecret = (article: TestArticle, mark: string): TestArticle => ({
  ...article,
  title: `${article.title} ${mark}đề`,
  summary: `${article.summary} ${mark}tóm`,
  byline: `${article.byline} ${mark}bút`,
  body: { html: `<p>${mark}thân</p>${'html' in article.body ? article.body.html : ''}` },
  tags: [`${mark}thẻ`],
  slug: `${mark}-slug`,
  storyId: `${mark}story`,
  source: `${mark}nguồn`,
})

/** What of the answers shows the secret; each as a sentence. An exit that is not there yet answers 404, which shows nothing. */
export const findLeaks = async (running: Running, secret: Secret, feeds: readonly string[]): Promise<string[]> => {
  const gateway = running.newswire.url('gateway')
  const read = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answered> => {
    const response = await fetch(new URL(path, gateway), { redirect: 'manual', headers, signal: AbortSignal.timeout(60_000) })
    return { status: response.status, text: `${response.headers.get('location') ?? ''}\n${await response.text()}` }
  }
  const day = (shift: number) => new Date(Date.now() + shift * 86_400_000).toISOString().slice(0, 10)
  const known = { feeds, days: [day(-1), day(0), day(1)] }
  const marks = secret.isNew ? [...secret.words, articleIdOf(secret.localId)] : secret.words
  const looked = exits.flatMap(({ name, paths, headers, isOwn = false, echoes = false }) =>
    paths(secret, known).map(async path => {
      const { status, text } = await read(path, headers)
      const shown = status === 404 ? [] : marks.filter(mark => text.includes(mark))
      const told = echoes && !text.includes(articleIdOf(secret.localId)) ? [] : shown
      const answers = isOwn && (secret.isNew || name === 'rendition') && status !== 404 ? [`${name} ${path} answers ${status}`] : []
      return [...answers, ...told.map(mark => `${name} ${path} shows ${mark}`)]
    }),
  )
  return (await Promise.all(looked)).flat()
}

/** What the front door and the console tell to those who may not know: another publisher, a token without the scope, nobody at all. */
export const findLeaksToStrangers = async (
  running: Running,
  secret: Secret,
  { submissionIds, strangers }: Readonly<{ submissionIds: readonly string[]; strangers: readonly (string | null)[] }>,
): Promise<string[]> => {
  const { localId, words } = secret
  const paths = [
    `/v1/articles/${localId}`,
    `/v1/articles/${articleIdOf(localId)}`,
    `/v1/articles/${localId}/trace`,
    ...submissionIds.map(id => `/v1/submissions/${id}`),
  ]
  const ask = async (base: string, path: string, token: string | null): Promise<string[]> => {
    const headers = token === null ? {} : { authorization: `Bearer ${token}` }
    const response = await fetch(new URL(path, base), { headers, signal: AbortSignal.timeout(60_000) })
    const text = await response.text()
    const isRefused = [401, 403, 404].includes(response.status)
    const shown = words.filter(word => text.includes(word)).map(word => `${path} shows ${word}`)
    return isRefused ? shown : [`${path} answers ${response.status} to a stranger`, ...shown]
  }
  const ingest = strangers.flatMap(token => paths.map(path => ask(running.newswire.url('ingest'), path, token)))
  const consolePaths = ['/v1/overview', '/v1/articles', `/v1/articles/${articleIdOf(localId)}/trace`, '/v1/dead-letters', '/v1/lag']
  const console = consolePaths.map(path => ask(running.newswire.url('console'), path, null))
  return (await Promise.all([...ingest, ...console])).flat()
}

/** The numbers that monitoring collects, which operators of other systems read. */
export const readMetrics = async (running: Running, token: string): Promise<string> => {
  const url = new URL('/metrics', running.newswire.url('console'))
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(60_000) })
  if (response.status !== 200) throw new Error(`/metrics answers ${response.status}`)
  return await response.text()
}
