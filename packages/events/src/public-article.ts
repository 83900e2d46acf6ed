/** An article as the outside gets it: contract §4 with `id`, `version` and the addresses of its renditions. */
import type { Article, Picture, Rendition } from './article.ts'
import type { Fact, LiveFact } from './fact.ts'
import { relatedOf } from './references.ts'
import { escapeAttribute, escapeMarkup, unescapeAttribute } from './text.ts'

export type PublicRendition = Readonly<{ preset: string; url: string; type: string; width: number; height: number; bytes: number }>

/** A stored rendition's public address: the object's key is the path (contract §5). */
export const renditionUrl = (publicUrl: string, key: string): string => `${publicUrl}/${key}`

/** The whole picture at some width, and no crop of it (`picturesConfig` names them so). */
export const isWidth = ({ preset }: Pick<Rendition, 'preset'>): boolean => /^w\d/.test(preset)

/** The whole picture as JPEG, which every reader takes, narrowest first. */
export const jpegWidths = (picture: Picture): readonly Rendition[] =>
  picture.renditions.filter(one => one.type === 'image/jpeg' && isWidth(one)).sort((a, b) => a.width - b.width)

/** The crop of this shape as JPEG, wide enough to be shared; `null` when there is none. */
export const cropOf = (picture: Picture, shape: number, minWidth: number): Rendition | null =>
  picture.renditions.find(
    one => one.type === 'image/jpeg' && !isWidth(one) && one.width >= minWidth && Math.abs(one.width / one.height - shape) < 0.01,
  ) ?? null

/** The rendition that is nearest to `width` from above among JPEGs, else the widest; `null` when there is none. */
export const pickRendition = (picture: Picture, width: number): Rendition | null => {
  const jpegs = jpegWidths(picture)
  return jpegs.find(one => one.width >= width) ?? jpegs.at(-1) ?? picture.renditions[0] ?? null
}

/** The picture to show first: the one said to be `lead`, else the first that is ready. */
export const leadPicture = (article: Article): Picture | null => {
  const ready = article.images.filter(one => one.state === 'ready')
  return ready.find(one => one.role === 'lead') ?? ready[0] ?? null
}

/**
 * A picture's own address as others may see it: without name, password, query and fragment, which are where publishers' systems put what opens
 * it (presigned links). What cannot be read as an address has nothing of it shown.
 */
export const publicPictureUrl = (url: string): string => {
  if (url.startsWith('newswire:')) return url
  if (!URL.canParse(url)) return ''
  const { protocol, host, pathname } = new URL(url)
  return /^https?:$/.test(protocol) ? `${protocol}//${host}${pathname}` : ''
}

/** Whether anybody may have it: its right had not ended when its version was released. No clock decides. */
export const isInForce = ({ rights }: Picture, releasedAt: string): boolean => rights?.until === undefined || rights.until > releasedAt

/** For everybody: not a picture whose rights name certain outlets only, or had ended when its version was released. No clock decides. */
const isForAll = (picture: Picture, releasedAt: string): boolean =>
  (picture.rights === undefined || picture.rights.outlets.includes('*')) && isInForce(picture, releasedAt)

/** What every browser asks for, in whichever way the publisher wrote it; what is no address stays as it is. */
const toRequested = (url: string): string => {
  const parsed = URL.parse(url.normalize('NFC'))
  if (parsed === null) return url
  parsed.hash = ''
  return parsed.href
}

/**
 * The article without these of its pictures: its body neither shows them nor links to them, and has no frame around nothing. Clean HTML has no raw `>` in an
 * attribute.
 */
export const withoutPictures = (article: Article, left: readonly Picture[]): Article => {
  const addresses = new Set(left.map(({ url }) => toRequested(url)))
  const isLeft = (escaped: string) => addresses.has(toRequested(unescapeAttribute(escaped)))
  const html = article.body.html
    .replace(/<(?:img|a) [^>]*>/g, tag => {
      let isShown = true
      const rest = tag.replace(/ ([a-z]+)="([^"]*)"/g, (attribute: string, name: string, escaped: string) => {
        if ((name !== 'src' && name !== 'href') || !isLeft(escaped)) return attribute
        isShown &&= name !== 'src'
        return ''
      })
      return isShown ? rest : ''
    })
    .replace(/<figure>\s*<\/figure>/g, '')
  return { ...article, images: article.images.filter(one => !left.includes(one)), body: { html } }
}

/** Those of its pictures that everybody may see. */
export const picturesForAll = ({ article, releasedAt }: LiveFact): readonly Picture[] =>
  article.images.filter(one => isForAll(one, releasedAt))

/** The fact with those pictures only that everybody may see: what feeds and pages show. An outlet has rights of its own (webhooks). */
export const toFactForAll = (fact: LiveFact): LiveFact => {
  const shown = picturesForAll(fact)
  const left = fact.article.images.filter(one => !shown.includes(one))
  return left.length === 0 ? fact : { ...fact, article: withoutPictures(fact.article, left) }
}

