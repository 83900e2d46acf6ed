/** The public keys of the archive and its newest manifest: what a copy of the archive is proved with (`services/archive/README.md`). */
import { UnavailableError } from '@newswire/events/errors'
import type { HttpServer } from '@newswire/http/server'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { notFound } from './answers.ts'

type Needs = Readonly<{ objects: Pick<Objects, 'get'>; now: () => number }>

/** How old an answer may be, ms: keys change by the year, the newest manifest by the day. */
const FRESH_MS = 60_000

export const addArchiveKeysRoute = (app: HttpServer, { objects, now }: Needs): void => {
  let known: { at: number; body: string } | null = null
  const read = async (): Promise<string | null> => {
    if (known !== null && Math.abs(now() - known.at) < FRESH_MS) return known.body
    try {
      const found = await objects.get(keys.archiveKeys())
      if (found === null) return null
      const { n: _counter, ...published } = JSON.parse(Buffer.from(found.bytes).toString('utf8')) as { n: number }
      known = { at: now(), body: `${JSON.stringify(published, null, 2)}\n` }
      return known.body
    } catch (error) {
      // Old keys are still right: none is ever taken away.
      if (known !== null && error instanceof UnavailableError) return known.body
      throw error
    }
  }
  app.get('/.well-known/newswire-keys.json', async (_request, reply) => {
    const body = await read()
    if (body === null) throw notFound('nothing was archived under a signature yet')
    return reply.type('application/jwk-set+json').header('cache-control', 'public, max-age=300').send(body)
  })
}
