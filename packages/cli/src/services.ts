/** The eight services by name, in the order in which they start; they stop the other way round, but outlets last of all. */
import type { RunningService, ServiceContext, ServiceName, StartService } from '@newswire/runtime/service'

/** Loaded when it runs, so that `newswire run desk` never loads a picture library. */
const loaders: Readonly<Record<ServiceName, () => Promise<{ start: StartService }>>> = {
  outlets: () => import('@newswire/outlets/main'),
  archive: () => import('@newswire/archive/main'),
  feeds: () => import('@newswire/feeds/main'),
  desk: () => import('@newswire/desk/main'),
  images: () => import('@newswire/images/main'),
  gateway: () => import('@newswire/gateway/main'),
  console: () => import('@newswire/console/main'),
  ingest: () => import('@newswire/ingest/main'),
}

export const serviceNames = Object.keys(loaders) as readonly ServiceName[]
export const isServiceName = (name: string): name is ServiceName => Object.hasOwn(loaders, name)

/** A stop that takes longer is given up, so that a process manager need not. */
const STOP_WITHIN_MS = 20_000

/** Starts them one after the other; when one fails, those that run are stopped and the failure is thrown. */
export const startServices = async (names: readonly ServiceName[], context: ServiceContext): Promise<readonly RunningService[]> => {
  const running: RunningService[] = []
  try {
    for (const name of serviceNames.filter(one => names.includes(one))) {
      const { start } = await loaders[name]()
      running.push(await start({ ...context, logger: context.logger.child({ service: name }) }))
    }
    return running
  } catch (error) {
    await stopServices(running)
    throw error
  }
}

/** The front doors first, then along an article's way, so that what was taken is still worked on. */
const STOP_ORDER: readonly ServiceName[] = ['gateway', 'ingest', 'images', 'desk', 'feeds', 'archive', 'console', 'outlets']

export const stopServices = async (running: readonly RunningService[]): Promise<void> => {
  const ordered = [...running].sort((a, b) => STOP_ORDER.indexOf(a.name) - STOP_ORDER.indexOf(b.name))
  const all = async () => {
    for (const service of ordered) await service.stop()
  }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, STOP_WITHIN_MS)
  })
  await Promise.race([all(), late])
  clearTimeout(timer)
}
