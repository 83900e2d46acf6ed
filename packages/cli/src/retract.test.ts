import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readSettings } from '@newswire/runtime/settings'
import { republish, retract } from './retract.ts'
import { type Answer, answering } from './sample-front-door.ts'
import type { Terminal } from './terminal.ts'
import { FailedError } from './usage-error.ts'

const unknown: Answer = { status: 404, body: { title: 'Not found', code: 'NEWSWIRE_ARTICLE_UNKNOWN' } }
const options = { mode: 'withdraw', reason: 'sai', wait: false, timeout: 1, legal: false, force: false }
const submitted = (...commands: string[]): Answer => ({ body: { versions: [], submissions: commands.map(command => ({ command })) } })

/** A front door that answers the two questions about an article like this. */
const begin = async (t: TestContext, { article = unknown, trace = unknown }: { article?: Answer; trace?: Answer }) => {
  const door = await answering(t, ({ method, path }) => (method !== 'GET' ? undefined : path.endsWith('/trace') ? trace : article))
  const words: string[] = []
  const terminal: Terminal = {
    settings: readSettings({ NEWSWIRE_DATA: join(tmpdir(), 'newswire-nothing-here') }),
    environment: { NEWSWIRE_INGEST_URL: door.url, NEWSWIRE_TOKEN: 't' },
    json: false,
    print: line => words.push(line),
    say: line => words.push(line),
  }
  return { terminal, words, sent: () => door.requests.filter(one => one.method === 'POST') }
}

test('an id that nothing was ever submitted under is not retracted: the story that was meant would still be up', async t => {
  for (const trace of [unknown, submitted('retract')]) {
    const { terminal, sent } = await begin(t, { trace })
    await assert.rejects(
      retract(terminal, 'cau-moi', options),
      (error: unknown) =>
        error instanceof FailedError && /nothing was ever submitted as cau-moi, so nothing was taken back.*--force/.test(error.message),
    )
    assert.deepEqual(sent(), [])
  }
})

test('the article of another publisher is not taken for one of ours that has the same name, also where nobody says whose the token is', async t => {
  const { terminal, sent } = await begin(t, { article: { body: { id: 'vanhoa.story', state: 'live' } } })
  await assert.rejects(
    retract(terminal, 'songhau.story', options),
    /songhau\.story is no article of .*whose story is vanhoa\.story: nothing was taken back/,
  )
  assert.deepEqual(sent(), [])
  for (const id of ['vanhoa.story', 'story']) await retract(terminal, id, options)
  assert.deepEqual(
    sent().map(one => one.path),
    ['/v1/articles/story/retract', '/v1/articles/story/retract'],
  )
})

test('nor is it republished', async t => {
  const { terminal, sent } = await begin(t, {})
  await assert.rejects(republish(terminal, 'khong-co', options), {
    name: 'FailedError',
    message: /^nothing was ever submitted as khong-co, so nothing was brought back.*show what is there\.$/,
  })
  assert.deepEqual(sent(), [])
})

test('--force retracts it all the same, and says that a law asks for it', async t => {
  const { terminal, sent } = await begin(t, {})
  assert.equal(await retract(terminal, 'cau-moi', { ...options, force: true, legal: true }), true)
  assert.deepEqual(JSON.parse(sent()[0]?.body ?? ''), { mode: 'withdraw', reason: 'sai', legal: true })
})

test('what is out, held or on its way is retracted, and so is everything when it cannot be asked', async t => {
  const forbidden: Answer = { status: 403, body: { title: 'Not allowed', code: 'NEWSWIRE_AUTH_SCOPE' } }
  const away: Answer = { status: 503, body: { title: 'Away', code: 'NEWSWIRE_LOG_UNAVAILABLE' } }
  for (const answers of [
    { article: { body: { state: 'live' } } },
    { trace: submitted('publish') },
    { trace: submitted('publish', 'retract') },
    { article: forbidden },
    { trace: away },
  ]) {
    const { terminal, sent } = await begin(t, answers)
    assert.equal(await retract(terminal, 'cau-moi', options), true)
    assert.equal(sent().length, 1, JSON.stringify(answers))
  }
})

test('what the front door warns of is said, the first of it', async t => {
  const warnings = Array.from({ length: 7 }, (_, n) => ({ pointer: `/categories/${n}`, detail: 'is not in the configuration' }))
  const door = await answering(t, () => ({ status: 202, body: { submissionId: 's', articleId: 'press.a', trace: '', warnings } }))
  const { terminal, words } = await begin(t, { trace: submitted('publish') })
  await republish({ ...terminal, environment: { ...terminal.environment, NEWSWIRE_INGEST_URL: door.url } }, 'a', options)
  assert.equal(words.filter(line => line.includes('! press.a /categories/')).length, 5)
  assert.ok(words.some(line => line.includes('and 2 more')))
})
