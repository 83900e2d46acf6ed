/** The article page, its print view, and what stands there after a retraction. */
import type { Picture } from '@newswire/events/article'
import { type Fact, isLive } from '@newswire/events/fact'
import { leadPicture, noticeOf } from '@newswire/events/public-article'
import { escapeMarkup } from '@newswire/events/text'
import { toLink, toWebAddress } from './addresses.ts'
import { type ArticleContext, canonicalOf } from './article-context.ts'
import { articleHead, printHead } from './article-head.ts'
import { placeFigures, toBlocks } from './body.ts'
import { type Frame, toCategoryLink, toDocument } from './document.ts'
import { langAttributes, type Speech, speak, toLanguageName } from './language.ts'
import { toTitleRow } from './lists.ts'
import { toNoticePage } from './notice-page.ts'
import { type Showing, toFigure } from './pictures.ts'
import { toQrCode } from './qr.ts'
import { toTime } from './times.ts'

type For = 'screen' | 'paper'

const speechOf = ({ frame, fact }: ArticleContext): Speech => speak(fact.article.language, frame.site.language)
const join = (parts: readonly string[], by: string): string => parts.filter(part => part !== '').join(by)
const paragraph = (className: string, html: string): string => (html === '' ? '' : `<p class="${className}">${html}</p>`)

/** What it is filed under, as links; the words of the site, so in the site's language. */
const kicker = ({ frame, fact, categories }: ArticleContext): string => {
  const { article } = fact
  const speech = speak(article.language, frame.site.language)
  const badge = article.type === 'article' ? '' : `<span class="badge">${speech.say(article.type)}</span>`
  const mark = langAttributes(frame.site.language, article.language)
  const links = article.categories.map(id => {
    const name = categories.get(id)?.name
    return name === undefined
      ? escapeMarkup(id)
      : `<a href="${escapeMarkup(toCategoryLink(frame.site, id))}"${mark}>${escapeMarkup(name)}</a>`
  })
  return paragraph('kicker', join([badge, ...links], ' · '))
}

const times = ({ frame: { site }, fact }: ArticleContext, speech: Speech): string => {
  const { language, publishedAt } = fact.article
  const time = (at: string) => toTime(at, { site, language, form: 'full' })
  return join(
    [
      `${speech.say('published')} ${time(publishedAt ?? fact.firstReleasedAt)}`,
      fact.updatedAt === fact.firstReleasedAt ? '' : `${speech.say('updated')} ${time(fact.updatedAt)}`,
    ],
    '<br>',
  )
}

const byline = ({ fact: { article } }: ArticleContext): string =>
  join([article.byline === '' ? '' : `<b>${escapeMarkup(article.byline)}</b>`, escapeMarkup(article.dateline)], ' · ')

const correction = ({ fact: { article } }: ArticleContext, speech: Speech): string =>
  article.correction
    ? `<div class="note" role="note"><p class="correction"><strong>${speech.say('correction')}:</strong> ${escapeMarkup(article.correction.note)}</p></div>`
    : ''

/** Text column; the lead picture may be wider. */
const TEXT_SIZES = '(min-width: 44rem) 41rem, 92vw'
const LEAD_SIZES = '(min-width: 58rem) 52rem, 92vw'
const GALLERY_SIZES = '(min-width: 44rem) 20rem, 92vw'

/** Lead picture, text with the other pictures spread over it, and what did not fit. */
const content = (context: ArticleContext, speech: Speech, output: For): string => {
  const { frame, fact } = context
  const { article } = fact
  const loading: Showing['loading'] = output === 'paper' ? 'now' : 'lazy'
  const figure = (picture: Picture, showing: Partial<Showing>, className = '') =>
    toFigure(picture, { site: frame.site, sizes: TEXT_SIZES, width: 960, loading, ...showing }, className)
  const figures = (pictures: readonly Picture[], sizes: string) => pictures.map(one => figure(one, { sizes })).filter(one => one !== '')

  const lead = leadPicture(article)
  const placed = new Set<Picture>()
  /** Where the publisher's text shows one of the article's pictures, ours stands, once; its words are never lost. */
  const replacePicture = (src: string, hasWords: boolean): string | null => {
    const picture = article.images.find(one => one.url === src && one.state === 'ready')
    if (picture === undefined || (hasWords && picture.caption === '')) return null
    if (picture === lead || placed.has(picture)) return ''
    placed.add(picture)
    return figure(picture, {})
  }
  const blocks = toBlocks(article.body.html, { tableName: speech.words.table, replacePicture }) ?? [
    `<p class="note">${speech.say('unshowable')}</p>`,
  ]
  const others = article.images.filter(one => one !== lead && !placed.has(one))
  const inline = others.filter(one => one.role !== 'gallery')
  const { body, rest } = placeFigures(blocks, figures(inline, TEXT_SIZES))
  const gallery = figures(
    others.filter(one => one.role === 'gallery'),
    GALLERY_SIZES,
  )
  return join(
    [
      lead === null ? '' : figure(lead, { sizes: LEAD_SIZES, width: 1280, loading: output === 'paper' ? 'now' : 'first' }, 'wide'),
      `<div class="body">\n${body}\n</div>`,
      ...rest,
      gallery.length === 0 ? '' : `<div class="gallery wide">\n${gallery.join('\n')}\n</div>`,
    ],
    '\n',
  )
}

