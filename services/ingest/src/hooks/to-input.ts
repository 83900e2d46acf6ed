/** From a CMS's document to what `PUT /v1/articles/{id}` takes; ingest then checks it like any other. Pure. */
import { articleInput } from '@newswire/events/article'
import type { HookMapping } from '@newswire/events/hook-config'
import { cleanHtml, completeAddresses, htmlToWords } from '@newswire/events/markup'
import { findMarkupExcess, findTextExcess } from '@newswire/events/markup-excess'
import { isWidth } from '@newswire/events/public-article'
import type { Warning } from '@newswire/events/warnings'
import { findLostPictures } from '../complaints.ts'
import { versionOf } from './identity.ts'
import { findAllAt, findTexts, firstText, wholeTexts } from './pointers.ts'
import type { Preset } from './presets.ts'
import type { Fields } from './read-notice.ts'
import { isLikeMarkdown, markdownToHtml, type Written, writeRichText } from './rich-text.ts'
import { toInstant, zoneOf } from './times.ts'

const folded = (text: string): string => text.normalize('NFC').trim().toLowerCase()

/**
 * What the CMS files it under: by our categories where the configuration knows its name or its slug, else as tags. The first place that says something
 * names them, and places as long as it say the same of each in other words. Ghost's internal ones begin with `#`.
 */
const filingOf = (document: unknown, fields: Fields, { categories, everyCategory }: HookMapping) => {
  const known = new Map(Object.entries(categories).map(([name, id]) => [folded(name), id]))
  const places = fields.tags.map(pointer => findTexts(document, pointer)).filter(place => place.length > 0)
  const [names = []] = places
  const peers = places.filter(place => place.length === names.length)
  const filed = names
    .map((name, index) => ({ name, id: peers.flatMap(place => known.get(folded(place[index] ?? '')) ?? [])[0] }))
    .filter(({ name }) => !name.startsWith('#'))
  const others = places.filter(place => !peers.includes(place)).flatMap(place => place.flatMap(name => known.get(folded(name)) ?? []))
  const tags = filed.filter(one => one.id === undefined).map(one => one.name.slice(0, 200))
  return {
    categories: [...new Set([...everyCategory, ...filed.flatMap(one => one.id ?? []), ...others])].slice(0, 50),
    tags: [...new Set(tags)].slice(0, 100),
  }
}

const isWeb = (url: string): boolean => url.length <= 2048 && /^https?:\/\//i.test(url) && URL.canParse(url)

type Images = Readonly<{ images: readonly Record<string, unknown>[]; warnings: readonly Warning[] }>
const NO_IMAGES: Images = { images: [], warnings: [] }

const homeOf = (pointer: string): string => pointer.slice(0, pointer.lastIndexOf('/'))

/** Reads words about the picture at `url`: beside it, or where no picture is; those beside another picture are about that one. */
const readerBeside = (document: unknown, { image }: Fields, url: string) => {
  const found = image.find(pointer => findTexts(document, pointer).length > 0) ?? ''
  const home = homeOf(found)
  const others = image.map(homeOf).filter(one => one !== home && one !== '')
  const holder = findAllAt(document, home).find(one => firstText(one, [found.slice(home.length)]) === url)
  return (pointers: readonly string[]): string => {
    for (const pointer of pointers) {
      const isBeside = home !== '' && pointer.startsWith(`${home}/`)
      if (!isBeside && others.some(other => pointer.startsWith(`${other}/`))) continue
      const text = isBeside ? firstText(holder, [pointer.slice(home.length)]) : firstText(document, [pointer])
      if (text !== '') return text
    }
    return ''
  }
}

const imagesOf = (document: unknown, fields: Fields, { baseUrl }: HookMapping): Images => {
  const said = firstText(document, fields.image)
  const url = isWeb(said) || said === '' ? said : (URL.parse(said, baseUrl)?.href ?? (said.startsWith('//') ? `https:${said}` : ''))
  const lost = `${JSON.stringify(said.slice(0, 200))} is no whole address, so the picture is left out: mapping.baseUrl of the hook says where it is`
  if (!isWeb(url)) return { images: [], warnings: said === '' ? [] : [{ pointer: '/images', detail: lost }] }
  const read = readerBeside(document, fields, said)
  const words = (name: string, pointers: readonly string[], most: number) => {
    const text = htmlToWords(read(pointers)).slice(0, most)
    return text === '' ? {} : { [name]: text }
  }
  const image = {
    url,
    role: 'lead',
    ...words('caption', fields.imageCaption, 2000),
    ...words('alt', fields.imageAlt, 1000),
    ...words('credit', fields.imageCredit, 500),
  }
  const others = new Set(wholeTexts(document, fields.image)).size - 1
  const left = `a hook takes one picture, so the others of its list (${others}) are left out; what is in the body stays`
  return { images: [image], warnings: others < 1 ? [] : [{ pointer: '/images', detail: left }] }
}

