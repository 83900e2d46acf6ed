/** The eight services by name, in the order in which they start. Each is loaded when it runs, so that `newswire run desk` never loads a picture library. */
import type { Starting } from '@newswire/runtime/run'
import type { ServiceName, StartService } from '@newswire/runtime/service'

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

/** Those named, in the order in which they start. */
export const toStarting = (names: readonly ServiceName[]): readonly Starting[] =>
  serviceNames.filter(name => names.includes(name)).map(name => ({ name, load: loaders[name] }))
