/** Applying a configuration: a plan first, then each object by compare-and-swap, then the note that it changed. Repeating finds nothing to do. */
import { isDeepStrictEqual } from 'node:util'
import { type ConfigKind, configObject, type NewswireConfig } from '@newswire/events/config'
import { RejectError } from '@newswire/events/errors'
import { deriveId } from '@newswire/events/ids'
import type { Publish } from '@newswire/log/events'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { readEntries } from './configuration.ts'

export type Change = Readonly<{ kind: ConfigKind; id: string; change: 'create' | 'update' | 'retire' | 'unchanged' }>
export type ApplyOptions = Readonly<{
  objects: Objects
  publish: Publish
  config: NewswireConfig
  /** Retires what the file no longer names; without it that stays as it is. */
  prune?: boolean
  /** Only says what would change. */
  dryRun?: boolean
  /** Lets `site.id` change, which changes the identity of every item ever published. */
  force?: boolean
  now: () => number
}>

type Wanted = Readonly<{ kind: ConfigKind; id: string; value: unknown }>

const toWanted = ({ site, network, publishers, categories, feeds, outlets }: NewswireConfig): readonly Wanted[] => [
  { kind: 'site', id: 'main', value: site },
  { kind: 'network', id: 'main', value: network },
  ...publishers.map(value => ({ kind: 'publishers' as const, id: value.id, value })),
  ...categories.map(value => ({ kind: 'categories' as const, id: value.id, value })),
  ...feeds.map(value => ({ kind: 'feeds' as const, id: value.id, value })),
  ...outlets.map(value => ({ kind: 'outlets' as const, id: value.id, value })),
]

/** Through JSON, so that what is stored and what is wanted compare alike. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** Throws `RejectError` `NEWSWIRE_CONFIG_SITE_ID` when the site's identity would change without `force`, `NEWSWIRE_CONFIG_RACE` when somebody else applies at the same time. */
export const applyConfiguration = async (options: ApplyOptions): Promise<readonly Change[]> => {
  const { objects, publish, config, prune = false, dryRun = false, force = false, now } = options
  const held = new Map((await readEntries(objects)).map(entry => [`${entry.kind}/${entry.id}`, entry]))
  const before = held.get('site/main')?.value as { id: string } | undefined
  if (before !== undefined && before.id !== config.site.id && !force)
    throw new RejectError(
      'NEWSWIRE_CONFIG_SITE_ID',
      `site.id is ${JSON.stringify(before.id)} and every published item is named after it; ${JSON.stringify(config.site.id)} would make them all new ones. Apply with --force if that is meant.`,
    )

  const wanted = toWanted(config)
  const plan: { change: Change; value: unknown }[] = wanted.map(({ kind, id, value }) => {
    const entry = held.get(`${kind}/${id}`)
    const same = entry !== undefined && !entry.retired && isDeepStrictEqual(plain(entry.value), plain(value))
    return { change: { kind, id, change: entry === undefined ? 'create' : same ? 'unchanged' : 'update' }, value }
  })
  if (prune)
    for (const entry of held.values())
      if (!entry.retired && !wanted.some(one => one.kind === entry.kind && one.id === entry.id))
        plan.push({ change: { kind: entry.kind, id: entry.id, change: 'retire' }, value: entry.value })
  if (!dryRun)
    for (const { change, value } of plan) if (change.change !== 'unchanged') await write({ objects, publish, now }, change, value)
  return plan.map(one => one.change)
}

const write = async (
  { objects, publish, now }: Pick<ApplyOptions, 'objects' | 'publish' | 'now'>,
  { kind, id, change }: Change,
  value: unknown,
): Promise<void> => {
  const key = keys.config(kind, id)
  const held = await getDocument(objects, key, configObject)
  const n = (held?.value.n ?? 0) + 1
  const changedAt = new Date(now()).toISOString()
  const document = { n, retired: change === 'retire', changedAt, value }
  const swapped = await swapDocument(objects, key, document, held?.etag ?? null)
  if (!swapped.ok)
    throw new RejectError(
      'NEWSWIRE_CONFIG_RACE',
      `${kind}/${id} was changed by somebody else at the same moment; look at the plan again and apply once more`,
    )
  await swapDocument(objects, keys.configHistory(kind, id, n), document, null)
  const eventId = deriveId('config', kind, id, n)
  await publish(
    [
      {
        id: eventId,
        type: 'config.changed',
        source: '/services/console',
        subject: `${kind}/${id}`,
        time: changedAt,
        correlationid: eventId,
        data: { kind, id, n },
      },
    ],
    { synced: true },
  )
}
