/** The configuration (contract §8): the whole of it, and one object, read and changed as `newswire apply` changes it. */
import { configKinds, type NewswireConfig } from '@newswire/events/config'
import { codeOf, RejectError } from '@newswire/events/errors'
import { isConfigId, sha256Hex } from '@newswire/events/ids'
import { evaluateConditions, matchEtag } from '@newswire/http/conditional'
import { type FieldError, notFound, ProblemError, problem } from '@newswire/http/problem'
import type { HttpRequest, HttpServer } from '@newswire/http/server'
import { readStrictJson } from '@newswire/http/strict-json'
import type { Publish } from '@newswire/log/events'
import type { Objects } from '@newswire/objects/objects'
import { applyConfiguration, type Change, readHeld } from '@newswire/runtime/apply-config'
import { applyObject, type ObjectComplaint } from '@newswire/runtime/apply-object'
import { checkConfig } from '@newswire/runtime/check-config'
import { type Entry, readEntry } from '@newswire/runtime/config-entries'
import { type FileKind, isFileKind, isSingle, shownOf, toConfigFile } from '@newswire/runtime/config-in-force'
import { findMissedSecrets } from './made-secrets.ts'

type Needs = Readonly<{
  objects: Objects
  publish: Publish
  now: () => number
  /** Of the process that delivers; absent when that is another one. */
  secret?: (name: string) => string | undefined
}>
type Name = Readonly<{ kind: FileKind; id: string }>

/** Ten thousand outlets, with room. */
const MOST_BYTES = 16 * 1024 * 1024

/** `feeds[0].match` as a JSON pointer (RFC 6901), which is what errors name fields by. */
const toPointer = (path: string): string =>
  path === 'the file' || path === '' ? '' : `/${path.replace(/\[(\d+)\]/g, '.$1').replaceAll('.', '/')}`

/** What is wrong in another object is nowhere in the body: its name is told in words. */
const toFieldError = ({ path, expected, found, object }: ObjectComplaint): FieldError => ({
  pointer: object === undefined ? toPointer(path) : '',
  detail: `${object === undefined ? '' : `${object} would be wrong: ${path}: `}expected ${expected}, found ${found}`,
  expected,
  found,
})

const refuse = (complaints: readonly ObjectComplaint[], title: string): never => {
  const detail = `${complaints.length} ${complaints.length === 1 ? 'complaint' : 'complaints'}`
  throw new ProblemError({ status: 422, code: 'NEWSWIRE_CONFIG_INVALID', title, detail, errors: complaints.map(toFieldError) })
}

const readJson = (request: HttpRequest): unknown => readStrictJson(request.rawBody ?? new Uint8Array())

/** Throws the 400 for what cannot be understood: a `dryRun=yes` that is passed over would be applied. */
const flagsOf = <N extends 'prune' | 'dryRun' | 'force'>(request: HttpRequest, names: readonly N[]): Readonly<Record<N, boolean>> => {
  const query = request.query as Record<string, unknown>
  const wrong = Object.keys(query).find(name => !names.some(one => one === name) || (query[name] !== 'true' && query[name] !== 'false'))
  if (wrong === undefined) return Object.fromEntries(names.map(name => [name, query[name] === 'true'])) as Record<N, boolean>
  const detail = `there are ${names.join(', ')}, each once, true or false; nothing was applied`
  throw problem(400, 'NEWSWIRE_CONFIG_QUERY', `The parameter ${wrong.slice(0, 40)} cannot be understood`, detail)
}

/** Nothing is wrong with what was sent: somebody else was there first. */
const applying = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof RejectError) || codeOf(error) !== 'NEWSWIRE_CONFIG_RACE') throw error
    throw problem(409, 'NEWSWIRE_CONFIG_RACE', 'Somebody else changed it meanwhile', error.message)
  }
}

const nameOf = (request: HttpRequest): Name => {
  const { kind, id } = request.params as { kind: string; id: string }
  if (kind === 'tokens') throw notFound('tokens that were made here are under /v1/tokens')
  if (isFileKind(kind) && (isSingle(kind) ? id === 'main' : isConfigId(id))) return { kind, id }
  throw notFound('there are /v1/config/{publishers,categories,feeds,outlets}/<id> and /v1/config/{site,network,pictures}/main')
}

/** By its counter, and by what is shown, which a newer build may say otherwise. */
const toTag = (n: number, shown: unknown): string => `"${n}-${sha256Hex(JSON.stringify(shown)).slice(0, 8)}"`
const toEtag = (held: Entry): string => toTag(held.n, shownOf(held))

/** What counts where nobody has set it, as its default says; `null` for what is not there then. */
const defaultOf = ({ kind }: Name): unknown => (kind === 'pictures' || kind === 'network' ? configKinds[kind].parse({}) : null)
const unsetTagOf = (name: Name): string | null => {
  const value = defaultOf(name)
  return value === null ? null : toTag(0, value)
}

const isInFile = ({ kind, retired }: Entry): boolean => !retired && kind !== 'tokens'

