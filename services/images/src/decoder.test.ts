/** The decoding process is a real one, and what befalls it is done to it with signals. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { picturesConfig } from '@newswire/events/picture-config'
import { createDecoder, type DecoderOptions } from './decoder.ts'
import { type Child, startDecoderChild } from './decoder-process.ts'
import { type Recipe, toPlan } from './presets.ts'
import { makePng } from './sample-pictures.ts'

const recipe: Recipe = {
  plan: toPlan(picturesConfig.parse({ presets: [{ name: 'w320', width: 320 }] })),
  words: { caption: '', credit: '', copyright: '', usageTerms: '', digitalSourceType: '', dataMining: '' },
  focus: null,
}
const png = makePng(400, 300)

const waitFor = async (what: string, isSo: () => boolean, everyMs = 10): Promise<void> => {
  const deadline = performance.now() + 30_000
  while (!isSo()) {
    assert.ok(performance.now() < deadline, `${what}: not within 30 s`)
    await setTimeout(everyMs)
  }
}

const open = (t: TestContext, options: Partial<DecoderOptions> = {}) => {
  const decoder = createDecoder({ processes: 1, ...options })
  t.after(decoder.stop)
  return decoder
}

const signal = (child: Child, name: NodeJS.Signals) => {
  assert.ok(child.pid !== undefined)
  process.kill(child.pid, name)
}

/** Starts real processes; `onSend` is told of each picture handed to one, with how many were before. */
const watched = (onSend: (child: Child, before: number) => void) => {
  let sent = 0
  return (): Child => {
    const child = startDecoderChild()
    return {
      ...child,
      send: (head, body) => {
        child.send(head, body)
        onSend(child, sent++)
      },
    }
  }
}

test('no process runs before there is a picture, and none stays when there are no more', async t => {
  const decoder = open(t, { idleMs: 20 })
  assert.equal(decoder.stats().processes, 0)
  assert.equal((await decoder.render(png, recipe, 'live')).outcome, 'rendered')
  assert.equal(decoder.stats().processes, 1)
  await waitFor('the idle process to end', () => decoder.stats().processes === 0)
  assert.equal(decoder.stats().crashes, 0)
  assert.equal((await decoder.render(png, recipe, 'live')).outcome, 'rendered')
})

test('a process killed while at a picture costs nothing: a new one makes it', async t => {
  const killed: (NodeJS.Signals | null)[] = []
  const startChild = watched((child, before) => {
    if (before === 1) signal(child, 'SIGKILL')
  })
  const decoder = open(t, { startChild, onCrash: end => killed.push(end.signal) })
  assert.equal((await decoder.render(png, recipe, 'live')).outcome, 'rendered')
  const decoded = await decoder.render(png, recipe, 'live')
  assert.equal(decoded.outcome, 'rendered')
  assert.deepEqual(killed, ['SIGKILL'])
  assert.equal(decoder.stats().crashes, 1)
})

test('a picture that ends every process it is given to is refused by name, and the next one is made', async t => {
  const startChild = watched((child, before) => {
    if (before >= 2) return
    void waitFor('the process to be ready', child.isReady, 1).then(() => signal(child, 'SIGSEGV'))
  })
  const decoder = open(t, { startChild })
  const decoded = await decoder.render(makePng(6000, 4000), recipe, 'live')
  assert.ok(decoded.outcome === 'refused', decoded.outcome)
  assert.equal(decoded.code, 'NEWSWIRE_PICTURE_DECODER')
  assert.equal(decoder.stats().crashes, 2)
  assert.equal((await decoder.render(png, recipe, 'live')).outcome, 'rendered')
})

/** Processes that never answer, and are said to have had so much of the processor each time that is asked. */
const stuck =
  (cpuMs: () => number | null): (() => Child) =>
  () => ({ ...watched(child => signal(child, 'SIGSTOP'))(), cpuMs })

