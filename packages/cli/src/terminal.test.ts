import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readyLine, sayProgress } from './terminal.ts'

test('a process that is ready says so in one line, with the addresses of what it runs', () => {
  const urls = { gateway: 'http://127.0.0.1:1', health: 'http://127.0.0.1:2' }
  assert.equal(readyLine(urls, false), 'newswire ready gateway=http://127.0.0.1:1 health=http://127.0.0.1:2')
  assert.deepEqual(JSON.parse(readyLine(urls, true)), { ready: true, ...urls })
})

test('progress is for somebody who looks: on a terminal, and not beside results for machines', t => {
  const { isTTY } = process.stderr
  t.after(() => {
    process.stderr.isTTY = isTTY
  })
  const said: string[] = []
  for (const [terminal, json] of [
    [true, false],
    [true, true],
    [false, false],
  ] as const) {
    process.stderr.isTTY = terminal
    sayProgress({ json, say: line => said.push(line) }, `${terminal} ${json}`)
  }
  assert.deepEqual(said, ['true false'])
})