const LANGUAGE = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/
const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/

const bylineOf = (document: unknown, pointers: readonly string[]): string => {
  for (const pointer of pointers) {
    const names = [...new Set(findTexts(document, pointer))]
    if (names.length > 0) return names.join(', ').slice(0, 500)
  }
  return ''
}

const ARTICLE_FIELDS = Object.keys(articleInput.shape)
const PICTURE_FIELDS = Object.keys(articleInput.shape.images.unwrap().element.shape)

const pick = (value: unknown, names: readonly string[]): Record<string, unknown> => {
  const given = new Map(typeof value === 'object' && value !== null ? Object.entries(value) : [])
  return Object.fromEntries(names.filter(name => given.has(name)).map(name => [name, given.get(name)]))
}

/** A picture that was uploaded over there has no address but those of what was made of it. */
const ownPicture = (picture: unknown): Record<string, unknown> => {
  const picked = pick(picture, PICTURE_FIELDS)
  if (isWeb(firstText(picked, ['/url']))) return picked
  const urls = findAllAt(picture, '/renditions/*')
    .filter(one => isWidth({ preset: firstText(one, ['/preset']) }) && isWeb(firstText(one, ['/url'])))
    .sort((a, b) => Number(firstText(b, ['/width'])) - Number(firstText(a, ['/width'])))
    .map(one => firstText(one, ['/url']))
  return { ...picked, ...(urls[0] === undefined ? {} : { url: urls[0] }) }
}

/** What an article of ours says of itself. A field that is of another kind is left for ingest to refuse: without it the article might be for everybody. */
const ownFieldsOf = (document: unknown): Record<string, unknown> => {
  const picked = pick(document, ARTICLE_FIELDS)
  const images = picked['images']
  return Array.isArray(images) ? { ...picked, images: images.map(ownPicture) } : picked
}

type Body = Readonly<{
  body: Readonly<{ html: string }> | Readonly<{ text: string }>
  warnings: readonly Warning[]
  errors: readonly Warning[]
}>

const LOOKS_LIKE_HTML = /^\s*<(?:p|h[1-6]|div|ul|ol|figure|blockquote|section|article)[\s>]/i

/** A plain text that was not meant as one. */
const findTextDoubts = (text: string, { bodyFormat }: HookMapping): readonly Warning[] => {
  if (bodyFormat === 'text') return []
  if (LOOKS_LIKE_HTML.test(text))
    return [
      {
        pointer: '/body',
        detail: 'it looks like HTML and is published letter for letter: mapping.fields.html of the hook says that it is',
      },
    ]
  return isLikeMarkdown(text)
    ? [
        {
          pointer: '/body',
          detail:
            'it looks like Markdown and is published letter for letter: mapping.bodyFormat of the hook says markdown, or text where it is none',
        },
      ]
    : []
}

const textBodyOf = (text: string, mapping: HookMapping): Body => {
  if (mapping.bodyFormat !== 'markdown') return { body: { text }, warnings: findTextDoubts(text, mapping), errors: [] }
  // Too many lines are for ingest to refuse, with its own words.
  if (findTextExcess(text) !== null) return { body: { text }, warnings: [], errors: [] }
  const html = markdownToHtml(text)
  return html === null
    ? {
        body: { text: '' },
        warnings: [],
        errors: [{ pointer: '/body', detail: 'expected an article in Markdown, found too many marks (at most 20,000)' }],
      }
    : { body: { html }, warnings: [], errors: [] }
}

const lossesOf = ({ left, plain }: Written): readonly Warning[] =>
  [
    [left, 'left out of it, because what is sent has no address and no words for it'] as const,
    [plain, 'not known, so only the words of it are kept'] as const,
  ].flatMap(([kinds, what]) => (kinds.length === 0 ? [] : [{ pointer: '/body', detail: `${what}: ${kinds.slice(0, 20).join(', ')}` }]))

/** Of several texts the first is the body, which may have been a teaser. */
const findLonger = (document: unknown, { text: pointers }: Fields, taken: string): readonly Warning[] => {
  const longer = pointers.find(pointer => wholeTexts(document, [pointer]).join('\n\n').length > taken.length)
  const detail = `the text at ${longer} is longer, and is not read: mapping.fields.text of the hook says which one is the body`
  return longer === undefined ? [] : [{ pointer: '/body', detail }]
}

