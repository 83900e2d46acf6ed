/** What an article page says to machines in its head: where it belongs, who may keep it, how it looks when it is shared. */
import { articleUrl, cropOf, leadPicture, pickRendition, renditionUrl } from '@newswire/events/public-article'
import { escapeMarkup } from '@newswire/events/text'
import { toLink } from './addresses.ts'
import { type ArticleContext, canonicalOf } from './article-context.ts'
import { SHARED_WIDTH, sectionsOf, toJsonLd } from './json-ld.ts'
import { toOgLocale } from './language.ts'

const meta = (name: string, content: string | null | undefined) =>
  content === null || content === undefined || content === '' ? '' : `<meta name="${name}" content="${escapeMarkup(content)}">`
const property = (name: string, content: string | null | undefined) =>
  content === null || content === undefined || content === '' ? '' : `<meta property="${name}" content="${escapeMarkup(content)}">`
const lines = (parts: readonly string[]): string => parts.filter(part => part !== '').join('\n')

/** What the pages of this article say to search engines, in page and header alike. */
export const robotsOf = ({ rules }: Pick<ArticleContext, 'rules'>): string => (rules.index ? 'max-image-preview:large' : 'noindex')

/** Only a page that is its own canonical may name its translations, or search engines ignore it (and so do we). */
const alternates = (context: ArticleContext): string => {
  const { frame, fact, versions } = context
  if (versions.length < 2 || canonicalOf(context) !== articleUrl(frame.site.publicUrl, fact.articleId)) return ''
  return versions
    .map(
      one =>
        `<link rel="alternate" hreflang="${escapeMarkup(one.article.language)}" href="${escapeMarkup(articleUrl(frame.site.publicUrl, one.articleId))}">`,
    )
    .join('\n')
}

/** What social networks cut to anyway (1200 × 630): cut by us, what matters stays in it. Narrower than this they show a stamp beside the text. */
const SHARED_SHAPE = 1200 / 630
const SHARED_MIN_WIDTH = 600

const sharing = ({ frame: { site }, fact, categories }: ArticleContext): string => {
  const { article } = fact
  const lead = leadPicture(article)
  const shown = lead === null ? null : (cropOf(lead, SHARED_SHAPE, SHARED_MIN_WIDTH) ?? pickRendition(lead, SHARED_WIDTH))
  return lines([
    property('og:type', 'article'),
    property('og:site_name', site.title),
    property('og:title', article.title),
    property('og:description', article.summary),
    property('og:url', articleUrl(site.publicUrl, fact.articleId)),
    property('og:locale', toOgLocale(article.language)),
    ...(shown === null
      ? []
      : [
          property('og:image', renditionUrl(site.publicUrl, shown.key)),
          property('og:image:type', shown.type),
          property('og:image:width', String(shown.width)),
          property('og:image:height', String(shown.height)),
          property('og:image:alt', lead?.alt || lead?.caption),
        ]),
    property('article:published_time', article.publishedAt ?? fact.firstReleasedAt),
    property('article:modified_time', fact.updatedAt),
    property('article:section', sectionsOf(fact, categories)[0]),
    ...article.tags.map(tag => property('article:tag', tag)),
    meta('twitter:card', shown === null ? 'summary' : 'summary_large_image'),
  ])
}

export const articleHead = (context: ArticleContext): string => {
  const { frame, fact } = context
  const path = `/articles/${fact.articleId}`
  return lines([
    meta('description', fact.article.summary),
    meta('author', fact.article.byline),
    meta('robots', robotsOf(context)),
    `<link rel="canonical" href="${escapeMarkup(canonicalOf(context))}">`,
    alternates(context),
    `<link rel="alternate" type="application/json" href="${escapeMarkup(toLink(frame.site, `${path}/article.json`))}">`,
    sharing(context),
    `<script type="application/ld+json">${toJsonLd(context)}</script>`,
  ])
}

/** A print view is the same again: search engines keep the page. */
export const printHead = (context: ArticleContext): string =>
  lines([`<link rel="canonical" href="${escapeMarkup(canonicalOf(context))}">`, meta('robots', 'noindex')])
