/** `newswire run <service>…`: one or more services of many processes, on Kafka and S3. */
import { createHttpServer } from '@newswire/http/server'
import { startServices, stopServices, toReadiness } from '@newswire/runtime/run'
import type { RunningService, ServiceName } from '@newswire/runtime/service'
import { checkPorts } from './check-ports.ts'
import { compose } from './compose.ts'
import { toStarting } from './services.ts'
import { awaitEnding } from './signals.ts'
import { readyLine, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'
import { holdYoungGeneration } from './young-generation.ts'

type RunOptions = Terminal & Readonly<{ names: readonly ServiceName[] }>

export const run = async ({ names, settings, environment, json, print, say }: RunOptions): Promise<number> => {
  if (settings.kafkaBrokers.length === 0 || settings.s3 === null)
    throw new UsageError(
      'newswire run needs KAFKA_BROKERS and S3_BUCKET: processes meet in topics and objects. For one process on this machine use `newswire up`.',
    )
  const ending = awaitEnding()
  const letGrow = holdYoungGeneration()
  const composition = await compose({
    settings,
    environment,
    clientId: names.join('-'),
    createTopics: false,
    // What it serves is in the store. Every other service has nothing to do without the log, and is started again by whoever runs it.
    startsWithoutLog: names.every(name => name === 'gateway'),
    onCrash: error => {
      say(`newswire stops: ${error.message}`)
      ending.fail()
    },
  })
  const { context } = composition
  let running: readonly RunningService[] = []
  const readiness = () => toReadiness(running, names.length)
  const health = createHttpServer({
    name: 'health',
    logger: context.logger,
    host: settings.host,
    port: settings.healthPort,
    readiness,
    metrics: context.metrics,
  })
  const healthUrl = await health.listen()
  try {
    await checkPorts(context.settings, names, { flags: false })
    running = await startServices(context, toStarting(names))
    letGrow()
    const urls = Object.fromEntries(running.flatMap(one => (one.url === undefined ? [] : [[one.name, one.url]])))
    print(readyLine({ ...urls, health: healthUrl }, json))
    await ending.ended
    say('Stopping…')
    if (!(await stopServices(running, { logger: context.logger }))) ending.fail()
  } finally {
    await health.close()
    await composition.close()
  }
  return ending.status()
}
