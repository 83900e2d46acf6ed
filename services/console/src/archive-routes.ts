/** What operators ask of the archive (contract §8): close what waits now, sign with a new key. The archive takes the wish up within seconds. */
import type { HttpServer } from '@newswire/http/server'
import { type ArchiveWanted, changeWanted, NOTHING_WANTED, readWanted } from '@newswire/objects/archive-wanted'
import type { Objects } from '@newswire/objects/objects'
import { readNothing } from './acts.ts'

const shown = ({ n: _counter, ...wanted }: ArchiveWanted) => wanted

export const addArchiveRoutes = (app: HttpServer, { objects }: Readonly<{ objects: Objects }>): void => {
  app.get('/v1/archive', async () => shown((await readWanted(objects))?.value ?? NOTHING_WANTED))
  app.post('/v1/archive/close', async request => {
    readNothing(request, 'closing')
    return shown(await changeWanted(objects, wanted => ({ ...wanted, close: wanted.close + 1 })))
  })
  app.post('/v1/archive/rotate-key', async request => {
    readNothing(request, 'rotation')
    return shown(await changeWanted(objects, wanted => ({ ...wanted, rotateKey: wanted.rotateKey + 1 })))
  })
}
