import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { topicSpecs } from '@newswire/events/topics'
import { parse } from 'yaml'
import { documents } from './documents.ts'

const ROOT = join(import.meta.dirname, '..', '..')

for (const [path, text] of documents())
  test(`${path} says what the code does; if not, run npm run docs`, () => {
    assert.ok(readFileSync(join(ROOT, path), 'utf8') === text, `${path} is out of date`)
  })

test('AsyncAPI names every topic with its partitions, and every message that a channel refers to is there', () => {
  const api = parse(readFileSync(join(ROOT, 'docs/asyncapi.yaml'), 'utf8')) as {
    channels: Record<string, { address: string; messages: Record<string, { $ref: string }>; bindings: { kafka: { partitions: number } } }>
    components: { messages: Record<string, unknown> }
  }
  const channels = Object.values(api.channels)
  assert.deepEqual(
    channels.map(one => [one.address, one.bindings.kafka.partitions]).sort(),
    topicSpecs.map(spec => [spec.name, spec.partitions]).sort(),
  )
  for (const { messages } of channels)
    for (const { $ref } of Object.values(messages)) assert.ok($ref.replace('#/components/messages/', '') in api.components.messages, $ref)
})
