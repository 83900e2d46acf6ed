/** `newswire up`: all services in one process. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NewswireConfig } from '@newswire/events/config'
import { sha256Hex } from '@newswire/events/ids'
import { startServices, stopServices } from '@newswire/runtime/run'
import type { RunningService } from '@newswire/runtime/service'
import type { Environment, Settings } from '@newswire/runtime/settings'
import { type ClientDocument, clientDocument, clientFile, createClient } from './client.ts'
import { compose } from './compose.ts'
import { readConfigFile } from './config-file.ts'
import { demoPartnerSecretName, makePartnerSecret, publishDemo, readDemoConfig } from './demo.ts'
import { type PartnerSite, startPartnerSite } from './partner-site.ts'
import { serviceNames, toStarting } from './services.ts'
import { awaitEnding } from './signals.ts'
import { takeViewsFolder } from './views-folder.ts'

export type UpOptions = Readonly<{
  settings: Settings
  environment: Environment
  demo: boolean
  configFile?: string
  print: (line: string) => void
  say: (line: string) => void
}>

const PARTNER_PORT = 8090

const readPrivate = async (file: string): Promise<string | null> => {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** A file that only its owner can read, made once. */
const keepPrivate = async (file: string, make: () => string): Promise<string> => {
  const held = await readPrivate(file)
  if (held !== null && held !== '') return held
  const made = make()
  await writeFile(file, `${made}\n`, { mode: 0o600 })
  await chmod(file, 0o600)
  return made
}

/** The local publisher's token: made once, known to `newswire publish` and to nobody else. Its hash goes into the configuration. */
const localToken = (dataDir: string): Promise<string> =>
  keepPrivate(join(dataDir, 'token'), () => `nw_${randomBytes(32).toString('base64url')}`)

/** Lets the local token in as a token of the first publisher, beside those of the file. */
const withLocalToken = (config: NewswireConfig, token: string): NewswireConfig => ({
  ...config,
  publishers: config.publishers.map((publisher, index) =>
    index > 0
      ? publisher
      : {
          ...publisher,
          tokens: [
            ...publisher.tokens.filter(one => one.id !== 'local'),
            { id: 'local', sha256: sha256Hex(token), scopes: ['publish', 'retract', 'republish', 'read'] },
          ],
        },
  ),
})

type Demo = Readonly<{ site: PartnerSite; secret: string; config: NewswireConfig }>

const partnerFile = (dataDir: string) => join(dataDir, 'partner.json')

const startDemo = async ({ settings: { dataDir, host } }: UpOptions): Promise<Demo> => {
  const secret = await keepPrivate(join(dataDir, 'partner-secret'), makePartnerSecret)
  const remembered = JSON.parse((await readPrivate(partnerFile(dataDir))) ?? '[]') as never
  const site = await startPartnerSite({ host, port: PARTNER_PORT, secret, remembered })
  return { site, secret, config: await readDemoConfig({ partnerHook: `${site.url}/hook` }) }
}

const urlOf = (running: readonly RunningService[], name: string): string => running.find(one => one.name === name)?.url ?? ''

const publicUrlOf = (settings: Settings, config: NewswireConfig): NewswireConfig =>
  settings.gatewayPort === 0
    ? config
    : { ...config, site: { ...config.site, publicUrl: `http://${settings.host}:${settings.gatewayPort}` } }

/** Starts, says where, stays until it is asked to end. Resolves with the exit status. */
export const up = async (options: UpOptions): Promise<number> => {
  const { settings, environment, configFile, print, say } = options
  const beganAt = performance.now()
  const ending = awaitEnding()
  let status = 0
  await mkdir(settings.dataDir, { recursive: true })
  const token = await localToken(settings.dataDir)
  const demo = options.demo ? await startDemo(options) : null
  const wanted = configFile === undefined ? demo && publicUrlOf(settings, demo.config) : await readConfigFile(configFile)
  // On Kafka and S3 this process is one of many that share them; alone, its data folder is its own already.
  const views = settings.kafkaBrokers.length > 0 && settings.s3 !== null ? takeViewsFolder(settings, 'up') : null
  const composition = await compose({
    settings,
    environment,
    ...(views === null ? {} : { viewsDir: views.path }),
    clientId: 'newswire',
    createTopics: true,
    ...(wanted === null ? {} : { config: withLocalToken(wanted, token) }),
    secrets: demo === null ? {} : { [demoPartnerSecretName]: demo.secret },
    onCrash: error => {
      status = 1
      say(`newswire stops: ${error.message}`)
      ending.end('crash')
    },
  })
  const running = await startServices(composition.context, toStarting(serviceNames))
  const [gateway, ingest, consoleUrl] = [urlOf(running, 'gateway'), urlOf(running, 'ingest'), urlOf(running, 'console')]
  const publisher = [...composition.context.configuration.current().publishers.keys()][0] ?? ''
  const document: ClientDocument = clientDocument.parse({ ingest, console: consoleUrl, gateway, publisher, token })
  await writeFile(clientFile(settings.dataDir), `${JSON.stringify(document)}\n`, { mode: 0o600 })
  print(`newswire ready gateway=${gateway} ingest=${ingest} console=${consoleUrl}`)
  say(
    `Ready in ${((performance.now() - beganAt) / 1000).toFixed(1)} s. Data in ${settings.dataDir}; a 202 survives ${settings.fsync === 'full' ? 'a power cut' : 'a kill, not a power cut'}.`,
  )
  if (demo !== null) {
    await publishDemo(
      await createClient({ NEWSWIRE_INGEST_URL: ingest, NEWSWIRE_CONSOLE_URL: consoleUrl, NEWSWIRE_TOKEN: token }, settings.dataDir),
    )
    for (const [what, url] of [
      ['Front page', gateway],
      ['Feeds', `${gateway}/feeds`],
      ['Partner site', demo.site.url],
      ['Console', consoleUrl],
    ])
      say(`  ${String(what).padEnd(13)}${url}`)
  }
  say('Ctrl-C stops it.')
  await ending.ended
  say('Stopping…')
  if (!(await stopServices(running, { logger: composition.context.logger }))) status = 1
  await composition.close()
  views?.release()
  if (demo !== null) {
    await writeFile(partnerFile(settings.dataDir), JSON.stringify(demo.site.received()))
    await demo.site.close()
  }
  return status
}
