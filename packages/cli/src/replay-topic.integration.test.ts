/** Groups on a real Kafka: set while they stand still, refused while a member runs. Needs KAFKA_BROKERS; skipped, visibly, without. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { topicSpecs, topics } from '@newswire/events/topics'
import { deleteAll } from '@newswire/log/kafka-kit'
import { processEnvironment, readSettings } from '@newswire/runtime/settings'
import { openPorts } from './compose.ts'
import { replayTopic } from './replay-topic.ts'

const brokers = processEnvironment().KAFKA_BROKERS
const ARTICLES = topics.articles.name

test('a group that has members is refused by name, and set once they have left', {
  skip: brokers === undefined && 'KAFKA_BROKERS names no broker',
}, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-replay-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const environment = { ...processEnvironment(), S3_BUCKET: undefined, S3_ENDPOINT: undefined }
  const settings = (name: string) => readSettings({ ...environment, KAFKA_TOPIC_PREFIX: prefix, NEWSWIRE_DATA: join(folder, name) })
  const prefix = `replay-${randomUUID()}.`
  const { log, close } = await openPorts(settings('one'), 'test')
  t.after(async () => {
    await close()
    await deleteAll(prefix)
  })
  await log.topics(topicSpecs, { apply: true })
  const seen: string[] = []
  const start = () =>
    log.subscribe({ topic: ARTICLES, group: 'feeds', handle: async records => void seen.push(...records.map(one => one.key ?? '')) })
  const first = await start()
  await log.publish(['press.a', 'press.b'].map(key => ({ topic: ARTICLES, key, value: Buffer.from('x') })))
  const deadline = performance.now() + 60_000
  const until = async (holds: () => boolean | Promise<boolean>) => {
    while (!(await holds())) {
      assert.ok(performance.now() < deadline, `saw ${seen.join()}`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
  await until(async () => (await log.lag('feeds')).every(one => one.records === 0) && seen.length === 2)

  const printed: string[] = []
  const replay = () =>
    replayTopic({ settings: settings('two'), environment, json: true, print: line => printed.push(line), say: () => undefined }, ARTICLES, {
      group: ['feeds'],
      from: 'start',
    })
  assert.equal(await replay(), false)
  assert.match(printed.at(-1) ?? '', /stop every one of them first/)
  await first.stop()
  assert.equal(await replay(), true)
  assert.match(printed.at(-1) ?? '', /"records":2/)
  const second = await start()
  await until(() => seen.length === 4)
  await second.stop()
})
