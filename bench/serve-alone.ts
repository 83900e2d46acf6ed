/** A gateway alone in a process, until the process is told to end. */
import { type Composition, compose } from '@newswire/cli/compose'
import { toStarting } from '@newswire/cli/services'
import type { NewswireConfig } from '@newswire/events/config'
import { startServices, stopServices } from '@newswire/runtime/run'
import type { RunningService } from '@newswire/runtime/service'
import { readSettings } from '@newswire/runtime/settings'

/** On the embedded log and the disk, in `folder`. */
export const composeAlone = (folder: string, config: NewswireConfig): Promise<Composition> => {
  const environment = {
    ...process.env,
    NEWSWIRE_DATA: folder,
    NEWSWIRE_GATEWAY_PORT: '0',
    NEWSWIRE_FSYNC: 'normal',
    NEWSWIRE_LOG_LEVEL: 'warn',
  }
  const onCrash = (error: Error) => {
    throw error
  }
  return compose({ settings: readSettings(environment), environment, clientId: 'bench', config, createTopics: true, onCrash })
}

/** Prints its address. */
export const serveAlone = async ({ context, close }: Composition): Promise<RunningService> => {
  const running = await startServices(context, toStarting(['gateway']))
  const [gateway] = running
  if (gateway === undefined) throw new Error('the gateway did not start')
  console.log(`gateway=${gateway.url}`)
  process.once('SIGTERM', () => {
    stopServices(running, { logger: context.logger })
      .then(close)
      .finally(() => process.exit(0))
  })
  return gateway
}
