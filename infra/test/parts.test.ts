import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startControl } from './control.ts'
import { isOrphan, owner } from './leftovers.ts'
import { describeMissing, findPart, type Part, type PartName } from './parts.ts'

const part = (more: Partial<Part> = {}): Part => ({ label: 'Kafka of a test', env: {}, faults: null, end: async () => undefined, ...more })

test('the first way that leads to a part is taken, and a way that throws is passed over', async () => {
  const found = await findPart('kafka', [
    async () => ({ missing: 'not set' }),
    async () => {
      throw new Error('broke\n down')
    },
    async () => part(),
    async () => part({ label: 'too late' }),
  ])
  assert.equal(found.part?.label, 'Kafka of a test')
  assert.deepEqual(found.reasons, ['not set', 'broke down'])
})

test('a missing part is one line that says why and what to do', async () => {
  const { part: none, reasons } = await findPart('s3', [async () => ({ missing: 'no Docker engine answers' })])
  assert.equal(none, null)
  const line = describeMissing('s3', reasons)
  assert.match(line, /^skipped: tests that need S3 \(no Docker engine answers\)\. To run them start Docker/)
  assert.ok(!line.includes('\n'))
})

const ask = async (url: string, path: string) => {
  const response = await fetch(`${url}${path}`, { method: 'POST' })
  return { status: response.status, text: await response.text() }
}

test('a part can be taken away and brought back in the order asked for, and restore brings back what was forgotten', async t => {
  const done: string[] = []
  const act = (verb: string) => async () => {
    await new Promise(resolve => setImmediate(resolve))
    done.push(verb)
  }
  const parts = new Map<PartName, Part>([['kafka', part({ faults: { stop: act('stop'), kill: act('kill'), start: act('start') } })]])
  const control = await startControl(parts)
  t.after(() => control.close())
  const answers = await Promise.all(['stop', 'start', 'kill'].map(verb => ask(control.url, `/kafka/${verb}`)))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [204, 204, 204],
  )
  assert.deepEqual(done, ['stop', 'start', 'kill'])
  await control.restore()
  await control.restore()
  assert.deepEqual(done, ['stop', 'start', 'kill', 'start'])
})

test('what is not there or not ours cannot be stopped, and a failure is told', async t => {
  const broken = async () => {
    throw new Error('the engine is gone')
  }
  const control = await startControl(
    new Map<PartName, Part>([
      ['kafka', part()],
      ['s3', part({ faults: { stop: broken, kill: broken, start: broken } })],
    ]),
  )
  t.after(() => control.close())
  assert.equal((await ask(control.url, '/kafka/stop')).status, 409)
  assert.deepEqual(await ask(control.url, '/s3/stop'), { status: 500, text: 'the engine is gone' })
  assert.equal((await ask(control.url, '/s3/explode')).status, 404)
  assert.equal((await fetch(`${control.url}/s3/stop`)).status, 404)
})

test('only what a dead runner of this host owns is an orphan', () => {
  assert.equal(isOrphan(owner), false)
  assert.equal(isOrphan('another-host/999999999'), false)
  assert.equal(isOrphan(`${owner.split('/')[0]}/999999999`), true)
  assert.equal(isOrphan('nonsense'), false)
})