test('a picture that takes for ever is refused when its time is over, and its process ends', async t => {
  let worked = 0
  for (const cpuMs of [() => (worked += 500), () => null]) {
    const decoder = open(t, { startChild: stuck(cpuMs), timeoutMs: 500 })
    const decoded = await decoder.render(png, recipe, 'live')
    assert.ok(decoded.outcome === 'refused')
    assert.equal(decoded.code, 'NEWSWIRE_PICTURE_DECODER')
    await waitFor('its process to end', () => decoder.stats().processes === 0)
  }
})

test('a picture whose process was kept from the processor is made at another time: that the machine is busy is not its fault', async t => {
  const decoder = open(t, { startChild: stuck(() => 40), timeoutMs: 500 })
  const decoded = await decoder.render(png, recipe, 'live')
  assert.deepEqual(decoded, { outcome: 'later', reason: 'decoding it had 0 ms of the processor in 0.5 s: this machine is too busy' })
  await waitFor('its process to end', () => decoder.stats().processes === 0)
})

test('a process that is being ended is given no other picture: its end would count against that one', async t => {
  const sentTo: (number | undefined)[] = []
  const startChild = () => ({
    ...watched(child => {
      sentTo.push(child.pid)
      signal(child, 'SIGSTOP')
    })(),
    cpuMs: () => 40,
  })
  const decoder = open(t, { startChild, timeoutMs: 500 })
  const decoded = await Promise.all([decoder.render(png, recipe, 'live'), decoder.render(png, recipe, 'live')])
  assert.deepEqual(
    decoded.map(one => one.outcome),
    ['later', 'later'],
  )
  assert.equal(sentTo.length, 2, 'each picture was handed over once')
  assert.equal(new Set(sentTo).size, 2, 'each to a process of its own')
})

test('what a process has had of the processor is read from the system', {
  skip: process.platform !== 'linux' && 'only Linux tells',
}, async t => {
  const children: Child[] = []
  const decoder = open(t, { startChild: watched(child => children.push(child)) })
  assert.equal((await decoder.render(png, recipe, 'live')).outcome, 'rendered')
  assert.ok((children[0]?.cpuMs() ?? 0) >= 10)
  await decoder.stop()
  assert.equal(children[0]?.cpuMs(), null)
})

test('a process that cannot start is no fault of the picture: it is tried at another time', async t => {
  const decoder = open(t, { startChild: watched(child => signal(child, 'SIGKILL')) })
  assert.equal((await decoder.render(png, recipe, 'live')).outcome, 'later')
})

test('live pictures go before those of imports', async t => {
  const decoder = open(t)
  const done: string[] = []
  const one = (name: string, lane: 'live' | 'backfill') => decoder.render(png, recipe, lane).then(() => done.push(name))
  await Promise.all([one('first', 'backfill'), one('import', 'backfill'), one('live', 'live')])
  assert.deepEqual(done, ['first', 'live', 'import'])
})

test('the process has none of our environment and the last claim on the cores', { skip: process.platform !== 'linux' }, async t => {
  process.env.NEWSWIRE_SECRET_KEY = 'not for decoders'
  t.after(() => delete process.env.NEWSWIRE_SECRET_KEY)
  const children: Child[] = []
  const decoder = open(t, { startChild: watched(child => children.push(child)) })
  await decoder.render(png, recipe, 'live')
  const pid = children[0]?.pid ?? 0
  assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'latin1'), /NEWSWIRE|not for decoders/)
  assert.ok(getPriority(pid) >= 10)
})

test('when the service stops, no process stays and what waited is for another time', async t => {
  const decoder = open(t)
  const waiting = [decoder.render(png, recipe, 'live'), decoder.render(png, recipe, 'live')]
  await decoder.stop()
  assert.deepEqual(
    (await Promise.all(waiting)).map(one => one.outcome),
    ['later', 'later'],
  )
  assert.equal(decoder.stats().processes, 0)
})
