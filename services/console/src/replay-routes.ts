/** Replays of all outlets in one place (contract §8, `/v1/replays`): what was asked of late and how far it is, and one more. */
import { isConfigId, newId } from '@newswire/events/ids'
import { type OutletRequest, outletRequests } from '@newswire/events/outlet'
import { replayBody, toReplayFrom } from '@newswire/events/outlet-acts'
import { notFound } from '@newswire/http/problem'
import type { HttpServer } from '@newswire/http/server'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'
import type { Configuration } from '@newswire/runtime/configuration'
import type { OutletControl } from '@newswire/runtime/outlet-control'
import { sideBySide } from '@newswire/runtime/side-by-side'
import { z } from 'zod'
import { acting, readBody } from './acts.ts'

type Needs = Readonly<{
  objects: Pick<Objects, 'get' | 'list'>
  configuration: Pick<Configuration, 'current'>
  control: Pick<OutletControl, 'ask'>
}>

type AskedReplay = Extract<OutletRequest, { kind: 'replay' }> & Readonly<{ outlet: string }>

/** Outlets that were asked something last, and replays that are told. */
const MOST_OUTLETS = 100
const MOST = 200
const READS_AT_ONCE = 16

const idOfKey = (key: string): string => key.slice(keys.outletRequestsPrefix.length, -'.json'.length)

/** Newest first. An object that cannot be read is left out; whoever works with it says so in the log. */
const listReplays = async (objects: Needs['objects']): Promise<readonly AskedReplay[]> => {
  const found = []
  for await (const page of listPages(objects, keys.outletRequestsPrefix)) found.push(...page)
  const latest = found
    .filter(({ key }) => isConfigId(idOfKey(key)))
    .sort((a, b) => b.lastModified.getTime() - a.lastModified.getTime())
    .slice(0, MOST_OUTLETS)
  const asked = await sideBySide(latest, READS_AT_ONCE, async ({ key }) => {
    const held = await getDocument(objects, key, outletRequests).catch(() => null)
    return (held?.value.requests ?? []).flatMap(one => (one.kind === 'replay' ? [{ outlet: idOfKey(key), ...one }] : []))
  })
  return asked
    .flat()
    .sort((a, b) => (a.at < b.at ? 1 : -1))
    .slice(0, MOST)
}

const body = replayBody.safeExtend({ outlet: z.string().refine(isConfigId, 'expected the id of an outlet') })

export const addReplayRoutes = (app: HttpServer, { objects, configuration, control }: Needs): void => {
  app.get('/v1/replays', async () => ({ replays: await listReplays(objects) }))
  app.post('/v1/replays', async (request, reply) => {
    const { outlet, id = newId(), ...from } = readBody(request, body, 'replay')
    if (!configuration.current().outlets.has(outlet)) throw notFound('there is no such outlet; /v1/outlets lists them')
    const asked = await acting(control.ask(outlet, { kind: 'replay', from: toReplayFrom(from) }, { id, by: 'operator' }))
    return reply.status(202).send({ outlet, ...asked })
  })
}
