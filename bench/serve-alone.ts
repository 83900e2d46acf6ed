/** A gateway alone in a process, until the process is told to end. */
import type { Composition } from '@newswire/cli/compose'
import { toStarting } from '@newswire/cli/services'
import { startServices, stopServices } from '@newswire/runtime/run'
import type { RunningService } from '@newswire/runtime/service'

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
