/** `newswire up`: all services in one process. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findMissedSecrets } from '@newswire/console/made-secrets'
import type { NewswireConfig } from '@newswire/events/config'
import { messageOf } from '@newswire/events/errors'
import { startServices, stopServices } from '@newswire/runtime/run'
import type { RunningService } from '@newswire/runtime/service'
import type { Settings } from '@newswire/runtime/settings'
import { checkPorts, freePort, urlAt } from './check-ports.ts'
import { createClient } from './client.ts'
import { type Composition, compose } from './compose.ts'
import { readConfigFile } from './config-file.ts'
import { makeDataFolder } from './data-folder.ts'
import { publishDemo, readDemoConfig } from './demo.ts'
import { warn } from './finish.ts'
import { giveLocalAccess, readPrivate, writePrivate } from './local-access.ts'
import { keepPartnerSecret, readOwnSecrets } from './own-secrets.ts'
import { type PartnerSite, type Received, startPartnerSite } from './partner-site.ts'
import { findUnopened, listSealed } from './sealed-secrets.ts'
import { serviceNames, toStarting } from './services.ts'
import { awaitEnding, type Ending } from './signals.ts'
import { readyLine, type Terminal } from './terminal.ts'
import { holdYoungGeneration } from './young-generation.ts'

type UpOptions = Terminal & Readonly<{ demo: boolean; configFile?: string }>

const PARTNER_PORT = 8090

/** Every picture's and item's address begins with the gateway's, so the demo knows its port before anything is published. */
const withGatewayPort = async (settings: Settings): Promise<Settings> =>
  settings.gatewayPort === 0 ? { ...settings, gatewayPort: await freePort(settings.host) } : settings

type Demo = Readonly<{ site: PartnerSite; config: NewswireConfig }>

const startDemo = async (settings: Settings): Promise<Demo> => {
  const { dataDir } = settings
  const kept = join(dataDir, 'partner.json')
  const secret = await keepPartnerSecret(dataDir)
  let writing: Promise<void> = Promise.resolve()
  const keep = (held: readonly Received[]) => {
    writing = writing.catch(() => undefined).then(() => writePrivate(kept, JSON.stringify(held)))
    return writing
  }
  const remembered = JSON.parse((await readPrivate(kept)) ?? '[]') as Received[]
  const site = await startPartnerSite({ port: PARTNER_PORT, secret, remembered, keep })
  return { site, config: await readDemoConfig({ partnerHook: `${site.url}/hook`, publicUrl: urlAt(settings.host, settings.gatewayPort) }) }
}

const urlOf = (running: readonly RunningService[], name: string): string => running.find(one => one.name === name)?.url ?? ''

/** The first article would tell it too late: it waits for the partner then. */
const tellMissedSecrets = async ({ context }: Composition, say: UpOptions['say']): Promise<void> => {
  const { objects, configuration, secret, now, sealing } = context
  const unopened = sealing && (await findUnopened(await listSealed(objects), sealing))
  if (unopened) warn({ say }, `${messageOf(unopened)}. Until then days of the archive are not closed; \`newswire doctor\` says more`)
  const { publishers, outlets } = configuration.current()
  const config = { publishers: [...publishers.values()], outlets: [...outlets.values()] }
  const { warnings } = await findMissedSecrets({ objects, config, secret, nowMs: now() })
  for (const line of warnings) warn({ say }, line)
}

const serve = async (
  composition: Composition,
  running: readonly RunningService[],
  demo: Demo | null,
  { json, print, say }: UpOptions,
  beganAt: number,
): Promise<void> => {
  const { context } = composition
  const { settings } = context
  const urls = { gateway: urlOf(running, 'gateway'), ingest: urlOf(running, 'ingest'), console: urlOf(running, 'console') }
  const access = await giveLocalAccess(context, urls)
  print(readyLine(urls, json))
  const seconds = ((performance.now() - beganAt) / 1000).toFixed(1)
  say(
    `Ready in ${seconds} s. Data in ${settings.dataDir}; a 202 survives ${settings.fsync === 'full' ? 'a power cut' : 'a kill, not a power cut'}.`,
  )
  if (demo !== null) {
    const environment = { NEWSWIRE_INGEST_URL: urls.ingest, NEWSWIRE_CONSOLE_URL: urls.console, NEWSWIRE_TOKEN: access.token }
    await publishDemo(await createClient({ environment, settings }))
  }
  const places = {
    'Front page': urls.gateway,
    Feeds: `${urls.gateway}/feeds`,
    ...(demo && { 'Partner site': demo.site.url }),
    Console: urls.console,
    'Publish to': `${urls.ingest} (newswire publish --help)`,
  }
  for (const [what, where] of Object.entries(places)) say(`  ${what.padEnd(13)}${where}`)
  await tellMissedSecrets(composition, say)
  say('Ctrl-C stops it.')
}

type Beginning = Readonly<{ beganAt: number; letGrow: () => void }>

const runIn = async (
  composition: Composition,
  demo: Demo | null,
  options: UpOptions,
  ending: Ending,
  { beganAt, letGrow }: Beginning,
): Promise<void> => {
  await checkPorts(composition.context.settings, serviceNames, { flags: true })
  let gatewayUrl: string | null = null
  const running = await startServices({ ...composition.context, gatewayUrl: () => gatewayUrl }, toStarting(serviceNames))
  gatewayUrl = urlOf(running, 'gateway')
  letGrow()
  try {
    await serve(composition, running, demo, options, beganAt)
    await ending.ended
    options.say('Stopping…')
  } finally {
    if (!(await stopServices(running, { logger: composition.context.logger }))) ending.fail()
  }
}

/** Starts, says where, stays until it is asked to end. Resolves with the exit status. */
export const up = async (options: UpOptions): Promise<number> => {
  const { environment, configFile, say } = options
  const beganAt = performance.now()
  const ending = awaitEnding()
  const letGrow = holdYoungGeneration()
  const settings = options.demo ? await withGatewayPort(options.settings) : options.settings
  const config = configFile === undefined ? null : await readConfigFile(configFile)
  // Refused here, nothing is left behind. A folder with a log may be that of a process which has the same ports, and its lock says that better.
  if (!existsSync(join(settings.dataDir, 'log.db'))) await checkPorts(settings, serviceNames, { flags: true })
  await makeDataFolder(settings.dataDir)
  const demo = options.demo ? await startDemo(settings) : null
  try {
    const wanted = config ?? demo?.config
    const composition = await compose({
      settings,
      environment,
      clientId: 'newswire',
      createTopics: true,
      makesSealingKey: true,
      ...(wanted === undefined ? {} : { config: wanted }),
      secrets: await readOwnSecrets(settings),
      onCrash: error => {
        say(`newswire stops: ${error.message}`)
        ending.fail()
      },
    })
    try {
      await runIn(composition, demo, options, ending, { beganAt, letGrow })
    } finally {
      await composition.close()
    }
  } finally {
    await demo?.site.close()
  }
  return ending.status()
}