/**
 * The body of a webhook's or a page's `article`: every field of contract §4, pictures with absolute rendition addresses. `addressOf`: of a stored
 * rendition (default: its public one).
 */
export const toPublicArticle = (fact: LiveFact, publicUrl: string, addressOf = (key: string) => renditionUrl(publicUrl, key)) => {
  const { images, ...rest } = fact.article
  return {
    id: fact.articleId,
    version: fact.version,
    ...(fact.supersedes === undefined ? {} : { supersedes: fact.supersedes }),
    ...rest,
    related: relatedOf(fact),
    firstReleasedAt: fact.firstReleasedAt,
    releasedAt: fact.releasedAt,
    images: images
      .filter(one => one.state === 'ready')
      .map(
        ({
          url,
          role,
          caption,
          alt,
          credit,
          focus,
          copyright,
          usageTerms,
          digitalSourceType,
          dataMining,
          sha256,
          preview,
          renditions,
        }) => ({
          url: publicPictureUrl(url),
          role,
          caption,
          alt,
          credit,
          ...(focus ? { focus } : {}),
          ...(copyright ? { copyright } : {}),
          ...(usageTerms ? { usageTerms } : {}),
          ...(digitalSourceType ? { digitalSourceType } : {}),
          ...(dataMining ? { dataMining } : {}),
          ...(sha256 ? { sha256 } : {}),
          ...(preview ? { preview } : {}),
          renditions: renditions.map(({ key, ...one }): PublicRendition => ({ ...one, url: addressOf(key) })),
        }),
      ),
  }
}

/** The public address of an article's page. */
export const articleUrl = (publicUrl: string, articleId: string): string => `${publicUrl}/articles/${articleId}`

/** How wide readers show an article's text, as far as that can be said of all of them. */
const FIGURE_SIZES = '(min-width: 50em) 45em, 100vw'

/** One picture with its caption and credit, as HTML. Empty when the picture is not ready. */
const toFigure = (picture: Picture, publicUrl: string, width = 1280): string => {
  const shown = picture.state === 'ready' ? pickRendition(picture, width) : null
  if (shown === null) return ''
  const words = [picture.caption, picture.credit].filter(text => text !== '').map(escapeMarkup)
  const caption = words.length === 0 ? '' : `<figcaption>${words.join(' — ')}</figcaption>`
  const alt = escapeMarkup(picture.alt || picture.caption)
  const address = ({ key }: Rendition) => escapeMarkup(renditionUrl(publicUrl, key))
  const widths = jpegWidths(picture)
  const choice =
    widths.length < 2 ? '' : ` srcset="${widths.map(one => `${address(one)} ${one.width}w`).join(', ')}" sizes="${FIGURE_SIZES}"`
  return `<figure><img src="${address(shown)}"${choice} alt="${alt}" width="${shown.width}" height="${shown.height}" />${caption}</figure>`
}

/** A block of clean HTML that is one picture and nothing else but words about it: the article's page has the same rule. */
const LONE_PICTURE = /<(p|figure)>\s*<img\b([^>]*)>\s*(<figcaption>(?:(?!<\/?fig|<img).)*<\/figcaption>\s*)?<\/\1>/gs

/**
 * The whole content as HTML: the lead picture, the body, the other pictures in order. One that stands in the body as well is shown once, at our sizes:
 * there, or as the lead. The publisher's words about a picture that has no caption are never lost.
 */
export const toContentHtml = (article: Article, publicUrl: string): string => {
  const lead = leadPicture(article)
  const placed = new Set<Picture | null>([lead])
  const ready = article.images.filter(one => one.state === 'ready')
  const body = article.body.html.replace(LONE_PICTURE, (block, _tag, attributes: string, words?: string) => {
    const picture = ready.find(({ url }) => attributes.includes(`src="${escapeAttribute(url)}"`))
    if (picture === undefined || (words !== undefined && picture.caption === '')) return block
    if (placed.has(picture)) return ''
    placed.add(picture)
    return toFigure(picture, publicUrl)
  })
  const others = article.images.filter(one => !placed.has(one))
  return [lead ? toFigure(lead, publicUrl) : '', body, ...others.map(one => toFigure(one, publicUrl))]
    .filter(part => part !== '')
    .join('\n')
}

/** What readers are told in place of an article that was taken back. */
export const noticeOf = (fact: Fact, language: string): string => {
  if ((fact.state === 'retracted' || fact.state === 'expired') && fact.retraction.notice) return fact.retraction.notice
  return language.toLowerCase().startsWith('vi') ? 'Bài viết này đã được gỡ bỏ.' : 'This article has been withdrawn.'
}
