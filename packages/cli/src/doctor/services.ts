/** Who answers where a service should be, whether it is ready, and what the clocks of those who answer say. */
import { createServer } from 'node:net'
import { messageOf } from '@newswire/events/errors'
import type { Environment, Settings } from '@newswire/runtime/settings'
import { urlAt } from '../check-ports.ts'
import type { ClientDocument } from '../client.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

const ASK_WITHIN_MS = 5_000
/** Of an answer that is ours there is less. */
const READ_CHARACTERS = 65_536

/** `url` and the setting that gives another. */
export type Door = Readonly<{ name: 'gateway' | 'ingest' | 'console'; url: string; setting: string; port: number }>

type Answer = Readonly<{ status: number; text: string; date: string | null; askedAtMs: number; answeredAtMs: number }>
/** `answer` is `null` when there was none; `reason` then says why. */
export type Asked = Readonly<{ door: Door; answer: Answer | null; reason: string | null }>

/** The environment, else what `up` left in its data folder, else where the settings would have it. */
export const toDoors = (environment: Environment, settings: Settings, left: ClientDocument | null): readonly Door[] => {
  const at = (port: number) => urlAt(settings.host, port)
  const { gatewayPort, ingestPort, consolePort } = settings
  return [
    { name: 'gateway', url: settings.probeUrl ?? left?.gateway ?? at(gatewayPort), setting: 'NEWSWIRE_GATEWAY_PORT', port: gatewayPort },
    {
      name: 'ingest',
      url: environment.NEWSWIRE_INGEST_URL ?? left?.ingest ?? at(ingestPort),
      setting: 'NEWSWIRE_INGEST_PORT',
      port: ingestPort,
    },
    {
      name: 'console',
      url: environment.NEWSWIRE_CONSOLE_URL ?? left?.console ?? at(consolePort),
      setting: 'NEWSWIRE_CONSOLE_PORT',
      port: consolePort,
    },
  ]
}

const ask = async (url: string, now: () => number): Promise<Answer> => {
  const askedAtMs = now()
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(ASK_WITHIN_MS) })
  const text = (await response.text()).slice(0, READ_CHARACTERS)
  return { status: response.status, text, date: response.headers.get('date'), askedAtMs, answeredAtMs: now() }
}

export const askDoors = (doors: readonly Door[], now: () => number): Promise<readonly Asked[]> =>
  Promise.all(
    doors.map(async door => {
      try {
        return { door, answer: await ask(`${door.url}/readyz`, now), reason: null }
      } catch (error) {
        const cause = (error as { cause?: unknown }).cause
        return { door, answer: null, reason: (cause as NodeJS.ErrnoException | undefined)?.code ?? messageOf(cause ?? error) }
      }
    }),
  )

type Readyz = Readonly<{ ready: boolean; detail?: unknown }>

const readReadyz = (text: string): Readyz | null => {
  try {
    const value = JSON.parse(text) as Partial<Readyz> | null
    return typeof value?.ready === 'boolean' ? { ready: value.ready, detail: value.detail } : null
  } catch {
    return null
  }
}

const toFinding = ({ door, answer, reason }: Asked): Finding => {
  const { name, url, setting } = door
  if (answer === null)
    return failed(
      name,
      `nothing answers at ${url} (${reason}), and others do`,
      `Start ${name} again; its log says why it ended. If it is elsewhere, say where (NEWSWIRE_INGEST_URL, NEWSWIRE_CONSOLE_URL, NEWSWIRE_PROBE_URL).`,
    )
  const ready = readReadyz(answer.text)
  if (ready === null)
    return failed(
      name,
      `what answers at ${url} is no Newswire (HTTP ${answer.status})`,
      `Stop what has that port, or give another with ${setting}.`,
    )
  const tookMs = answer.answeredAtMs - answer.askedAtMs
  if (ready.ready) return ok(name, `ready at ${url} (${tookMs} ms)`)
  return failed(
    name,
    `not ready at ${url}: ${JSON.stringify(ready.detail ?? {}).slice(0, 500)}`,
    'The lines about log and store say more; so does what it logs. It becomes ready by itself once they are there.',
  )
}

/** Whether a port of this machine can be had; `null` when it can. */
const findPortOffence = (host: string, port: number): Promise<string | null> =>
  new Promise(resolve => {
    const server = createServer()
    server
      .once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      .listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })

