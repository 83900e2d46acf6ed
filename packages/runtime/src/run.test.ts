import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from './logger.ts'
import { type Starting, startServices, stopServices, toReadiness } from './run.ts'
import type { RunningService, ServiceContext, ServiceName } from './service.ts'

const open = () => {
  const lines: string[] = []
  const logger = createLogger({ service: 'test', level: 'info', destination: { write: line => void lines.push(line) } })
  return { logger, lines, context: { logger } as ServiceContext }
}

const running = (name: ServiceName, stop: () => Promise<void>, readiness = () => ({ ready: true, detail: {} })): RunningService => ({
  name,
  readiness,
  stop,
})

test('services stop from the front door inwards, outlets last', async () => {
  const { logger } = open()
  const stopped: string[] = []
  const names: readonly ServiceName[] = ['outlets', 'console', 'desk', 'ingest', 'gateway', 'archive', 'images', 'feeds']
  assert.equal(
    await stopServices(
      names.map(name => running(name, async () => void stopped.push(name))),
      { logger },
    ),
    true,
  )
  assert.deepEqual(stopped, ['gateway', 'ingest', 'images', 'desk', 'feeds', 'archive', 'console', 'outlets'])
})

test('a service that fails to stop, or never does, keeps no other from stopping', async () => {
  const { logger, lines } = open()
  const stopped: string[] = []
  const services = [
    running('gateway', async () => {
      throw new Error('stuck')
    }),
    running('desk', () => new Promise(() => undefined)),
    running('outlets', async () => void stopped.push('outlets')),
  ]
  assert.equal(await stopServices(services, { logger, withinMs: 50 }), false)
  assert.deepEqual(stopped, ['outlets'])
  assert.equal(lines.filter(line => line.includes('service.stop-failed')).length, 2)
})

test('when one service cannot start, those that run are stopped and its failure is what is thrown', async () => {
  const { context } = open()
  const happened: string[] = []
  const starting = (name: ServiceName, start: () => RunningService): Starting => ({
    name,
    load: async () => ({
      start: async () => {
        happened.push(`start ${name}`)
        return start()
      },
    }),
  })
  const fails = () => {
    throw new Error('the port is taken')
  }
  const stops = (name: ServiceName) => () => running(name, async () => void happened.push(`stop ${name}`))
  await assert.rejects(
    startServices(context, [starting('desk', stops('desk')), starting('ingest', fails), starting('gateway', stops('gateway'))]),
    /the port is taken/,
  )
  assert.deepEqual(happened, ['start desk', 'start ingest', 'stop desk'])
})

test('all are ready when each is, and none is ready before it runs', async () => {
  let ready = false
  const services = [
    running('desk', async () => undefined),
    running(
      'feeds',
      async () => undefined,
      () => ({ ready, detail: { behind: !ready } }),
    ),
  ]
  assert.equal(toReadiness(services, 3).ready, false)
  assert.deepEqual(toReadiness(services, 2), {
    ready: false,
    detail: { desk: { ready: true, detail: {} }, feeds: { ready: false, detail: { behind: true } } },
  })
  ready = true
  assert.equal(toReadiness(services, 2).ready, true)
  const broken = running(
    'images',
    async () => undefined,
    () => {
      throw new Error('not yet')
    },
  )
  assert.deepEqual(toReadiness([broken], 1), { ready: false, detail: { images: { ready: false, detail: { error: 'not yet' } } } })
})