/** Of the whole: by what is shown and by every counter, so that it changes with each change, and tells one that came back from what it was. */
const toWholeEtag = (entries: readonly Entry[]): string => {
  const counters = entries.filter(one => one.kind !== 'tokens').map(({ kind, id, n }) => `${kind}/${id}/${n}`)
  return `"${sha256Hex(JSON.stringify([counters.sort(), toConfigFile(entries)])).slice(0, 32)}"`
}

/** RFC 9110 §13.1.1 and §13.1.2; `undefined` when nothing was asked. A default is nobody's state: `If-None-Match: *` may take its place. */
const toCondition = <T>({ headers }: HttpRequest, tagOf: (held: T | null) => string | null): ((held: T | null) => boolean) | undefined => {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined
  return held => {
    const tag = tagOf(held)
    if (tag === null) return ifMatch === undefined
    const isMatched = ifMatch === undefined || evaluateConditions({ 'if-match': ifMatch }, [tag], null) === 'proceed'
    const isUnset = held === null && ifNoneMatch?.trim() === '*'
    return isMatched && (isUnset || !matchEtag(ifNoneMatch, [tag]))
  }
}

/** `etag`: of what is in force; `null`: nothing is. */
const changedMeanwhile = (etag: string | null) =>
  new ProblemError({
    status: 412,
    code: 'NEWSWIRE_CONFIG_CHANGED',
    title: 'It is not as the condition says',
    detail:
      etag === null
        ? 'there is nothing of the kind in force'
        : 'it is in force as another state; look at it, and send its ETag as If-Match',
    ...(etag === null ? {} : { headers: { etag } }),
  })
const tagOrNone =
  (name: Name) =>
  (held: Entry | null): string | null =>
    held === null ? unsetTagOf(name) : toEtag(held)

export const addConfigRoutes = (app: HttpServer, { objects, publish, now, secret }: Needs): void => {
  /** Of what was changed. */
  const warningsOf = async (config: NewswireConfig, changes: readonly Change[]) => {
    if (secret === undefined) return {}
    const changed = new Set(changes.filter(one => one.change === 'create' || one.change === 'update').map(one => `${one.kind}/${one.id}`))
    const ofChanged = {
      publishers: config.publishers.filter(({ id }) => changed.has(`publishers/${id}`)),
      outlets: config.outlets.filter(({ id }) => changed.has(`outlets/${id}`)),
    }
    const { warnings } = await findMissedSecrets({ objects, config: ofChanged, secret, nowMs: now() })
    return warnings.length === 0 ? {} : { warnings }
  }

  app.get('/v1/config', async (request, reply) => {
    const entries = await readHeld(objects)
    const etag = toWholeEtag(entries)
    reply.header('etag', etag).header('cache-control', 'no-cache')
    const come = evaluateConditions(request.headers, [etag], null)
    if (come === 'failed') throw changedMeanwhile(etag)
    return come === 'not-modified' ? reply.status(304).send() : toConfigFile(entries)
  })
  app.put('/v1/config', { bodyLimit: MOST_BYTES }, async request => {
    const flags = flagsOf(request, ['prune', 'dryRun', 'force'])
    const checked = checkConfig(readJson(request))
    if (!checked.ok) return refuse(checked.complaints, 'The configuration is not valid; nothing was applied')
    const isMet = toCondition(request, (held: readonly Entry[] | null) => (held === null ? null : toWholeEtag(held)))
    const checkHeld = (entries: readonly Entry[]) => {
      const held = entries.some(isInFile) ? entries : null
      if (isMet?.(held) === false) throw changedMeanwhile(held === null ? null : toWholeEtag(held))
    }
    const changes = await applying(applyConfiguration({ objects, publish, config: checked.config, ...flags, now, checkHeld }))
    return { changes, ...(await warningsOf(checked.config, changes)) }
  })

  app.get('/v1/config/:kind/:id', async (request, reply) => {
    const name = nameOf(request)
    const found = await readEntry(objects, name)
    const held = found?.retired === true ? null : found
    const etag = tagOrNone(name)(held)
    if (etag === null) throw notFound(`${name.kind}/${name.id} is not in force; PUT makes it`)
    reply.header('etag', etag).header('cache-control', 'no-cache')
    if (held === null) reply.header('x-newswire-default', 'true')
    const come = evaluateConditions(request.headers, [etag], null)
    if (come === 'failed') throw changedMeanwhile(etag)
    if (come === 'not-modified') return reply.status(304).send()
    return held === null ? defaultOf(name) : shownOf(held)
  })
  app.put('/v1/config/:kind/:id', async (request, reply) => {
    const name = nameOf(request)
    const { dryRun, force } = flagsOf(request, ['dryRun', 'force'])
    const condition = toCondition(request, tagOrNone(name))
    const options = { objects, publish, now, dryRun, force, ...(condition === undefined ? {} : { condition }) }
    const applied = await applying(applyObject(options, { ...name, value: readJson(request) }))
    if (!applied.ok && applied.why === 'condition') throw changedMeanwhile(tagOrNone(name)(applied.held))
    if (!applied.ok) return refuse(applied.complaints, `${name.kind}/${name.id} is not valid; nothing was applied`)
    const { change, config, n, value } = applied
    if (!dryRun) reply.header('etag', toTag(n, value))
    reply.status(change.change === 'create' && !dryRun ? 201 : 200)
    return { change, ...(await warningsOf(config, [change])) }
  })
}
