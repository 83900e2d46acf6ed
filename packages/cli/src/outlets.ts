/** `newswire outlets …`: how outlets stand, what came for one, and what may be done with it. */
import { setTimeout } from 'node:timers/promises'
import type { OutletLine } from '@newswire/console/outlet-list'
import { newId } from '@newswire/events/ids'
import type { OutletRequest } from '@newswire/events/outlet'
import type { Rotated } from '@newswire/runtime/outlet-control'
import type { Came, CamePage } from '@newswire/runtime/outlet-deliveries'
import type { OutletStatus } from '@newswire/runtime/outlet-status'
import { createClient } from './client.ts'
import type { WaitOptions } from './command-tree.ts'
import { showTable } from './show.ts'
import { siteTimes } from './site-times.ts'
import { printResult, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

type Shown = OutletStatus & Readonly<{ id: string; kind: string; lastDoneAt: string | null; requests: readonly OutletRequest[] }>

const POLL_MS = 200

const path = (id: string, rest = '') => `/v1/outlets/${encodeURIComponent(id)}${rest}`

const countsOf = (open: OutletLine['open']): string => {
  const entries = Object.entries(open).map(([state, n]) => `${n} ${state}`)
  return entries.length === 0 ? '–' : entries.join(', ')
}

export const listOutlets = async (terminal: Terminal): Promise<boolean> => {
  const using = await createClient(terminal)
  const { outlets } = (await using.console('GET', '/v1/outlets')) as { outlets: readonly OutletLine[] }
  const say = await siteTimes(using, terminal)
  const rows = outlets.map(one =>
    [
      one.id,
      one.kind,
      one.state,
      countsOf(one.open),
      one.oldestOpenAt ?? '–',
      one.lastDoneAt ?? '–',
      one.failingSince === null ? '' : `since ${one.failingSince}: ${one.lastError ?? ''}`,
    ].map(say),
  )
  const head = ['outlet', 'kind', 'state', 'still to come', 'oldest', 'last delivered', 'failing']
  printResult(terminal, outlets, outlets.length === 0 ? 'No outlets.' : showTable([head, ...rows]))
  return true
}

const requestLine = (one: OutletRequest): string =>
  `  ${one.at}  ${one.kind} by ${one.by}: ${one.state}${one.answer === null ? '' : `, ${one.answer}`} (${one.id})`

const secretLine = ({ from, since, until }: OutletStatus['secrets'][number]): string =>
  `  ${from === 'system' ? `made ${since ?? ''}` : 'from the environment'}${until === null ? '' : `, until ${until}`}`

const toText = (one: Shown): string => {
  const { pending } = one
  const held =
    one.paused === null ? (one.suspended === null ? '' : `: ${one.suspended.reason}`) : ` by ${one.paused.by} since ${one.paused.at}`
  const oldest = pending.oldestSince === null ? '' : `, the oldest since ${pending.oldestSince}`
  return [
    `${one.id}  ${one.kind}  ${one.state}${held}`,
    `  still to get: ${pending.articles}${pending.more ? ' and more' : ''} (${pending.retractions} retractions, ${pending.rejected} rejected, ${pending.dead} given up)${oldest}`,
    `  last delivered: ${one.lastDoneAt ?? '–'}`,
    ...(one.failingSince === null ? [] : [`  failing since ${one.failingSince}: ${one.lastError ?? ''}`]),
    ...(one.openUntil === null ? [] : [`  its breaker is open until ${one.openUntil}`]),
    'secrets that sign:',
    ...one.secrets.map(secretLine),
    ...(one.requests.length === 0 ? [] : ['asked of it of late:', ...one.requests.slice(0, 10).map(requestLine)]),
  ].join('\n')
}

export const showOutlet = async (terminal: Terminal, id: string): Promise<boolean> => {
  const using = await createClient(terminal)
  const found = (await using.console('GET', path(id))) as Shown
  const say = await siteTimes(using, terminal)
  printResult(terminal, found, say(toText(found)))
  return true
}

export const holdOutlet = async (terminal: Terminal, act: 'pause' | 'resume', id: string): Promise<boolean> => {
  const done = await (await createClient(terminal)).console('POST', path(id, `/${act}`))
  printResult(
    terminal,
    done,
    act === 'pause'
      ? `${id} is paused: nothing goes out, retractions neither, and all of it is kept; \`newswire outlets resume ${id}\` goes on`
      : `${id} goes on`,
  )
  return true
}

/** The request at its end, or as it is when the time is over. */
const follow = async (terminal: Terminal, id: string, requestId: string, timeout: number): Promise<OutletRequest | undefined> => {
  const using = await createClient(terminal)
  for (const deadline = performance.now() + timeout * 1000; ; ) {
    const { requests } = (await using.console('GET', path(id))) as Shown
    const found = requests.find(one => one.id === requestId)
    if (found?.state === 'done' || found?.state === 'failed' || performance.now() > deadline) return found
    await setTimeout(POLL_MS)
  }
}

const ask = async (
  terminal: Terminal,
  id: string,
  act: 'test' | 'replay',
  body: object,
  { wait, timeout }: WaitOptions,
): Promise<boolean> => {
  const requestId = newId()
  const using = await createClient(terminal)
  const asked = (await using.console('POST', path(id, `/${act}`), JSON.stringify({ id: requestId, ...body }))) as OutletRequest
  const ended = wait ? await follow(terminal, id, requestId, timeout) : asked
  const words =
    ended?.answer ?? (wait ? `not done within ${timeout} s; it goes on, \`newswire outlets show ${id}\` says how far it is` : 'asked for')
  printResult(terminal, ended ?? asked, `${act} of ${id}: ${words}`)
  return wait ? ended?.state === 'done' : true
}

export const testOutlet = (terminal: Terminal, id: string, { timeout }: { timeout: number }): Promise<boolean> =>
  ask(terminal, id, 'test', {}, { wait: true, timeout })

export const replayOutlet = (
  terminal: Terminal,
  id: string,
  { fromSequence, fromTime, ...following }: WaitOptions & Readonly<{ fromSequence?: string; fromTime?: string }>,
): Promise<boolean> => {
  if ((fromSequence === undefined) === (fromTime === undefined)) throw new UsageError('give either --from-sequence or --from-time')
  if (fromSequence !== undefined && !/^\d{1,16}$/.test(fromSequence))
    throw new UsageError(
      `--from-sequence must be a sequence, as x-newswire-sequence and \`newswire outlets deliveries\` say it, got ${fromSequence}`,
    )
  const from = fromSequence === undefined ? { fromTime } : { fromSequence: Number(fromSequence) }
  return ask(terminal, id, 'replay', from, following)
}

const cameRow = (one: Came): string[] => [
  String(one.sequence),
  one.at,
  one.articleId,
  `v${one.version}`,
  `${one.action ?? ''}${one.replayed ? ' (replay)' : ''}`,
  one.state,
  [
    one.attempts ? `${one.attempts} ${one.attempts === 1 ? 'attempt' : 'attempts'}` : '',
    one.nextAt ? `next ${one.nextAt}` : '',
    one.lastError ?? '',
  ]
    .filter(Boolean)
    .join(', '),
]

export const listDeliveries = async (
  terminal: Terminal,
  id: string,
  { after, limit }: { after: string; limit: string },
): Promise<boolean> => {
  const query = new URLSearchParams({ after, limit })
  const using = await createClient(terminal)
  const page = (await using.console('GET', path(id, `/deliveries?${query}`))) as CamePage
  const say = await siteTimes(using, terminal)
  const table = showTable([
    ['sequence', 'when', 'article', 'version', 'action', 'state', ''],
    ...page.deliveries.map(one => cameRow(one).map(say)),
  ])
  const lines = [
    ...(page.gap ? ['What came before the first one is no longer kept.'] : []),
    page.deliveries.length === 0 ? 'Nothing came.' : table,
    ...(page.more ? [`There is more: --after ${page.next}`] : []),
  ]
  printResult(terminal, page, lines.join('\n'))
  return true
}

export const rotateSecret = async (terminal: Terminal, id: string, { overlapHours }: { overlapHours?: string }): Promise<boolean> => {
  const hours = overlapHours === undefined ? undefined : Number(overlapHours)
  if (hours !== undefined && !(hours >= 0 && hours <= 168)) throw new UsageError(`--overlap-hours must be 0 to 168, got ${overlapHours}`)
  const body = JSON.stringify({ id: newId(), ...(hours === undefined ? {} : { overlapHours: hours }) })
  const using = await createClient(terminal)
  const made = (await using.console('POST', path(id, '/secrets'), body)) as Rotated
  const say = await siteTimes(using, terminal)
  printResult(terminal, made, `${made.secret}\nThis is shown once. Until ${say(made.overlapUntil)} the secrets before it sign too.`)
  return true
}
