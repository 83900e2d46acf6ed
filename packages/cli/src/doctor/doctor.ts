/** `newswire doctor`: an operator's first command when something is wrong, or before anything runs. It looks, and changes nothing but what it removes again. */
import { styleText } from 'node:util'
import type { ObjectsReader } from '@newswire/objects/disk-reader'
import { type Environment, findConsoleOffence, type Settings, SettingsError } from '@newswire/runtime/settings'
import { type ClientDocument, createClient, findOtherFolder, readClientFile, toOwnFolder } from '../client.ts'
import { readOwnSecrets } from '../own-secrets.ts'
import { printResult, type Terminal } from '../terminal.ts'
import { lookAtArchive } from './archive.ts'
import { type InForce, lookAtConfiguration, lookAtSealing, lookAtSecrets } from './configuration.ts'
import { type Finding, type FindingState, failed, looking, ok, warning, withoutStartRefused } from './finding.ts'
import { type LogState, lookAtLog } from './log.ts'
import { describeSettings, lookAtFolder, lookAtProgram } from './machine.ts'
import { askConsole, lookInside, type Told } from './operations.ts'
import { type Asked, askDoors, type ClockReading, isRunning, lookAtClocks, lookAtServices, readClock, toDoors } from './services.ts'
import { lookAtStore } from './store.ts'

type DoctorOptions = Readonly<{
  environment: Environment
  /** Throws `SettingsError`. */
  readSettings: () => Settings
  version: string
  json: boolean
  now: () => number
  print: Terminal['print']
}>

const lookAtSettings = (settings: Settings): readonly Finding[] => {
  const offence = findConsoleOffence(settings)
  return [
    describeSettings(settings),
    ...(offence === null ? [] : [failed('settings', offence, 'Set NEWSWIRE_CONSOLE_TOKEN, or NEWSWIRE_HOST to 127.0.0.1.')]),
  ]
}

const readingsOf = async (asked: readonly Asked[], settings: Settings, now: () => number): Promise<readonly ClockReading[]> => {
  const services = asked.flatMap(({ door, answer }) => (answer?.date == null ? [] : [{ of: door.name, ...answer, date: answer.date }]))
  const { s3 } = settings
  const store = s3 === null ? null : await readClock('the store', s3.endpoint ?? `https://s3.${s3.region}.amazonaws.com`, now)
  return store === null ? services : [...services, store]
}

/** The public address is what readers get in every item: one of this machine alone is for trying out. */
const lookAtPublicUrl = ({ site }: InForce, { host }: Settings): readonly Finding[] => {
  const { hostname, protocol } = new URL(site.publicUrl)
  const isLocal = /^(localhost|127\.|\[::1\])/.test(hostname)
  if (isLocal && !/^(localhost|127\.|::1)/.test(host))
    return [
      warning(
        'public-url',
        `site.publicUrl is ${site.publicUrl}, which readers elsewhere cannot open`,
        'Set it to the address that readers use, and apply.',
      ),
    ]
  return [ok('public-url', `${site.publicUrl}${protocol === 'http:' && !isLocal ? ', without TLS' : ''}`)]
}

/** A copy of a folder has the addresses of the system that it was copied from. */
const lookWhoseTheyAre = async (
  asked: readonly Asked[],
  left: ClientDocument | null,
  { dataDir }: Settings,
): Promise<readonly Finding[]> => {
  const other = await findOtherFolder(left, dataDir)
  const urls = asked.filter(one => one.door.url === left?.[one.door.name] && isRunning([one])).map(({ door }) => door.url)
  if (other === null || urls.length === 0) return []
  return [
    warning(
      'addresses',
      `what answers at ${urls.join(', ')} runs on ${other}, and the folder looked at is ${dataDir}`,
      toOwnFolder(dataDir, other),
    ),
  ]
}

type Inside = Readonly<{ told: Told | null; log: LogState; isUp: boolean }>