/** Nobody answers: whether a start would find its ports. */
const lookAtPorts = async (doors: readonly Door[], host: string): Promise<readonly Finding[]> => {
  const offences = await Promise.all(
    doors.filter(({ port }) => port !== 0).map(async door => ({ door, offence: await findPortOffence(host, door.port) })),
  )
  return offences.flatMap(({ door, offence }) =>
    offence === null
      ? []
      : [
          failed(
            door.name,
            `port ${door.port} on ${host} cannot be had (${offence}), and what has it answers no HTTP`,
            `Stop what has it, or give ${door.name} another port with ${door.setting}.`,
          ),
        ],
  )
}

export const isRunning = (asked: readonly Asked[]): boolean =>
  asked.some(({ answer }) => answer !== null && readReadyz(answer.text) !== null)

/** A line for each service; one for all of them where nothing answers at all. */
export const lookAtServices = async (asked: readonly Asked[], host: string): Promise<readonly Finding[]> => {
  if (asked.some(({ answer }) => answer !== null)) return asked.map(toFinding)
  const ports = await lookAtPorts(
    asked.map(({ door }) => door),
    host,
  )
  const urls = asked.map(({ door }) => door.url).join(', ')
  return [
    warning(
      'services',
      `Newswire is not running: nothing answers at ${urls}`,
      'Start it with `newswire up` or `newswire run …`, once what is below is mended.',
    ),
    ...ports,
  ]
}

/** Signatures are refused by whoever's clock is five minutes away (Standard Webhooks), and by S3 at fifteen; dates of items are wrong before that. ms. */
const REFUSED_MS = 300_000
const NOTICED_MS = 10_000
/** The `Date` of an answer has no fractions. */
const DATE_STEP_MS = 1_000

export type ClockReading = Readonly<{ of: string; date: string; askedAtMs: number; answeredAtMs: number }>

/** How far a clock is from ours, at the least: it was read some time between the question and the answer. Positive: it is ahead. */
export const skewOf = ({ date, askedAtMs, answeredAtMs }: Omit<ClockReading, 'of'>): number => {
  const theirs = Date.parse(date)
  if (theirs + DATE_STEP_MS < askedAtMs) return theirs + DATE_STEP_MS - askedAtMs
  return theirs > answeredAtMs ? theirs - answeredAtMs : 0
}

/** The clocks of others beside ours. `newestMs`: what the log took last, which cannot lie in the future. */
export const lookAtClocks = (readings: readonly ClockReading[], newestMs: number | null, nowMs: number): readonly Finding[] => {
  const remedy = 'Set the clocks by NTP (chrony, systemd-timesyncd), on this machine and on the others.'
  if (newestMs !== null && newestMs > nowMs + NOTICED_MS)
    return [
      failed(
        'clock',
        `this machine's clock was set back: the log took a record ${Math.round((newestMs - nowMs) / 1000)} s from now`,
        remedy,
      ),
    ]
  const known = readings.filter(({ date }) => !Number.isNaN(Date.parse(date)))
  if (known.length === 0) return [ok('clock', 'no other clock to compare with: nothing answers')]
  const worst = known.map(one => ({ of: one.of, skewMs: skewOf(one) })).sort((a, b) => Math.abs(b.skewMs) - Math.abs(a.skewMs))[0]
  const skewMs = worst?.skewMs ?? 0
  const words = `the clock of ${worst?.of} is ${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? 'ahead of' : 'behind'} this one`
  if (Math.abs(skewMs) >= REFUSED_MS) return [failed('clock', `${words}: signatures are refused, embargoes end at the wrong time`, remedy)]
  if (Math.abs(skewMs) >= NOTICED_MS) return [warning('clock', words, remedy)]
  return [
    ok('clock', `as ${known.map(({ of }) => of).join(', ')} ${known.length === 1 ? 'has' : 'have'} it, within ${NOTICED_MS / 1000} s`),
  ]
}

/** When S3 answers, whatever it answers, it says its time. `null` when it does not. */
export const readClock = async (of: string, url: string, now: () => number): Promise<ClockReading | null> => {
  const askedAtMs = now()
  try {
    const response = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(ASK_WITHIN_MS) })
    await response.body?.cancel()
    const date = response.headers.get('date')
    return date === null ? null : { of, date, askedAtMs, answeredAtMs: now() }
  } catch {
    return null // the line about the store tells of it
  }
}