/** A tree is looked for only where no text is. */
const bodyOf = (document: unknown, fields: Fields, mapping: HookMapping): Body => {
  const [html, text] = [fields.html, fields.text].map(pointers => wholeTexts(document, pointers).join('\n\n')) as [string, string]
  if (html !== '') return { body: { html }, warnings: [], errors: [] }
  if (text !== '') {
    const made = textBodyOf(text, mapping)
    return { ...made, warnings: [...made.warnings, ...findLonger(document, fields, text)] }
  }
  for (const pointer of [...fields.html, ...fields.text])
    for (const value of findAllAt(document, pointer)) {
      const written = writeRichText(value)
      if (written === null) continue
      if ('found' in written) {
        const detail = `expected HTML, a text, Contentful rich text, portable text or Strapi blocks at ${pointer}, found ${written.found}; send HTML, and name its place by mapping.fields.html`
        return { body: { text: '' }, warnings: [], errors: [{ pointer: '/body', detail }] }
      }
      return { body: { html: written.html }, warnings: lossesOf(written), errors: [] }
    }
  return { body: { text: '' }, warnings: [], errors: [] }
}

/** Too much for a parser is left as it is, for ingest to refuse with its own words. */
const withBase = (body: Body['body'], { baseUrl }: HookMapping): Body['body'] =>
  baseUrl === undefined || !('html' in body) || findMarkupExcess(body.html) !== null
    ? body
    : { html: completeAddresses(cleanHtml(body.html), baseUrl).html }

/** `errors`: of what is there and cannot be read. `warnings`: of what was left out, or is perhaps not meant. */
export type ToInput = Readonly<{ input: Record<string, unknown>; warnings: readonly Warning[]; errors: readonly Warning[] }>

/** What it cannot make sense of it leaves out; what is missing then is for ingest to refuse, with where. */
export const toInput = (document: unknown, preset: Preset, fields: Fields, mapping: HookMapping): ToInput => {
  const words = (pointers: readonly string[]) => {
    const text = firstText(document, pointers)
    return preset.wordsAreHtml && /[<&]/.test(text) ? htmlToWords(text) : text
  }
  const { body, warnings, errors } = bodyOf(document, fields, mapping)
  const isEmpty = 'text' in body && body.text === ''
  const own = preset.isOurs ? ownFieldsOf(document) : {}
  const hasOwnImages = Array.isArray(own['images']) && mapping.fields.image === undefined
  const filing = filingOf(document, fields, mapping)
  const ownTags = preset.isOurs ? ['/tags', '/tags/*/name'].flatMap(pointer => findTexts(document, pointer)) : []
  const [slug, url] = [firstText(document, fields.slug), firstText(document, fields.url)]
  const language = firstText(document, fields.language).replace('_', '-')
  const sourceVersion = versionOf(document, fields)
  const [publishedAt, updatedAt] = [fields.publishedAt, fields.updatedAt].map(pointers =>
    toInstant(firstText(document, pointers), zoneOf(pointers, mapping.timeZone)),
  )
  const based = withBase(body, mapping)
  // What was cleaned already says nothing of them any more.
  const lostPictures = based === body ? [] : findLostPictures(body)
  const { images, warnings: lost } = hasOwnImages ? NO_IMAGES : imagesOf(document, fields, mapping)
  const plain = { summary: words(fields.summary), byline: bylineOf(document, fields.byline), source: words(fields.source) }
  const input = {
    ...own,
    title: words(fields.title),
    // Without any text an article of ours is an excerpt with a link, and no article with an empty body.
    ...(preset.isOurs && isEmpty ? {} : { body: based }),
    categories: filing.categories,
    tags: [...new Set([...ownTags.map(tag => tag.slice(0, 200)), ...filing.tags])].slice(0, 100),
    ...Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== '')),
    ...(sourceVersion === null ? {} : { sourceVersion }),
    ...(LANGUAGE.test(language) ? { language } : mapping.language === undefined ? {} : { language: mapping.language }),
    ...(SLUG.test(slug) && slug.length <= 200 ? { slug } : {}),
    ...(isWeb(url) ? { canonicalUrl: url } : {}),
    ...(publishedAt ? { publishedAt } : {}),
    ...(updatedAt ? { updatedAt } : {}),
    ...(images.length === 0 ? {} : { images }),
    // Whoever says it of theirs means what we do.
    ...(firstText(document, ['/audience']) === 'editorial' ? { audience: 'editorial' } : {}),
  }
  return { input, warnings: [...warnings, ...lost, ...lostPictures], errors }
}
