/** OpenAPI 3.1 of the front door, its schemas made from the ones that check. */
import { articleInput } from '@newswire/events/article'
import { sinkStates, submissionStates } from '@newswire/events/milestone'
import { retractRequest } from '@newswire/events/retract-request'
import { z } from 'zod'

type Json = Record<string, unknown>

const json = (schema: Json, description: string): Json => ({ description, content: { 'application/json': { schema } } })
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })
const problem = (description: string): Json => ({ description, content: { 'application/problem+json': { schema: ref('Problem') } } })
const localId: Json = {
  name: 'localId',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^(?!.*\\.\\.)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' },
}
const idempotencyKey: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', minLength: 1, maxLength: 255 },
  description: 'The same key and request again: the same answer, no second effect.',
}
const way: readonly Json[] = [
  {
    name: 'lane',
    in: 'query',
    required: false,
    schema: { enum: ['live', 'backfill'], default: 'live' },
    description: 'backfill: an import. It is archived, searchable and paged by its own date, and goes to no outlet or subscriber.',
  },
  {
    name: 'deliver',
    in: 'query',
    required: false,
    schema: { type: 'boolean', default: false },
    description: 'With lane=backfill: deliver and ping it as well.',
  },
]
/** Of a server of HTTP, whatever is asked: a method that the address has not, a request that is too slow, an address or headers that are too long. */
const others: Json = { default: problem('Any other refusal: 405, 408, 414, 431, or a 500 of ours') }
const failures: Json = {
  '400': problem('Cannot be read'),
  '401': problem('No token, or not known'),
  '403': problem('The token lacks the scope'),
  '404': problem('No such thing'),
  '409': problem('Conflicts with what is known'),
  '413': problem('Too large'),
  '415': problem('Not a media type that is taken'),
  '422': problem('Read, but not valid'),
  '429': problem('As many imports are under way as there may be; try again after Retry-After'),
  '503': problem('The log or the store cannot take it now; try again'),
  ...others,
}
const pick = (...statuses: readonly string[]): Json => ({
  ...Object.fromEntries(statuses.map(status => [status, failures[status]])),
  ...others,
})
const submits = (summary: string, body: Json | null, scope: string, more: readonly Json[] = []): Json => ({
  summary,
  security: [{ token: [scope] }],
  parameters: [localId, idempotencyKey, ...more],
  ...(body === null ? {} : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
  responses: { '202': json(ref('Accepted'), 'Durably in the log'), ...failures },
})
const reads = (summary: string, schema: Json, parameters: readonly Json[] = [localId]): Json => ({
  summary,
  security: [{ token: ['read'] }],
  parameters,
  responses: { '200': json(schema, 'As it stands'), ...failures },
})

const warnings: Json = {
  type: 'array',
  items: { type: 'object', required: ['pointer', 'detail'], properties: { pointer: { type: 'string' }, detail: { type: 'string' } } },
  description:
    'Taken, and perhaps not meant: categories that are not in the configuration, a correction without a note or with fewer pictures than what is out, an embargo on what is out or in the past, a date far ahead, an expiry that has passed, a substitute that is not out, a republish of what is not retracted, relative addresses, and pictures that no reader could open, that were left out of a body, pictures in a body that are not among images and stay at their own address; of an import and a CMS’s hook also a date of publication that is ahead and holds the article; of a hook what was left out of a rich text, a text that looks like Markdown or HTML, a lead picture without a whole address. An empty pointer means all of it.',
}

const string: Json = { type: 'string' }
const orNull = (schema: Json): Json => ({ anyOf: [schema, { type: 'null' }] })
const time: Json = { type: 'string', format: 'date-time' }
const list = (items: Json): Json => ({ type: 'array', items })
/** All of them are there but those that are named in `optional`. */
const object = (properties: Readonly<Record<string, Json>>, optional: readonly string[] = []): Json => ({
  type: 'object',
  required: Object.keys(properties).filter(name => !optional.includes(name)),
  properties,
})

const toInputSchema = (schema: z.ZodType): Json => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })

const schemas = (): Json => ({
  Article: toInputSchema(articleInput),
  Accepted: {
    type: 'object',
    required: ['submissionId', 'articleId', 'trace'],
    properties: { submissionId: { type: 'string' }, articleId: { type: 'string' }, trace: { type: 'string' }, warnings },
  },
  Submission: object(
    {
      submissionId: string,
      articleId: string,
      command: orNull(string),
      state: { enum: [...submissionStates] },
      version: { type: 'integer' },
      code: string,
      detail: string,
      acceptedAt: orNull(time),
      at: { ...time, description: 'When it came to this state' },
      pictures: {
        type: 'string',
        description: 'How many of its pictures are ready, and which are not and why; absent until that is known',
      },
      warnings,
    },
    ['version', 'code', 'detail', 'pictures', 'warnings'],
  ),
  Standing: {
    ...object({
      id: { type: 'string', description: '<publisher>.<local id>' },
      version: { type: 'integer' },
      state: { enum: ['live', 'retracted', 'expired', 'purged'] },
    }),
    description:
      'Live: with the fields of Article as they are public, `firstReleasedAt`, `releasedAt` and the renditions of its images. Retracted or expired: with `retraction`, as readers are told. What is held is not in it.',
  },
  Trace: object({
    articleId: string,
    title: orNull(string),
    versions: list(
      object(
        {
          version: { type: 'integer' },
          action: string,
          submissionId: string,
          releasedAt: time,
          detail: { ...string, description: 'Why there is such a version, when no submission asked for it' },
          stages: list(object({ stage: string, outcome: string, at: time, ms: orNull({ type: 'number' }), detail: orNull(string) })),
          sinks: list(
            object({
              kind: { enum: ['feed', 'archive', 'outlet', 'hub'] },
              id: string,
              state: { enum: [...sinkStates] },
              version: { type: 'integer' },
              attempts: orNull({ type: 'integer' }),
              nextAt: orNull(time),
              lastError: orNull(string),
              reason: orNull(string),
              doneAt: orNull(time),
            }),
          ),
        },
        ['detail'],
      ),
    ),
    submissions: list(ref('Submission')),
  }),
  Picture: object({
    url: { type: 'string', description: 'For images[].url: newswire:<sha256>' },
    sha256: string,
    bytes: { type: 'integer' },
    type: string,
  }),
  Verdict: object({
    valid: { type: 'boolean' },
    complaints: {
      ...list({ type: 'object', required: ['pointer', 'detail'], properties: { pointer: string, detail: string } }),
      description:
        'Where it is not valid, why it would be refused; else what would be in the warnings of the 202, as far as that shows without looking at what is out.',
    },
    matches: object({ feeds: list(string), outlets: list(string) }),
  }),
  Retraction: toInputSchema(retractRequest),
  Problem: {
    type: 'object',
    required: ['type', 'title', 'status', 'code', 'correlationId'],
    properties: {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      code: { type: 'string' },
      correlationId: { type: 'string' },
      errors: { type: 'array', items: { type: 'object' } },
    },
  },
})

export const toOpenApi = (): Json => ({
  openapi: '3.1.0',
  info: {
    title: 'Newswire ingest',
    version: '1',
    description: 'Publish, correct, retract and republish articles, and see what became of them.',
  },
  paths: {
    '/v1/articles/{localId}': {
      put: submits('Publish or change an article', ref('Article'), 'publish', way),
      get: reads('The article as it stands', ref('Standing')),
    },
    '/v1/articles/{localId}/retract': { post: submits('Take an article back', ref('Retraction'), 'retract') },
    '/v1/articles/{localId}/republish': { post: submits('Bring a retracted article back', null, 'republish') },
    '/v1/articles/{localId}/pictures': {
      post: {
        summary: 'Send a picture; its address is for images[].url',
        security: [{ token: ['publish'] }],
        parameters: [localId],
        requestBody: {
          required: true,
          content: { 'multipart/form-data': { schema: object({ picture: { type: 'string', format: 'binary' } }) } },
        },
        responses: { '201': json(ref('Picture'), 'Kept'), ...failures },
      },
    },
    '/v1/articles/{localId}/trace': { get: reads('Where the article is, stage by stage and sink by sink', ref('Trace')) },
    '/v1/submissions/{id}': {
      get: reads('What became of a submission', ref('Submission'), [
        { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
      ]),
    },
    '/v1/hooks/{publisher}/{hookId}': {
      post: {
        summary: "A CMS's own webhook, as `publishers[].hooks` of the configuration names it; verified by the signature of its preset",
        security: [],
        parameters: ['publisher', 'hookId'].map(name => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
        requestBody: { required: true, content: { 'application/json': { schema: {} } } },
        responses: {
          '202': json(
            {
              anyOf: [
                ref('Accepted'),
                {
                  type: 'object',
                  required: ['ignored'],
                  properties: {
                    ignored: { type: 'string', description: 'Why there was nothing to do' },
                    warnings,
                  },
                },
              ],
            },
            'Durably in the log, or nothing to do',
          ),
          '400': problem('Cannot be read'),
          '401': problem('The signature is missing, wrong or too old'),
          '404': problem('No such hook'),
          '413': problem('Too large'),
          '415': problem('Not JSON'),
          '422': problem('No article can be made of it'),
          '503': problem('The log or the store cannot take it now, or the secret is not set; try again'),
          ...others,
        },
      },
    },
    '/v1/articles:validate': {
      post: {
        summary: 'Every complaint, and what the article would match; nothing is kept',
        security: [{ token: ['publish'] }],
        requestBody: { required: true, content: { 'application/json': { schema: ref('Article') } } },
        responses: { '200': json(ref('Verdict'), 'The answer'), ...pick('401', '403', '413', '415') },
      },
    },
  },
  components: { schemas: schemas(), securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
})
