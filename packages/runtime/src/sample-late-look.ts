/** For tests of what is listed again once the log has come: a store whose looks can be held, and a log that says when it is there. */
import assert from 'node:assert/strict'
import type { Log, NewRecord } from '@newswire/log/log'
import type { Objects } from '@newswire/objects/objects'

type LateLook = Readonly<{ objects: Objects; log: Pick<Log, 'whenThere' | 'follow' | 'publish'>; relistEveryMs: number }>

/** `start` opens what looks; `record` makes it look; then the log is there while that look is under way, and another one must follow. */
export const looksAgainOnceThere = async ({
  objects,
  log,
  start,
  record,
  until,
}: Readonly<{
  objects: Objects
  log: Log
  start: (late: LateLook) => Promise<unknown>
  record: NewRecord
  until: (what: string, condition: () => boolean) => Promise<void>
}>): Promise<void> => {
  let isHeld = false
  let release: () => void = () => assert.fail('no look is held')
  let lists = 0
  const list: Objects['list'] = async (...asked) => {
    lists += 1
    if (isHeld) await new Promise<void>(resolve => (release = resolve))
    return await objects.list(...asked)
  }
  const ready = Promise.withResolvers<void>()
  const late: LateLook['log'] = {
    whenThere: async () => undefined,
    follow: async wanted => ({ ...(await log.follow(wanted)), ready: ready.promise }),
    publish: log.publish,
  }
  await start({ objects: { ...objects, list }, log: late, relistEveryMs: 3_600_000 })
  isHeld = true
  const atStart = lists
  await log.publish([record])
  await until('a look', () => lists > atStart)
  ready.resolve()
  await ready.promise
  isHeld = false
  const underWay = lists
  release()
  await until('the look after it', () => lists > underWay)
}
