/**
 * Feeds made again from state because an operator wants it (contract §8). The wish is an object, so none is lost: what is said on the log only
 * wakes the builder, and a sweep finds the wishes that nobody took up.
 */
import { type FeedRebuild, feedRebuild } from '@newswire/events/feed-page'
import { deriveId, newId } from '@newswire/events/ids'
import { notFound, problem } from '@newswire/http/problem'
import type { HttpServer } from '@newswire/http/server'
import { readStrictJson } from '@newswire/http/strict-json'
import { validateWith } from '@newswire/http/validate'
import type { Publish } from '@newswire/log/events'
import { type ArchiveWanted, changeWanted, readWanted } from '@newswire/objects/archive-wanted'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { readSearchWanted, searchSources, wantSearch } from '@newswire/objects/search-wanted'
import type { Configuration } from '@newswire/runtime/configuration'
import { z } from 'zod'
import { readNothing } from './acts.ts'

type Needs = Readonly<{ objects: Objects; configuration: Pick<Configuration, 'current'>; publish: Publish; now: () => number }>

/** Without `ids`: all feeds. */
const wantedRebuild = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('feeds'), ids: z.array(z.string()).min(1).optional() }),
  /** The search index of every gateway. */
  z.strictObject({ kind: z.literal('search'), source: z.enum(searchSources).default('log') }),
  /** Which pack of the archive holds what, and where. */
  z.strictObject({ kind: z.literal('archive-index') }),
])

/** `wanted`: how often it was asked for; `done`: up to which time it was done; `last`: what came of that. */
const toArchiveIndex = ({ reindex, reindexed, lastReindex }: ArchiveWanted) => ({ wanted: reindex, done: reindexed, last: lastReindex })

/** Losing this often in a row means that somebody asks for rebuilds without end. */
const ROUNDS = 5

const noFeed = (feedId: string) => notFound(`there is no feed ${feedId.slice(0, 100)}; /v1/feeds lists them`)

/** What is there, with its tag; a document that is not as it should be is replaced like any other. */
const readWish = async (objects: Pick<Objects, 'get' | 'head'>, feedId: string) => {
  const key = keys.feed(feedId, 'rebuild.json')
  try {
    const found = await getDocument(objects, key, feedRebuild)
    return { n: found?.value.n ?? 0, etag: found?.etag ?? null }
  } catch {
    return { n: 0, etag: (await objects.head(key))?.etag ?? null }
  }
}

export const addRebuildRoutes = (app: HttpServer, { objects, configuration, publish, now }: Needs): void => {
  const wish = async (feedId: string, id: string, requestedAt: string): Promise<void> => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const { n, etag } = await readWish(objects, feedId)
      const next: FeedRebuild = {
        n: n + 1,
        id,
        feedId,
        requestedAt,
        state: 'wanted',
        changed: false,
        pages: { total: 0, looked: 0, written: 0 },
      }
      if ((await swapDocument(objects, keys.feed(feedId, 'rebuild.json'), next, etag)).ok) return
    }
    const detail = `another rebuild of ${feedId} was asked for ${ROUNDS} times meanwhile; GET /v1/rebuilds says how far it is`
    throw problem(409, 'NEWSWIRE_REBUILD_RACE', 'Others ask for the same', detail)
  }

  const ask = async (feedIds: readonly string[]) => {
    const id = newId()
    const time = new Date(now()).toISOString()
    for (const feedId of feedIds) await wish(feedId, id, time)
    await publish(
      feedIds.map(feedId => ({
        type: 'feed.changed' as const,
        id: deriveId('feed.changed', feedId, 'rebuild', id),
        source: '/services/console',
        subject: feedId,
        time,
        data: { feedId, articleId: null, version: 0, rebuild: id },
      })),
      { synced: true },
    )
    return { id, kind: 'feeds', feeds: feedIds }
  }

  app.get('/v1/rebuilds', async () => {
    const feedIds = [...configuration.current().feeds.keys()]
    const found = await Promise.all(
      feedIds.map(feedId => getDocument(objects, keys.feed(feedId, 'rebuild.json'), feedRebuild).catch(() => null)),
    )
    const search = await readSearchWanted(objects).catch(() => null)
    const archive = await readWanted(objects).catch(() => null)
    return {
      rebuilds: found.flatMap(one => (one === null ? [] : [one.value])),
      search: search?.value ?? null,
      archiveIndex: archive === null || archive.value.reindex === 0 ? null : toArchiveIndex(archive.value),
    }
  })
  /** For who follows one closely: `/v1/rebuilds` says the same, and reads an object of every feed for it. */
  app.get('/v1/rebuilds/search', async () => ({ search: (await readSearchWanted(objects))?.value ?? null }))
  app.post('/v1/rebuilds', async (request, reply) => {
    const wanted = validateWith(wantedRebuild, readStrictJson(request.rawBody ?? new Uint8Array()), 'rebuild')
    if (wanted.kind === 'search') {
      const wish = { id: newId(), requestedAt: new Date(now()).toISOString(), source: wanted.source }
      await wantSearch(objects, wish)
      return reply.status(202).send({ kind: 'search', ...wish })
    }
    if (wanted.kind === 'archive-index') {
      const asked = await changeWanted(objects, is => ({ ...is, reindex: is.reindex + 1 }))
      return reply.status(202).send({ kind: 'archive-index', ...toArchiveIndex(asked) })
    }
    const { ids } = wanted
    const { feeds } = configuration.current()
    const unknown = ids?.find(feedId => !feeds.has(feedId))
    if (unknown !== undefined) throw noFeed(unknown)
    return reply.status(202).send(await ask(ids === undefined ? [...feeds.keys()] : [...new Set(ids)]))
  })
  app.post('/v1/feeds/:feedId/rebuild', async (request, reply) => {
    const { feedId } = request.params as { feedId: string }
    if (!configuration.current().feeds.has(feedId)) throw noFeed(feedId)
    readNothing(request, 'rebuild')
    return reply.status(202).send(await ask([feedId]))
  })
}