const lookIntoStore = async (
  objects: ObjectsReader,
  settings: Settings,
  { environment, now }: DoctorOptions,
  { told, isUp }: Omit<Inside, 'log'>,
): Promise<Readonly<{ findings: readonly Finding[]; config: InForce | null }>> => {
  let config: InForce | null = null
  const configuration = await looking('configuration', async () => {
    const look = await lookAtConfiguration(objects)
    config = look.config
    return look.findings
  })
  const inForce = config as InForce | null
  const known = told?.overview?.unsetSecrets ?? null
  const secrets =
    inForce === null
      ? []
      : await looking('secrets', async () => {
          const own = await readOwnSecrets(settings)
          const secret = (name: string) => own[name] ?? environment[name]
          return [...(await lookAtSecrets(inForce, { objects, secret, isUp, known, nowMs: now() })), ...lookAtPublicUrl(inForce, settings)]
        })
  return {
    findings: [...configuration, ...secrets, ...(await lookAtSealing(settings, objects)), ...(await lookAtArchive(objects, now()))],
    config: inForce,
  }
}

const examine = async (settings: Settings, options: DoctorOptions): Promise<readonly Finding[]> => {
  const { environment, version, now } = options
  const left = await readClientFile(settings.dataDir)
  const asked = await askDoors(toDoors(environment, settings, left), now)
  const isUp = isRunning(asked)
  const services = await lookAtServices(asked, settings.host)
  // A token is for ours alone, not for whatever else has that port.
  const ours = asked.find(one => one.door.name === 'console' && isRunning([one]))
  const told =
    ours === undefined
      ? null
      : await askConsole(await createClient({ environment: { ...environment, NEWSWIRE_CONSOLE_URL: ours.door.url }, settings }), version)
  const usesFolder = settings.kafkaBrokers.length === 0 || settings.s3 === null
  const folder = usesFolder ? await looking('data-folder', () => lookAtFolder(settings)) : []
  const store = await lookAtStore(settings, isUp)
  const log = await lookAtLog(settings, store.objects)
  try {
    const within = store.objects === null ? null : await lookIntoStore(store.objects, settings, options, { told, isUp })
    const inside = told?.overview == null ? await lookInside(log, store.objects, within?.config?.outlets ?? [], now()) : []
    const clocks = lookAtClocks(await readingsOf(asked, settings, now), log.file?.newestMs ?? null, now())
    return withoutStartRefused([
      ...lookAtSettings(settings),
      ...folder,
      ...(await lookWhoseTheyAre(asked, left, settings)),
      ...services,
      ...clocks,
      ...store.findings,
      ...log.findings,
      ...(within?.findings ?? []),
      ...(told?.findings ?? []),
      ...inside,
    ])
  } finally {
    await log.log?.close({ drainMs: 0 })
    await store.objects?.close()
  }
}

const MARKS = { ok: ['green', '✔'], warning: ['yellow', '!'], failed: ['red', '✖'] } as const satisfies Record<
  FindingState,
  readonly [string, string]
>

/** One line each; what to do stands below it. */
const toLines = ({ check, state, detail, remedy }: Finding): readonly string[] => {
  const [colour, mark] = MARKS[state]
  return [
    `${styleText(colour, `${mark} ${state.padEnd(7)}`, { stream: process.stdout })}  ${check.padEnd(13)}  ${detail}`,
    ...(remedy === null ? [] : [`${' '.repeat(11)}→ ${remedy}`]),
  ]
}

const sum = (findings: readonly Finding[]): string => {
  const count = (state: FindingState) => findings.filter(one => one.state === state).length
  return `${count('failed')} failed, ${count('warning')} to look at, ${count('ok')} well.`
}

/** False when something failed. Settings that cannot be read are findings like any other: nothing else is looked at then. */
export const doctor = async (options: DoctorOptions): Promise<boolean> => {
  const { version } = options
  const findings: Finding[] = [...lookAtProgram(version)]
  try {
    findings.push(...(await examine(options.readSettings(), options)))
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    findings.push(
      ...error.message.split('\n').map(line => failed('settings', line, 'Mend this setting; `newswire up --help` lists all of them.')),
    )
  }
  const well = findings.every(one => one.state !== 'failed')
  printResult(options, { ok: well, findings }, [...findings.flatMap(toLines), sum(findings)].join('\n'))
  return well
}
