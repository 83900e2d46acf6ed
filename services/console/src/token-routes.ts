/** Publishers' tokens (contract §1, §8): made here, shown once, kept as a hash. Those that the configuration file names are listed, not changed. */
import { randomBytes } from 'node:crypto'
import { type IssuedToken, issuedToken, scopes } from '@newswire/events/config'
import { isConfigId, sha256Hex } from '@newswire/events/ids'
import { notFound, problem } from '@newswire/http/problem'
import type { HttpServer } from '@newswire/http/server'
import { readStrictJson } from '@newswire/http/strict-json'
import { validateWith } from '@newswire/http/validate'
import type { Publish } from '@newswire/log/events'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { createToken, revokeToken } from '@newswire/runtime/apply-config'
import type { Configuration } from '@newswire/runtime/configuration'

type Needs = Readonly<{ objects: Objects; configuration: Pick<Configuration, 'current'>; publish: Publish; now: () => number }>

const wantedToken = issuedToken.omit({ sha256: true }).extend({ scopes: issuedToken.shape.scopes.default([...scopes]) })

const unknown = (publisher: string, id: string) => notFound(`${publisher} has no token ${id}`)

/** The object of an issued token is named by both ids together, which must still be an id. */
const checkName = ({ publisher, id }: Pick<IssuedToken, 'publisher' | 'id'>): void => {
  if (!isConfigId(`${publisher}-${id}`))
    throw problem(
      422,
      'NEWSWIRE_INVALID',
      'The token is not valid',
      'publisher and id together have at most 63 characters; choose a shorter id',
    )
}

export const addTokenRoutes = (app: HttpServer, { objects, configuration, publish, now }: Needs): void => {
  const tokensOf = (publisher: string) => configuration.current().publishers.get(publisher)?.tokens ?? []
  const isIssued = async (publisher: string, id: string): Promise<boolean> =>
    isConfigId(`${publisher}-${id}`) && (await objects.head(keys.config('tokens', `${publisher}-${id}`))) !== null

  app.get('/v1/tokens', async request => {
    const { sha256 } = request.query as { sha256?: unknown }
    const isAskedFor = (one: { sha256: string }) => sha256 === undefined || one.sha256.toLowerCase() === String(sha256).toLowerCase()
    const all = [...configuration.current().publishers.values()].flatMap(({ id: publisher, tokens }) =>
      tokens.filter(isAskedFor).map(({ id, scopes }) => ({ publisher, id, scopes })),
    )
    return Promise.all(all.map(async one => ({ ...one, from: (await isIssued(one.publisher, one.id)) ? 'issued' : 'file' })))
  })

  app.post('/v1/tokens', async (request, reply) => {
    const wanted = validateWith(wantedToken, readStrictJson(request.rawBody ?? new Uint8Array()), 'token')
    checkName(wanted)
    if (!configuration.current().publishers.has(wanted.publisher))
      throw notFound(`no publisher ${wanted.publisher}; \`newswire apply\` makes publishers`)
    const token = `nw_${randomBytes(32).toString('base64url')}`
    const taken = tokensOf(wanted.publisher).some(({ id }) => id === wanted.id)
    if (taken || !(await createToken({ objects, publish, now }, { ...wanted, sha256: sha256Hex(token) })))
      throw problem(
        409,
        'NEWSWIRE_TOKEN_TAKEN',
        'This name is taken',
        `${wanted.publisher} has or had a token ${wanted.id}; choose another id`,
      )
    return reply
      .status(201)
      .header('cache-control', 'no-store')
      .send({ ...wanted, token })
  })

  app.delete('/v1/tokens/:publisher/:id', async (request, reply) => {
    const { publisher, id } = request.params as { publisher: string; id: string }
    if (!isConfigId(`${publisher}-${id}`)) throw unknown(publisher, id)
    if (await revokeToken({ objects, publish, now }, { publisher, id })) return reply.status(204).send()
    if (!tokensOf(publisher).some(one => one.id === id)) throw unknown(publisher, id)
    throw problem(
      409,
      'NEWSWIRE_TOKEN_IN_FILE',
      'The configuration file names this token',
      `take ${id} out of the publisher's tokens in newswire.yaml and apply it`,
    )
  })
}
