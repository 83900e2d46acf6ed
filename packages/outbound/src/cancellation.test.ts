import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { onAborted } from './cancellation.ts'

test('a signal whose last request is done has no listener: Node would keep one made of others for as long as those live', () => {
  const { signal } = new AbortController()
  const one = { giveUp: () => undefined }
  const forget = [onAborted(signal, one), onAborted(signal, { ...one })]
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  forget[0]?.()
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  forget[1]?.()
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('a signal that had none left is listened to again, and who forgets twice takes nothing from the others', () => {
  const controller = new AbortController()
  let heard = 0
  const first = onAborted(controller.signal, { giveUp: () => assert.fail('it was forgotten') })
  first()
  onAborted(controller.signal, { giveUp: () => void heard++ })
  first()
  controller.abort()
  assert.equal(heard, 1)
})

/** In a process of its own, which sees what nobody catches. */
const story = `
  import { onAborted } from ${JSON.stringify(new URL('./cancellation.ts', import.meta.url).href)}
  const told = []
  process.on('uncaughtException', error => told.push(...error.errors.map(one => one.message)))
  const controller = new AbortController()
  onAborted(controller.signal, { giveUp: () => { told.push('first'); throw new Error('broken') } })
  onAborted(controller.signal, { giveUp: () => told.push('second') })
  controller.abort()
  setImmediate(() => console.log(JSON.stringify(told)))
`

test('each is told that its signal was aborted, whatever the one before did, and what went wrong is not kept quiet', () => {
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', story]
  assert.deepEqual(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })), ['first', 'second', 'broken'])
})
