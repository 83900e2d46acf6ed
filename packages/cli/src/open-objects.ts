/** The store of the settings: to be used, and to be looked at alone. */
import { join } from 'node:path'
import type { ObjectsReader } from '@newswire/objects/disk-reader'
import type { Objects } from '@newswire/objects/objects'
import type { Settings } from '@newswire/runtime/settings'

export type StoreSettings = Pick<Settings, 's3' | 'dataDir' | 'fsync'>

/** Opens it; a store on disk is made when it is not there, and is its owner's alone. */
export const openObjects = async ({ s3, dataDir, fsync }: StoreSettings): Promise<Objects> => {
  if (s3 === null) {
    const { createDiskObjects } = await import('@newswire/objects/disk')
    return createDiskObjects({ root: join(dataDir, 'objects'), fsync })
  }
  const { createS3Objects } = await import('@newswire/objects/s3')
  return createS3Objects({
    bucket: s3.bucket,
    region: s3.region,
    ...(s3.endpoint === null ? {} : { endpoint: s3.endpoint }),
    ...(s3.prefix === '' ? {} : { prefix: s3.prefix }),
  })
}

/** For looking only, also beside whoever has it. Throws `RejectError` `NEWSWIRE_OBJECTS_MISSING` when there is none on this disk. */
export const openReader = async (settings: StoreSettings): Promise<ObjectsReader> => {
  if (settings.s3 !== null) return openObjects(settings)
  const { openDiskReader } = await import('@newswire/objects/disk-reader')
  return openDiskReader(join(settings.dataDir, 'objects'))
}
