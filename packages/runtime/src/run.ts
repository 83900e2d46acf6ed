/** Starting services one after the other, asking whether they are ready, stopping them all whatever happens. */
import { messageOf } from '@newswire/events/errors'
import type { Logger } from './logger.ts'
import type { Readiness, RunningService, ServiceContext, ServiceName, StartService } from './service.ts'

/** A stop that takes longer is given up, so that a process manager need not: it kills after 30 s. */
const STOP_WITHIN_MS = 20_000

/** The front doors first, then along an article's way, so that what was taken is still worked on; outlets last, so that kills still go. */
const STOP_ORDER: readonly ServiceName[] = ['gateway', 'ingest', 'images', 'desk', 'feeds', 'archive', 'console', 'outlets']

export type Starting = Readonly<{ name: ServiceName; load: () => Promise<Readonly<{ start: StartService }>> }>

const stopWithin = async (service: RunningService, ms: number): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not stop within ${ms} ms`)), ms)
  })
  try {
    await Promise.race([service.stop(), late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Stops all of them in order, the next also when one fails or hangs; failures are logged. `withinMs` is for all together (default
 * 20 000). Never throws; `false` when one did not stop cleanly.
 */
export const stopServices = async (
  running: readonly RunningService[],
  { logger, withinMs = STOP_WITHIN_MS }: { logger: Logger; withinMs?: number },
): Promise<boolean> => {
  const deadline = performance.now() + withinMs
  const ordered = [...running].sort((a, b) => STOP_ORDER.indexOf(a.name) - STOP_ORDER.indexOf(b.name))
  let clean = true
  for (const service of ordered)
    try {
      await stopWithin(service, Math.max(1, deadline - performance.now()))
      logger.info({ name: service.name }, 'service.stopped')
    } catch (error) {
      clean = false
      logger.error({ name: service.name, err: error }, 'service.stop-failed')
    }
  return clean
}

/**
 * Starts them in the order given, each with a logger of its own name. When one fails, those that run are stopped and the failure is thrown. All are loaded
 * before the first one starts: what each of them reads of the log they then read side by side.
 */
export const startServices = async (context: ServiceContext, starting: readonly Starting[]): Promise<readonly RunningService[]> => {
  const running: RunningService[] = []
  try {
    const loaded = await Promise.all(starting.map(async ({ name, load }) => ({ name, ...(await load()) })))
    for (const { name, start } of loaded) {
      running.push(await start({ ...context, logger: context.logger.child({ service: name }) }))
    }
    return running
  } catch (error) {
    await stopServices(running, { logger: context.logger })
    throw error
  }
}

/** Ready when all that should run do and are. A readiness that throws is not ready. */
export const toReadiness = (running: readonly RunningService[], wanted: number): Readiness => {
  const states = running.map(({ name, readiness }) => {
    try {
      return { name, ...readiness() }
    } catch (error) {
      return { name, ready: false, detail: { error: messageOf(error) } }
    }
  })
  return {
    ready: states.length === wanted && states.every(one => one.ready),
    detail: Object.fromEntries(states.map(({ name, ready, detail }) => [name, { ready, detail }])),
  }
}