/** Who it is from, whose it is, what it is about. */
const about = (context: ArticleContext, speech: Speech, output: For): string => {
  const { frame, fact, publisherName } = context
  const { article } = fact
  const labelled = (word: Parameters<Speech['say']>[0], html: string) => (html === '' ? '' : `${speech.say(word)}: ${html}`)
  const elsewhere = toWebAddress(article.canonicalUrl)
  const name = escapeMarkup(article.source || (elsewhere === null ? '' : publisherName))
  const source = elsewhere === null || name === '' ? name : `<a href="${escapeMarkup(elsewhere)}" rel="external">${name}</a>`
  const rights = article.rights ? join([escapeMarkup(article.rights.copyright), escapeMarkup(article.rights.usageTerms)], ' · ') : ''
  const ai = article.aiUse === undefined || article.aiUse === 'none' ? '' : escapeMarkup(article.aiUse)
  const print = `<a href="${escapeMarkup(toLink(frame.site, `/articles/${fact.articleId}/print`))}">${speech.say('print')}</a>`
  return join(
    [
      paragraph('meta', labelled('source', source)),
      paragraph('meta', rights),
      paragraph('meta', labelled('aiUse', ai)),
      paragraph('meta', labelled('tags', article.tags.map(escapeMarkup).join(', '))),
      output === 'paper' ? '' : paragraph('meta onscreen', print),
    ],
    '\n',
  )
}

/** The same in other languages, each named in its own. */
const versions = ({ frame, fact, versions: all, original }: ArticleContext, speech: Speech): string => {
  const link = (one: ArticleContext['fact'], text: string) =>
    `<a href="${escapeMarkup(toLink(frame.site, `/articles/${one.articleId}`))}" hreflang="${escapeMarkup(one.article.language)}"${langAttributes(one.article.language, fact.article.language)}>${escapeMarkup(text)}</a>`
  const others = all.filter(one => one.articleId !== fact.articleId && one.articleId !== original?.articleId)
  if (others.length === 0 && original === null) return ''
  const links = others.map(one => link(one, toLanguageName(one.article.language, one.article.language)))
  const from = original === null ? '' : `${speech.say('translationOf')}: ${link(original, original.article.title)}`
  return paragraph('meta onscreen', join([links.length === 0 ? '' : `${speech.say('languages')}: ${links.join(', ')}`, from], ' · '))
}

const related = ({ frame: { site }, fact, related: others }: ArticleContext, speech: Speech): string => {
  if (others.length === 0) return ''
  const items = others.map(one => toTitleRow(one, site, fact.article.language))
  return `<section class="related narrow" aria-labelledby="related"><h2 id="related">${speech.say('related')}</h2>\n<ul>\n${items.join('\n')}\n</ul></section>`
}

const articleMain = (context: ArticleContext, output: For, end = ''): string => {
  const { article } = context.fact
  const speech = speechOf(context)
  return join(
    [
      '<article>',
      '<header>',
      kicker(context),
      `<h1>${escapeMarkup(article.title)}</h1>`,
      correction(context, speech),
      paragraph('summary', escapeMarkup(article.summary)),
      paragraph('meta', byline(context)),
      paragraph('meta', times(context, speech)),
      output === 'paper' ? '' : versions(context, speech),
      '</header>',
      content(context, speech, output),
      '<footer class="about">',
      about(context, speech, output),
      end,
      '</footer>',
      '</article>',
    ],
    '\n',
  )
}

export const toArticlePage = (context: ArticleContext): string => {
  const { frame, fact } = context
  const { language, title } = fact.article
  return toDocument({
    frame,
    language,
    title: `${title} – ${frame.site.title}`,
    head: articleHead(context),
    main: join([articleMain(context, 'screen'), related(context, speechOf(context))], '\n'),
  })
}

/** Where it is from and when it was taken from here, and the address once more for a phone. */
const origin = (context: ArticleContext, speech: Speech, now: string): string => {
  const { frame, fact } = context
  const address = canonicalOf(context)
  const lines = [
    paragraph('meta', `${speech.say('address')}: <a href="${escapeMarkup(address)}">${escapeMarkup(address)}</a>`),
    paragraph('meta', `${speech.say('retrieved')} ${toTime(now, { site: frame.site, language: fact.article.language, form: 'full' })}`),
  ]
  return `<div class="origin">${toQrCode(address, `${speech.words.qrCode}: ${address}`)}<div>\n${join(lines, '\n')}\n</div></div>`
}

/** Everything of the article with its address and when it was taken from here, for paper. `now` is shown, nothing else depends on it. */
export const toPrintView = (context: ArticleContext, now: string): string => {
  const { frame, fact } = context
  const { language, title } = fact.article
  const main = articleMain(context, 'paper', origin(context, speechOf(context), now))
  return toDocument({ frame, language, title, head: printHead(context), main, kind: 'print' })
}

/** In which language readers are told that something is gone: its own, when it only ever had one. */
const languageOfGone = (fact: Fact, siteLanguage: string): string => {
  const [only, ...more] = fact.facetsEver.languages
  return only !== undefined && more.length === 0 ? only : siteLanguage
}

/** What readers are told in its place, for a page or a problem document; empty for what is only for editors now. */
export const goneNotice = (fact: Fact, siteLanguage: string): Readonly<{ title: string; notice: string; language: string }> => {
  const { tag, words } = speak(languageOfGone(fact, siteLanguage), siteLanguage)
  return { title: words.gone, notice: isLive(fact) ? '' : noticeOf(fact, tag), language: tag }
}

/** For 410: says that something was here and is gone, and nothing of what it was. */
export const toGonePage = (fact: Fact, frame: Frame): string => {
  const { title, notice, language } = goneNotice(fact, frame.site.language)
  return toNoticePage({ frame, language, title, notice })
}
