import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RejectError, UnavailableError } from '@newswire/events/errors'
import type { NewswireEvent } from '@newswire/events/events'
import { gathered } from './gathered.ts'

const eventOf = (id: string) => ({ id }) as NewswireEvent

/** A log that gives each event the next position; `refuse` throws of a request what it likes. */
const openLog = (refuse: (ids: readonly string[]) => void = () => undefined) => {
  const requests: string[][] = []
  let position = 0
  const publish = async (events: readonly NewswireEvent[]) => {
    const ids = events.map(event => event.id)
    requests.push(ids)
    refuse(ids)
    return events.map(() => ({ topic: 'milestones', partition: 0, position: position++ }))
  }
  return { requests, publish }
}
const positionsOf = async (published: Promise<readonly { position: number }[]>) => (await published).map(one => one.position)

test('what is said within the time goes in one request, and everybody hears of their own', async () => {
  const { requests, publish } = openLog()
  const say = gathered(publish, { withinMs: 1, most: 10 })
  const said = [say([eventOf('a'), eventOf('b')]), say([]), say([eventOf('c')])]
  assert.deepEqual(await Promise.all(said.map(positionsOf)), [[0, 1], [], [2]])
  assert.deepEqual(await positionsOf(say([eventOf('d')])), [3])
  assert.deepEqual(requests, [['a', 'b', 'c'], ['d']])
})

test('once so many wait they wait no longer', async () => {
  const { requests, publish } = openLog()
  const say = gathered(publish, { withinMs: 2 ** 30, most: 2 })
  await Promise.all(['a', 'b', 'c', 'd'].map(id => say([eventOf(id)])))
  assert.deepEqual(requests, [
    ['a', 'b'],
    ['c', 'd'],
  ])
})

test('what the log refuses of several is refused to the one at fault alone', async () => {
  const { publish } = openLog(ids => {
    if (ids.includes('large')) throw new RejectError('NEWSWIRE_LOG_TOO_LARGE', 'it is')
  })
  const say = gathered(publish, { withinMs: 1, most: 10 })
  const [before, large, after] = await Promise.allSettled(['a', 'large', 'b'].map(id => say([eventOf(id)])))
  assert.deepEqual([before?.status, large?.status, after?.status], ['fulfilled', 'rejected', 'fulfilled'])
})

test('with the log away all who said something hear of it, and what is said later goes', async () => {
  let isAway = true
  const { publish } = openLog(() => {
    if (isAway) throw new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'away')
  })
  const say = gathered(publish, { withinMs: 1, most: 10 })
  const said = await Promise.allSettled(['a', 'b'].map(id => say([eventOf(id)])))
  for (const one of said) assert.equal(one.status === 'rejected' && one.reason.code, 'NEWSWIRE_LOG_UNAVAILABLE')
  isAway = false
  assert.deepEqual(await positionsOf(say([eventOf('c')])), [0])
})
