/** A receiver in another language, with the library of Standard Webhooks for it and nothing of ours, takes what is sent, also while its secret changes. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { createPartnerApi } from './support/partner-api.ts'
import { articleIdOf, createSystem } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const PYTHON = process.env['NEWSWIRE_TEST_PYTHON'] ?? 'python3'
const hasLibrary = spawnSync(PYTHON, ['-c', 'import standardwebhooks']).status === 0
const SCRIPT = join(import.meta.dirname, 'support', 'standard_webhooks_receiver.py')
const TOKEN = 'nw_partner_in_python_7c10'
const makeSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`

type Said = Readonly<{
  port?: number
  secrets?: number
  type?: string
  article?: string | null
  verified?: boolean[]
  forged?: boolean
  renamed?: boolean
}>

const startPython = async (t: TestContext) => {
  const child = spawn(PYTHON, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const said: Said[] = []
  createInterface({ input: child.stdout }).on('line', line => void said.push(JSON.parse(line)))
  const hears = (what: string, isIt: (one: Said) => boolean) => waitFor(what, () => said.findLast(isIt))
  const { port } = await hears('its port', one => one.port !== undefined)
  let secrets = 0
  return {
    url: `http://127.0.0.1:${port}/`,
    said,
    /** What it made of the delivery of an article of this type. */
    verdict: async (localId: string, type = 'article.published') => {
      const of = (one: Said) => one.type === type && one.article === articleIdOf(localId)
      return (await hears(`${type} of ${localId}`, of)).verified
    },
    hears,
    learn: async (secret: string) => {
      secrets += 1
      child.stdin.write(`${secret}\n`)
      await hears('it to know the secret', one => one.secrets === secrets)
    },
  }
}

test('Python’s standardwebhooks verifies every delivery, by the old and the new secret while there are two, and by the newest alone afterwards', {
  skip: !hasLibrary && `${PYTHON} has no standardwebhooks; name a Python that has it in NEWSWIRE_TEST_PYTHON`,
}, async t => {
  const python = await startPython(t)
  const first = makeSecret()
  const system = await createSystem(t, {
    moreOutlets: [
      {
        id: 'python',
        match: {},
        tokens: [{ id: 'page', sha256: createHash('sha256').update(TOKEN).digest('hex') }],
        deliver: { kind: 'webhook', url: python.url, secretEnv: 'PYTHON_SECRET' },
      },
    ],
    env: { PYTHON_SECRET: first },
  })
  const running = await system.start()
  const api = createPartnerApi(running.newswire.url('gateway'), 'python', TOKEN)
  const write = createWriter(61)
  await python.learn(first)
  await python.learn(makeSecret())

  /** Its owner hears of a changed secret in a moment: until then deliveries go on as they were. */
  const untilVerified = async (name: string, expected: readonly boolean[]): Promise<string> => {
    for (let n = 0; ; n++) {
      const localId = `${name}-${n}`
      await running.publish(localId, write())
      const verified = await python.verdict(localId)
      if (JSON.stringify(verified) === JSON.stringify(expected)) return localId
      assert.ok(verified?.includes(true) && n < 50, `${localId} is verified as ${verified}, not as ${expected}`)
    }
  }

  await running.publish('mot', write())
  assert.deepEqual(await python.verdict('mot'), [true, false], 'its own secret, and no other')
  assert.equal((await api.post('/test', { id: 'thu' })).status, 202)
  assert.deepEqual((await python.hears('the test', one => one.type === 'newswire.test')).verified, [true, false])

  const rotated = await api.post('/secrets', { id: 'doi' })
  assert.equal(rotated.status, 201)
  await running.publish('hai', write())
  assert.deepEqual(await python.verdict('hai'), [true, false], 'a receiver that has not heard of the new one yet goes on')
  await python.learn(String(rotated.body['secret']))
  const ba = await untilVerified('ba', [true, false, true])
  assert.equal((await running.publisher.retract(ba, { mode: 'withdraw', reason: 'test' })).status, 202)
  assert.deepEqual(await python.verdict(ba, 'article.retracted'), [true, false, true], 'either is enough')

  const last = await fetch(new URL('/v1/outlets/python/secrets', running.newswire.url('console')), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: 'het-cu', overlapHours: 0 }),
  })
  assert.equal(last.status, 201)
  await python.learn(((await last.json()) as { secret: string }).secret)
  await untilVerified('bon', [false, false, false, true])

  for (const one of python.said.filter(({ verified }) => verified !== undefined))
    assert.deepEqual([one.forged, one.renamed], [false, false], 'a changed body, or a changed id, is refused')
})
