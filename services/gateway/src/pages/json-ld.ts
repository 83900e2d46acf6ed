/** schema.org NewsArticle as JSON-LD, for search engines and whoever else reads pages by machine. */
import type { Picture } from '@newswire/events/article'
import { type SiteConfig, withAncestors } from '@newswire/events/config'
import type { LiveFact } from '@newswire/events/fact'
import { toTagUri } from '@newswire/events/ids'
import { articleUrl, cropOf, leadPicture, pickRendition, renditionUrl } from '@newswire/events/public-article'
import { toWebAddress } from './addresses.ts'
import type { ArticleContext } from './article-context.ts'

/** What aggregators ask for at least. */
export const SHARED_WIDTH = 1200
/** Shapes that search engines ask for beside the picture itself (Google, Article structured data), and the width below which they are of no use. */
const CROPS = [16 / 9, 1]
const MIN_CROP_WIDTH = 600

const toImage = (picture: Picture, publicUrl: string) => {
  const whole = picture.state === 'ready' ? pickRendition(picture, SHARED_WIDTH) : null
  if (whole === null) return []
  const crops = CROPS.flatMap(shape => cropOf(picture, shape, MIN_CROP_WIDTH) ?? [])
  return [whole, ...crops].map(({ key, width, height }) => ({
    '@type': 'ImageObject',
    url: renditionUrl(publicUrl, key),
    width,
    height,
    ...(picture.caption === '' ? {} : { caption: picture.caption }),
    ...(picture.credit === '' ? {} : { creditText: picture.credit }),
    ...(picture.copyright ? { copyrightNotice: picture.copyright } : {}),
  }))
}

/** Names of the sections with their parents, once each. */
export const sectionsOf = (fact: LiveFact, categories: ArticleContext['categories']): readonly string[] => [
  ...new Set(fact.article.categories.flatMap(id => withAncestors(id, categories)).map(id => categories.get(id)?.name ?? id)),
]

/** A correction is dated only when this version is it: its note may be carried on. */
const toCorrection = ({ article, updatedAt }: LiveFact) => ({
  '@type': 'CorrectionComment',
  text: article.correction?.note ?? '',
  ...(article.change === 'correction' ? { datePublished: updatedAt } : {}),
})

/** `<` is escaped, so no text can end the element it stands in. */
export const toJsonLd = ({ frame: { site }, fact, categories, publisherName, original }: ArticleContext): string => {
  const { article } = fact
  const own = articleUrl(site.publicUrl, fact.articleId)
  const lead = leadPicture(article)
  // Search engines show the first.
  const pictures = lead === null ? [] : [lead, ...article.images.filter(one => one !== lead)]
  const images = pictures.flatMap(picture => toImage(picture, site.publicUrl))
  const sections = sectionsOf(fact, categories)
  const publisher = { '@type': 'Organization', name: site.title, url: `${site.publicUrl}/` }
  const elsewhere = toWebAddress(article.canonicalUrl)
  const data = {
    '@context': 'https://schema.org',
    '@type': 'NewsArticle',
    '@id': toTagUri(site.id, fact.articleId),
    headline: article.title,
    ...(article.summary === '' ? {} : { description: article.summary }),
    inLanguage: article.language,
    datePublished: article.publishedAt ?? fact.firstReleasedAt,
    dateModified: fact.updatedAt,
    url: own,
    mainEntityOfPage: { '@type': 'WebPage', '@id': own },
    isAccessibleForFree: true,
    author: article.byline === '' ? { '@type': 'Organization', name: publisherName } : [{ '@type': 'Person', name: article.byline }],
    publisher,
    sourceOrganization: { '@type': 'Organization', name: article.source || publisherName },
    ...(article.dateline === '' ? {} : { dateline: article.dateline }),
    ...(elsewhere === null ? {} : { isBasedOn: elsewhere }),
    ...(images.length === 0 ? {} : { image: images }),
    ...(sections.length === 0 ? {} : { articleSection: sections }),
    ...(article.tags.length === 0 ? {} : { keywords: article.tags }),
    ...(original === null ? {} : { translationOfWork: { '@type': 'NewsArticle', '@id': toTagUri(site.id, original.articleId) } }),
    ...(article.correction ? { correction: toCorrection(fact) } : {}),
    ...(article.rights && article.rights.copyright !== '' ? { copyrightNotice: article.rights.copyright } : {}),
    version: fact.version,
  }
  return JSON.stringify(data).replaceAll('<', '\\u003c')
}

/** The site for search engines, with where it can be searched (schema.org SearchAction). */
export const toSiteJsonLd = ({ title, language, publicUrl }: SiteConfig): string =>
  JSON.stringify({
    '@context': 'https://schema.org',
    '@type': 'WebSite',
    name: title,
    url: `${publicUrl}/`,
    inLanguage: language,
    potentialAction: {
      '@type': 'SearchAction',
      target: { '@type': 'EntryPoint', urlTemplate: `${publicUrl}/search?q={search_term_string}` },
      'query-input': 'required name=search_term_string',
    },
  }).replaceAll('<', '\\u003c')
