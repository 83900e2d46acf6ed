/** From a CMS's document to what `PUT /v1/articles/{id}` takes; ingest then checks it like any other. Pure. */
import { articleInput } from '@newswire/events/article'
import type { HookMapping } from '@newswire/events/hook-config'
import { isLocalId, sha256Hex } from '@newswire/events/ids'
import { htmlToWords } from '@newswire/events/markup'
import { isWidth } from '@newswire/events/public-article'
import { findAllAt, findTexts, firstText } from './pointers.ts'
import type { Preset } from './presets.ts'
import type { Fields } from './read-notice.ts'
import { toInstant } from './times.ts'

const MAX_ID = 128
const READABLE = 60

/** A CMS's own id where it can be one; else readable letters of it, and a hash that no other id has. */
export const toLocalId = (id: string, { idPrefix = '' }: Pick<HookMapping, 'idPrefix'>): string | null => {
  if (id === '') return null
  const whole = `${idPrefix}${id}`
  if (whole.length <= MAX_ID && isLocalId(whole)) return whole
  const letters = id.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-+|-+$/g, '')
  const readable = letters.slice(0, READABLE).replace(/-+$/, '')
  const made = [`${idPrefix}${readable}`, sha256Hex(id).slice(0, 12)].filter(Boolean).join('-')
  return isLocalId(made) ? made : null
}

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

const imagesOf = (document: unknown, fields: Fields) => {
  const url = firstText(document, fields.image)
  if (!isWeb(url)) return []
  const said = (name: string, pointers: readonly string[], most: number) => {
    const words = htmlToWords(firstText(document, pointers)).slice(0, most)
    return words === '' ? {} : { [name]: words }
  }
  return [
    {
      url,
      role: 'lead',
      ...said('caption', fields.imageCaption, 2000),
      ...said('alt', fields.imageAlt, 1000),
      ...said('credit', fields.imageCredit, 500),
    },
  ]
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

/** The publisher's own number: the CMS's version, else the time of its change, so that what comes late is told from what is newer. `null` for none. */
export const versionOf = (document: unknown, fields: Fields): number | null => {
  const version = Number(firstText(document, fields.version) || Number.NaN)
  if (Number.isSafeInteger(version) && version >= 1) return version
  const changedAt = toInstant(firstText(document, fields.updatedAt))
  return changedAt === null ? null : Math.max(1, Date.parse(changedAt))
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

/** What it cannot make sense of it leaves out; what is missing then is for ingest to refuse, with where. */
export const toInput = (document: unknown, preset: Preset, fields: Fields, mapping: HookMapping): Record<string, unknown> => {
  const words = (pointers: readonly string[]) => {
    const text = firstText(document, pointers)
    return preset.wordsAreHtml && /[<&]/.test(text) ? htmlToWords(text) : text
  }
  const [html, text] = [firstText(document, fields.html), firstText(document, fields.text)]
  const own = preset.isOurs ? ownFieldsOf(document) : {}
  const hasOwnImages = Array.isArray(own['images']) && mapping.fields.image === undefined
  const filing = filingOf(document, fields, mapping)
  const ownTags = preset.isOurs ? ['/tags', '/tags/*/name'].flatMap(pointer => findTexts(document, pointer)) : []
  const [slug, url] = [firstText(document, fields.slug), firstText(document, fields.url)]
  const language = firstText(document, fields.language).replace('_', '-')
  const sourceVersion = versionOf(document, fields)
  const [publishedAt, updatedAt] = [fields.publishedAt, fields.updatedAt].map(pointers => toInstant(firstText(document, pointers)))
  const images = imagesOf(document, fields)
  const plain = { summary: words(fields.summary), byline: bylineOf(document, fields.byline), source: words(fields.source) }
  return {
    ...own,
    title: words(fields.title),
    // Without any text an article of ours is an excerpt with a link, and no article with an empty body.
    ...(preset.isOurs && html + text === '' ? {} : { body: html === '' ? { text } : { html } }),
    categories: filing.categories,
    tags: [...new Set([...ownTags.map(tag => tag.slice(0, 200)), ...filing.tags])].slice(0, 100),
    ...Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== '')),
    ...(sourceVersion === null ? {} : { sourceVersion }),
    ...(LANGUAGE.test(language) ? { language } : mapping.language === undefined ? {} : { language: mapping.language }),
    ...(SLUG.test(slug) && slug.length <= 200 ? { slug } : {}),
    ...(isWeb(url) ? { canonicalUrl: url } : {}),
    ...(publishedAt ? { publishedAt } : {}),
    ...(updatedAt ? { updatedAt } : {}),
    ...(images.length === 0 || hasOwnImages ? {} : { images }),
  }
}
