/**
 * The CMSs whose webhooks are read: how each signs (`signatures.ts`), what it says that happened (`read-notice.ts`), and where its document has what. A row
 * of the table is a CMS; the shapes are those of their documentation, in the test beside this.
 */
import type { HookField, HookMapping, HookPreset } from '@newswire/events/hook-config'
import { parseStrictJson } from '@newswire/http/strict-json'
import { firstText } from './pointers.ts'
import {
  actOf,
  type Fields,
  isStrapiDraft,
  type ReadNotice,
  readByWord,
  readContentful,
  readGhost,
  readSanity,
  readSuperdesk,
  readWordpress,
} from './read-notice.ts'
import { signatures, type Verify } from './signatures.ts'

export type Preset = Readonly<{
  verify: Verify
  read: ReadNotice
  /** Where the document has it, the first that says something. */
  fields: Fields
  /** Titles and summaries come as HTML. */
  wordsAreHtml?: true
  /** Its documents are articles as our own outlets send them: what they say of themselves is kept, who may read them before all. */
  isOurs?: true
}>

const fieldsOf = (given: Partial<Record<HookField, string | readonly string[]>>): Fields => {
  const of = (field: HookField): readonly string[] => [given[field] ?? []].flat()
  return {
    id: of('id'),
    version: of('version'),
    title: of('title'),
    html: of('html'),
    text: of('text'),
    summary: of('summary'),
    byline: of('byline'),
    source: of('source'),
    language: of('language'),
    slug: of('slug'),
    url: of('url'),
    publishedAt: of('publishedAt'),
    updatedAt: of('updatedAt'),
    embargoUntil: of('embargoUntil'),
    status: of('status'),
    tags: of('tags'),
    image: of('image'),
    imageCaption: of('imageCaption'),
    imageAlt: of('imageAlt'),
    imageCredit: of('imageCredit'),
  }
}

/** What most of those who make up their own call it, and what our own articles do. */
const ordinary = fieldsOf({
  id: ['/id', '/documentId', '/_id'],
  title: ['/title', '/title/rendered', '/headline', '/name'],
  html: ['/html', '/body/html', '/body_html', '/body/processed', '/body/rendered', '/body/value', '/content/html', '/content/rendered'],
  text: ['/text', '/body/text', '/content/text', '/content', '/body'],
  summary: ['/summary', '/excerpt', '/description'],
  byline: ['/byline', '/author', '/author/name', '/authors/*/name'],
  source: '/source',
  language: ['/language', '/locale'],
  slug: ['/slug', '/slug/current'],
  url: ['/canonicalUrl', '/url', '/link'],
  publishedAt: ['/publishedAt', '/published_at', '/datePublished', '/date_published', '/published_on', '/pubDate'],
  updatedAt: ['/updatedAt', '/updated_at', '/_updatedAt'],
  tags: ['/tags', '/categories', '/tags/*/name', '/categories/*/name'],
  image: ['/images/*/url', '/image', '/image/url'],
  imageCaption: ['/images/*/caption', '/image/caption'],
  imageAlt: ['/images/*/alt', '/image/alt', '/image/alternativeText'],
  imageCredit: ['/images/*/credit', '/image/credit'],
})

/** Documents of rich text are deeper and have more names in them than an article. */
export const JSON_LIMITS = { maxDepth: 100, maxKeys: 50_000 }

/**
 * What a sender that holds its data as bytes sends in place of `data` (CloudEvents JSON format §3.1.1), as if it had sent `data`. Of an event whose
 * type is none that is read they may be anything, and are not looked at.
 */
const withPackedData =
  (read: ReadNotice): ReadNotice =>
  (body, headers, mapping, fields) => {
    const packed = (body as Readonly<Record<string, unknown>> | null)?.['data_base64']
    if (typeof packed !== 'string' || headers['ce-type'] !== undefined) return read(body, headers, mapping, fields)
    // Where a mapping looks elsewhere for what happened, that may be in these bytes.
    if (mapping.event === undefined && actOf(firstText(body, ['/type']), mapping) === null) return read(body, headers, mapping, fields)
    const json = parseStrictJson(Buffer.from(packed, 'base64'), JSON_LIMITS)
    if (!json.ok) return { act: 'refuse', errors: [{ pointer: '/data_base64', detail: json.detail }] }
    return read({ ...(body as object), data: json.value }, headers, mapping, fields)
  }

