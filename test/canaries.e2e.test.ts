/**
 * What must not be seen: secrets, tokens and what partners answer are planted as canaries, and looked for in everything that is logged, shown and
 * kept. Rights and the guard against loops are seen at a real partner on the way.
 */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { makePng } from './support/pictures.ts'
import { articleIdOf, createSystem, SITE_ID, tokens } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const CALLBACK_SECRET = 'canary-callback-secret-0123456789abcdef'
const ANSWER = 'canary-answer-of-a-partner'
const QUERY = 'canary-query-of-an-address'
const BODY = 'canary-word-of-a-body'

const allFiles = async (folder: string): Promise<string[]> => {
  const found = await readdir(folder, { withFileTypes: true, recursive: true })
  return found.filter(one => one.isFile()).map(one => join(one.parentPath, one.name))
}

test('no secret, no token, no body and nothing that a partner answered is logged, shown or kept; rights and loops are honoured and explained', async t => {
  const angry = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(500, { 'content-type': 'text/plain', 'x-canary': ANSWER }).end(ANSWER))
  })
  await new Promise<void>(resolve => angry.listen(0, '127.0.0.1', resolve))
  t.after(() => angry.close())
  const angryUrl = `http://127.0.0.1:${(angry.address() as AddressInfo).port}/hook?key=${QUERY}`
  const system = await createSystem(t, {
    outlets: ['tinh-doan', 'noi-khac', 'gian'],
    outletSettings: {
      'noi-khac': { origin: { sites: ['noi-khac.example,2020'] } },
      gian: { deliver: { kind: 'webhook', url: angryUrl, secretEnv: 'GIAN_SECRET' } },
    },
    publisher: { callbackUrl: angryUrl, callbackSecretEnv: 'CMS_CALLBACK' },
    env: { CMS_CALLBACK: CALLBACK_SECRET, NEWSWIRE_LOG_LEVEL: 'trace', NEWSWIRE_CONSOLE_TOKEN: 'canary-console-token' },
    retryScale: 0.05,
  })
  const running = await system.start()
  const write = createWriter(97)
  const { body: uploaded } = await running.publisher.upload('anh', makePng({ width: 500, height: 400, seed: 97 }), 'image/png')
  const picture = { url: String(uploaded['url']), role: 'lead' as const, rights: { outlets: ['noi-khac'] } }
  const submission = await running.put('mot', {
    ...write(),
    body: { text: `Có ${BODY} ở đây` },
    images: [picture],
    via: ['hang-tin.example,2020'],
  })
  await running.settled(submission, 'released')
  const { 'tinh-doan': open, 'noi-khac': other } = system.partners
  assert.ok(open && other)
  await waitFor('both partners to have it', () => [open, other].every(one => one.held(articleIdOf('mot')) !== undefined))
  const explained = async (outlet: string, localId = 'mot') => {
    const { body } = await running.console(`/v1/explain?article=${articleIdOf(localId)}&outlet=${outlet}`)
    return body as { due: string; why: string; basis: string; leftOut: { why: string }[]; words: string[] }
  }

  await t.test('a picture goes to the outlets that its rights name, the article to all, and the reason is told', async () => {
    const pictures = (partner: typeof open) => ((partner.held(articleIdOf('mot'))?.article['images'] ?? []) as unknown[]).length
    // A machine under load may take the article out before its picture.
    await waitFor('the picture', () => pictures(other) === 1)
    assert.equal(pictures(open), 0)
    const { due, leftOut, words } = await explained('tinh-doan')
    assert.deepEqual([due, leftOut.map(one => one.why)], ['content', ['outlet-not-named']])
    assert.match(words.join('\n'), /Left out: picture 1/)
    assert.deepEqual((await explained('noi-khac')).leftOut, [])
  })

  await t.test('what is sent says which way it came, and does not go back to where it came from', async () => {
    assert.deepEqual(open.held(articleIdOf('mot'))?.article['via'], ['hang-tin.example,2020', SITE_ID])
    await running.settled(await running.put('vong', { ...write(), via: ['noi-khac.example,2020'] }), 'released')
    await waitFor('the other partner to have it', () => open.held(articleIdOf('vong')))
    const { due, why, basis } = await explained('noi-khac', 'vong')
    assert.deepEqual([due, why, basis], ['nothing', 'loop', 'record'])
    assert.equal(other.held(articleIdOf('vong')), undefined)
    const back = await running.publisher.put('ve', { ...write(), via: ['x.example,2020', SITE_ID] })
    assert.deepEqual([back.status, back.body['code']], [422, 'NEWSWIRE_ARTICLE_LOOP'])
  })

  await t.test('nothing that was planted is to be found', async () => {
    await waitFor('the partner that fails to be told of', async () => {
      const { body } = await running.console(`/v1/articles/${articleIdOf('mot')}/trace`)
      assert.match(JSON.stringify(body), /it answered 500/)
      return true
    })
    const secrets = [CALLBACK_SECRET, tokens.all, 'canary-console-token', ...[open, other].map(one => one.secret.slice('whsec_'.length))]
    const shown: string[] = []
    for (const path of [`/v1/articles/${articleIdOf('mot')}/trace`, '/v1/overview', '/v1/outlets', '/v1/outlets/gian', '/v1/dead-letters'])
      shown.push(JSON.stringify((await running.console(path)).body))
    shown.push(JSON.stringify(await explained('gian')))
    shown.push(await fetch(new URL('/metrics', running.newswire.url('console'))).then(answer => answer.text()))
    assert.deepEqual(await running.newswire.stop(), { code: 0, signal: null })
    const logged = running.newswire.output()
    assert.ok(logged.includes('outlet.failing') || logged.includes('delivery'), 'the log says something at all')
    for (const canary of [...secrets, ANSWER, QUERY, BODY]) assert.ok(!logged.includes(canary), `${canary} is in the log`)
    for (const canary of [...secrets, ANSWER, QUERY]) for (const text of shown) assert.ok(!text.includes(canary), `${canary} is shown`)
    const files = await allFiles(system.dataDir)
    let isFound = false
    for (const file of files) {
      // What `up` leaves for the command line of the same user, mode 0600.
      if (file.endsWith('client.json')) continue
      const bytes = await readFile(file)
      isFound ||= bytes.includes(BODY)
      for (const canary of [...secrets, ANSWER]) assert.ok(!bytes.includes(canary), `${canary} is in ${file}`)
    }
    assert.ok(isFound, 'what is kept is found, so what is not found is not kept')
  })
})
