/** How far everything is: of a running system its console tells, of one that stands still its log and its store. */
import type { OutletLine } from '@newswire/console/outlet-list'
import { readStages, STUCK_MS, type Stage } from '@newswire/console/stages'
import type { Unset } from '@newswire/console/unset-secrets'
import type { OutletConfig } from '@newswire/events/config'
import { topics } from '@newswire/events/topics'
import type { ObjectsReader } from '@newswire/objects/disk-reader'
import { countPending } from '@newswire/runtime/outlet-status'
import type { Client } from '../client.ts'
import { type Finding, failed, looking, ok, warning } from './finding.ts'
import type { LogState } from './log.ts'

type Overview = Readonly<{
  healthy: boolean
  sentence: string
  deadLetters: number
  stages: readonly Stage[]
  version?: string
  unsetSecrets?: readonly Unset[]
}>

/** `null` when no console answers as one should; why is a finding. */
export type Told = Readonly<{ findings: readonly Finding[]; overview: Overview | null }>

const lagFinding = (stages: readonly Pick<Stage, 'group' | 'topic' | 'lag' | 'oldestMs'>[]): Finding => {
  const stuck = stages.filter(({ oldestMs }) => (oldestMs ?? 0) > STUCK_MS)
  if (stuck.length > 0)
    return warning(
      'lag',
      stuck
        .map(
          one => `${one.group} is ${one.lag} records behind on ${one.topic}, the oldest waits ${Math.round((one.oldestMs ?? 0) / 1000)} s`,
        )
        .join('; '),
      'Look at what that service logs, or start more of it (`newswire run`); what waits is not lost.',
    )
  const waiting = stages.reduce((sum, one) => sum + one.lag, 0)
  return ok('lag', stages.length === 0 ? 'no group has read anything yet' : `${waiting} records wait, none for a minute`)
}

const deadLetterFinding = (open: number): Finding =>
  open === 0
    ? ok('dead-letters', 'none are open')
    : warning(
        'dead-letters',
        `${open} ${open === 1 ? 'is' : 'are'} open`,
        '`newswire dead-letters list --open`; then redrive or discard each',
      )

const outletFinding = (outlets: readonly OutletLine[]): Finding => {
  const troubled = outlets.filter(one => ['failing', 'suspended', 'paused'].includes(one.state))
  const count = (one: OutletLine) => Object.values(one.open).reduce((sum, n) => sum + n, 0)
  const waiting = outlets.reduce((sum, one) => sum + count(one), 0)
  if (troubled.length === 0) return ok('pending', `${waiting} deliveries still to come, no outlet fails`)
  const words = troubled.map(
    one =>
      `${one.id} is ${one.state}${one.failingSince === null ? '' : ` since ${one.failingSince} (${one.lastError ?? ''})`}, ${count(one)} wait`,
  )
  return warning('pending', words.join('; '), '`newswire outlets show ID`; what waits is kept and goes out once it is well')
}

/** Asks the console of a running system. */
export const askConsole = async (client: Client, version: string): Promise<Told> => {
  let overview: Overview | null = null
  const findings = await looking(
    'console',
    async () => {
      overview = (await client.console('GET', '/v1/overview')) as Overview
      const { outlets } = (await client.console('GET', '/v1/outlets')) as { outlets: readonly OutletLine[] }
      const running = overview.version
      return [
        overview.healthy
          ? ok('overview', overview.sentence)
          : failed('overview', overview.sentence, 'The lines below say more; so does the console.'),
        ...(running === undefined || running === version
          ? [
              ok(
                'version',
                running === undefined ? 'the running system does not tell its own' : `the running system is ${running}, as this is`,
              ),
            ]
          : [
              warning(
                'version',
                `the running system is ${running}, this is ${version}`,
                'Start the system again, or use its own newswire.',
              ),
            ]),
        lagFinding(overview.stages),
        outletFinding(outlets),
        deadLetterFinding(overview.deadLetters),
      ]
    },
    'Set NEWSWIRE_CONSOLE_TOKEN as the console has it, and NEWSWIRE_CONSOLE_URL.',
  )
  return { findings, overview }
}

const pendingInStore = (objects: ObjectsReader, outlets: readonly OutletConfig[], nowMs: number): Promise<readonly Finding[]> =>
  looking('pending', async () => {
    const counts = await Promise.all(
      outlets.map(async outlet => ({ id: outlet.id, pending: await countPending(objects, outlet, { by: 'operator', nowMs }) })),
    )
    const waiting = counts.filter(one => one.pending.articles > 0)
    if (waiting.length === 0) return [ok('pending', 'nothing is written down as pending')]
    const words = waiting.map(
      ({ id, pending }) => `${id}: ${pending.articles}${pending.more ? ' and more' : ''} since ${pending.oldestSince}`,
    )
    return [warning('pending', words.join('; '), 'They go out once it runs; `newswire outlets show ID` says what stands in the way.')]
  })

/** Without a console: what log and store know. */
export const lookInside = async (
  { log, file }: LogState,
  objects: ObjectsReader | null,
  outlets: readonly OutletConfig[],
  nowMs: number,
): Promise<readonly Finding[]> => {
  const lag = await looking('lag', async () => {
    if (log !== null) return [lagFinding(await readStages(log))]
    const waiting = (file?.lag ?? []).filter(one => one.records > 0 && !one.group.startsWith('console-guard-'))
    if (file === null) return []
    if (waiting.length === 0) return [ok('lag', 'nothing waits in the log')]
    return [ok('lag', `waits for the next start: ${waiting.map(one => `${one.records} for ${one.group} (${one.topic})`).join(', ')}`)]
  })
  const letters = await looking('dead-letters', async () => {
    const name = topics.deadLetters.name
    const kept = log === null ? (file?.kept[name] ?? null) : (await log.ends(name)).reduce((sum, { start, end }) => sum + end - start, 0)
    if (kept === null) return []
    return [
      kept === 0
        ? ok('dead-letters', 'none')
        : warning('dead-letters', `${kept} are kept, decided on or not`, 'Once it runs: `newswire dead-letters list`'),
    ]
  })
  return [...lag, ...(objects === null ? [] : await pendingInStore(objects, outlets, nowMs)), ...letters]
}
