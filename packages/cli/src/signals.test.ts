import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'

const SIGNALS = new URL('./signals.ts', import.meta.url).href
const code = `
import { awaitEnding } from ${JSON.stringify(SIGNALS)}
const ending = awaitEnding()
setInterval(() => undefined, 1000)
console.log('waiting')
await ending.ended
console.log('ended with ' + ending.status())
`

const start = async (t: TestContext) => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  let out = ''
  child.stdout.on('data', chunk => {
    out += String(chunk)
  })
  const says = async (words: string) => {
    while (!out.includes(words)) await once(child.stdout, 'data', { signal: t.signal })
  }
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  await says('waiting')
  return { child, says, closed }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  test(`${signal} once asks for a clean end, and again ends at once with 1`, { timeout: 20_000 }, async t => {
    const { child, says, closed } = await start(t)
    child.kill(signal)
    await says('ended with 0')
    assert.equal(child.exitCode, null)
    child.kill(signal)
    assert.deepEqual(await closed, [1, null])
  })