const presets = {
  ghost: {
    verify: signatures.ghost,
    read: readGhost,
    fields: fieldsOf({
      id: '/id',
      title: '/title',
      html: '/html',
      text: '/plaintext',
      summary: '/custom_excerpt',
      byline: '/authors/*/name',
      slug: '/slug',
      url: ['/canonical_url', '/url'],
      publishedAt: '/published_at',
      updatedAt: '/updated_at',
      tags: ['/tags/*/name', '/tags/*/slug'],
      image: '/feature_image',
      imageCaption: '/feature_image_caption',
      imageAlt: '/feature_image_alt',
    }),
  },
  wordpress: {
    verify: signatures.plain,
    read: readWordpress,
    wordsAreHtml: true,
    fields: fieldsOf({
      id: '/id',
      title: '/title/rendered',
      html: '/content/rendered',
      summary: '/excerpt/rendered',
      byline: ['/_embedded/author/*/name', '/author_name'],
      slug: '/slug',
      url: '/link',
      publishedAt: '/date_gmt',
      updatedAt: '/modified_gmt',
      tags: ['/_embedded/wp:term/*/*/name', '/_embedded/wp:term/*/*/slug'],
      image: ['/_embedded/wp:featuredmedia/*/source_url', '/jetpack_featured_media_url'],
      imageCaption: '/_embedded/wp:featuredmedia/*/caption/rendered',
      imageAlt: '/_embedded/wp:featuredmedia/*/alt_text',
    }),
  },
  strapi: {
    verify: signatures.plain,
    read: readByWord({ event: ['/event'], document: '/entry', only: /^entry\./, isDraft: isStrapiDraft }),
    fields: {
      ...ordinary,
      id: ['/documentId', '/id'],
      image: ['/image/url', '/cover/url', '/images/*/url'],
      imageCaption: ['/image/caption', '/cover/caption', '/images/*/caption'],
      imageAlt: ['/image/alternativeText', '/cover/alternativeText', '/images/*/alternativeText'],
    },
  },
  sanity: {
    verify: signatures.sanity,
    read: readSanity,
    fields: { ...ordinary, id: ['/_id'], updatedAt: ['/_updatedAt', '/updatedAt'] },
  },
  contentful: {
    verify: signatures.contentful,
    read: readContentful,
    fields: fieldsOf({
      id: '/sys/id',
      title: ['/fields/title/*', '/fields/headline/*'],
      html: '/fields/html/*',
      text: ['/fields/body/*', '/fields/text/*', '/fields/content/*'],
      summary: ['/fields/summary/*', '/fields/description/*', '/fields/excerpt/*'],
      byline: ['/fields/byline/*', '/fields/author/*'],
      slug: '/fields/slug/*',
      url: ['/fields/url/*', '/fields/canonicalUrl/*'],
      publishedAt: ['/fields/publishedAt/*', '/sys/publishedAt', '/sys/firstPublishedAt'],
      updatedAt: ['/sys/publishedAt', '/sys/updatedAt'],
      tags: ['/fields/tags/*', '/fields/category/*'],
      image: '/fields/imageUrl/*',
    }),
  },
  superdesk: {
    verify: signatures.superdesk,
    read: readSuperdesk,
    fields: fieldsOf({
      id: ['/guid', '/uri'],
      version: '/version',
      title: ['/headline', '/name', '/slugline'],
      html: '/body_html',
      text: '/body_text',
      summary: ['/description_text', '/abstract'],
      byline: '/byline',
      source: '/source',
      language: '/language',
      publishedAt: ['/firstpublished', '/firstcreated'],
      updatedAt: ['/versioncreated'],
      tags: ['/subject/*/name', '/subject/*/code', '/service/*/name', '/service/*/code', '/keywords'],
      image: [
        '/associations/featuremedia/renditions/original/href',
        '/associations/featured/renditions/original/href',
        '/associations/*/renditions/baseImage/href',
      ],
      imageCaption: ['/associations/featuremedia/description_text', '/associations/featured/description_text'],
      imageAlt: ['/associations/featuremedia/body_text', '/associations/featured/body_text'],
      imageCredit: ['/associations/featuremedia/byline', '/associations/featured/byline'],
    }),
    wordsAreHtml: true,
  },
  'standard-webhooks': {
    verify: signatures.standardWebhooks,
    read: readByWord({ event: ['/type'], document: '/data/article' }),
    fields: { ...ordinary, version: ['/version'], tags: ['/categories', '/categories/*/name'] },
    isOurs: true,
  },
  cloudevents: {
    verify: signatures.bearer,
    read: withPackedData(readByWord({ event: ['/type'], header: 'ce-type', document: '/data' })),
    fields: ordinary,
  },
  generic: {
    verify: signatures.plain,
    read: readByWord({ event: ['/event', '/type', '/action'], document: '/article' }),
    fields: ordinary,
  },
} as const satisfies Readonly<Record<HookPreset, Preset>>

export const presetOf = (name: HookPreset): Preset => presets[name]

/** With what the configuration says of its own documents in place of the preset's. */
export const fieldsFor = (preset: Preset, { fields }: HookMapping): Fields => {
  const own = Object.entries(fields).map(([field, pointer]) => [field, pointer === 'none' ? [] : [pointer]])
  return { ...preset.fields, ...(Object.fromEntries(own) as Partial<Fields>) }
}
