/** What the configuration says of a CMS's own webhook (`publishers[].hooks`; how it is read: `services/ingest`, `hooks/`). */
import { z } from 'zod'
import { configId as id, languageTag, timeZone } from './config-words.ts'
import { httpUrl, secretEnv } from './deliver.ts'

/** Whose webhooks are read (`services/ingest`, `hooks/`): how they are signed, and what they say where. */
export const hookPresets = [
  'ghost',
  'wordpress',
  'strapi',
  'sanity',
  'contentful',
  'superdesk',
  'standard-webhooks',
  'cloudevents',
  'generic',
] as const
export type HookPreset = (typeof hookPresets)[number]

/** What an article is made of. Each is where the CMS's document has it. */
const hookFields = [
  'id',
  'version',
  'title',
  'html',
  'text',
  'summary',
  'byline',
  'source',
  'language',
  'slug',
  'url',
  'publishedAt',
  'updatedAt',
  'embargoUntil',
  'status',
  'tags',
  'image',
  'imageCaption',
  'imageAlt',
  'imageCredit',
] as const
export type HookField = (typeof hookFields)[number]

const pointer = z
  .string()
  .max(200)
  .regex(/^(\/[^/]+)*$/, 'expected a JSON pointer, like /title or /tags/*/name')

const pointerOrNone = z
  .string()
  .max(200)
  .regex(/^(?:none|(\/[^/]+)*)$/, 'expected a JSON pointer, like /title or /tags/*/name, or none: it is not read')

/** Of a document: it goes out, it is passed over and what is out of it stays, what is out of it is taken back. */
const statusMeanings = ['publish', 'draft', 'unpublish'] as const
export type StatusMeaning = (typeof statusMeanings)[number]

export const hookMapping = z.strictObject({
  /**
   * Where the preset looks elsewhere, or nowhere. `*` is every element of a list, or every value of an object. `none`: it is not read at all; for `embargoUntil`
   * and `status` also not by the names that these otherwise have.
   */
  fields: z.partialRecord(z.enum(hookFields), pointerOrNone).default({}),
  /** Where the document lies in what is sent. */
  document: pointer.optional(),
  /** Where what happened is said (`strapi`, `standard-webhooks`, `cloudevents`, `generic`), and what it is called. */
  event: pointer.optional(),
  events: z.partialRecord(z.enum(['publish', 'unpublish', 'delete']), z.array(z.string().max(100)).max(20)).default({}),
  /** What statuses mean that nobody here knows, or that mean something else here (`draft: [đang xét]`); whole, in any case. */
  statuses: z.partialRecord(z.enum(statusMeanings), z.array(z.string().max(100)).max(100)).default({}),
  /** Categories by the names that the CMS has for them, tags or slugs; what is not here stays a tag. */
  categories: z.record(z.string().max(200), id).default({}),
  /** Given to every article. */
  everyCategory: z.array(id).max(20).default([]),
  /** What a body is that is neither HTML nor a tree (default: `text`, and a warning where it looks like Markdown). */
  bodyFormat: z.enum(['text', 'markdown']).optional(),
  /** Where relative addresses of pictures and links are (default: the article's own address, for what is in its body). */
  baseUrl: httpUrl.max(2048).optional(),
  /** Of articles that say none (default: the site's). */
  language: languageTag.optional(),
  /** Of times that name none (default: UTC for what has happened; embargoes and plans are refused). */
  timeZone: timeZone.optional(),
  /** Before every id, so that two CMSs of one publisher have none in common. */
  idPrefix: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, 'expected letters, digits, dots, underscores and hyphens, at most 32')
    .optional(),
})
export type HookMapping = z.output<typeof hookMapping>

/** A CMS's own webhook, taken at `POST /v1/hooks/{publisher}/{id}`. */
export const hookConfig = z.strictObject({ id, preset: z.enum(hookPresets), secretEnv, mapping: hookMapping.prefault({}) })
export type HookConfig = z.output<typeof hookConfig>
