import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, withoutSecrets } from './logger.ts'

const collect = () => {
  const lines: string[] = []
  const logger = createLogger({ service: 'test', level: 'debug', destination: { write: line => void lines.push(line) } })
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> }
}

test('a line is one JSON object with time, level, process, fields and a fixed name', () => {
  const { logger, lines, last } = collect()
  logger.child({ service: 'desk' }).info({ articleId: 'a.b', url: 'https://x.example/a' }, 'article.released')
  const { time, ...rest } = last()
  assert.ok(!Number.isNaN(Date.parse(String(time))))
  assert.deepEqual(rest, {
    level: 'info',
    process: 'test',
    service: 'desk',
    articleId: 'a.b',
    url: 'https://x.example/a',
    msg: 'article.released',
  })
  assert.ok(lines[0]?.endsWith('\n'))
})

test('an error is its name, code, message, stack and causes, and nothing that a library hung on it', () => {
  const { logger, last } = collect()
  const cause = Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' })
  const error = Object.assign(new TypeError('failed', { cause }), { code: 'NEWSWIRE_X', config: { a: 1 }, response: {} })
  logger.error({ err: error }, 'request.failed')
  const { err } = last() as { err: Record<string, unknown> }
  assert.deepEqual(Object.keys(err).sort(), ['cause', 'code', 'message', 'stack', 'type'])
  assert.deepEqual(err['cause'], { type: 'Error', code: 'EHOSTUNREACH', message: 'no route' })
  logger.error({ err: 'a string' }, 'x')
  assert.equal(last()['err'], 'a string')
})

test('no planted secret comes out, wherever it was put', () => {
  const { logger, lines } = collect()
  const canary = 'CANARY5ecretCANARY5ecret'
  const withFields = (message: string, fields: object) => Object.assign(new Error(message), fields)
  logger.info({ headers: { authorization: canary } }, 'x')
  logger.info({ req: { headers: { Cookie: canary } }, res: canary, body: canary, env: { A: canary } }, 'x')
  logger.info({ deep: { deeper: [{ Authorization: canary, password: `a"${canary}` }] } }, 'x')
  logger.info({ url: `https://user:${canary}@partner.example/hook?key=${canary}#${canary}` }, 'x')
  logger.info({ text: `see https://partner.example/?a=${canary}&b=${canary}, twice` }, 'x')
  logger.info(`Authorization: Bearer ${canary}`)
  logger.info({ value: `bearer ${canary}` }, `token is nw_${canary}`)
  logger.info({ secretKey: canary, consoleToken: canary, apiKey: canary }, 'x')
  logger.info({ value: `whsec_${canary}` }, 'x')
  logger.error(withFields(`GET https://u:${canary}@x.example/?t=${canary} failed`, { config: { headers: { authorization: canary } } }))
  logger.error({ err: new Error('a', { cause: withFields(`Basic ${canary}`, { request: canary }) }) }, 'x')
  logger.child({ authorization: canary }).info('x')
  for (const line of lines) {
    assert.ok(!line.includes(canary), line)
    JSON.parse(line)
  }
  assert.equal(lines.length, 12)
})

test('text from elsewhere cannot forge a line, and is short', () => {
  assert.equal(withoutSecrets('a\x1b[31mb\rc\x00d\x9be'), 'a [31mb c d e')
  assert.equal(withoutSecrets('x'.repeat(10_000)).length, 2_000)
  const { logger, lines } = collect()
  logger.info({ value: 'a\n{"level":"fatal"}' }, 'x')
  assert.equal(lines.join('').split('\n').length, 2)
})

test('hiding secrets leaves what stands beside them', () => {
  const { logger, last } = collect()
  logger.info({ url: 'http://h', mail: 'a@b.example', quoted: 'say "https://x.example/a?b=c" twice', topicPrefix: 'nw_dev' }, 'basic.check')
  const { url, mail, quoted, topicPrefix, msg } = last()
  assert.deepEqual(
    { url, mail, quoted, topicPrefix, msg },
    { url: 'http://h', mail: 'a@b.example', quoted: 'say "https://x.example/a" twice', topicPrefix: 'nw_dev', msg: 'basic.check' },
  )
})

test('a long hostile line is looked over in a time that grows with its length', () => {
  const started = performance.now()
  for (const piece of ['http://', 'a.', 'https://a', 'bearer ', '"token":"', '@', 'http://@']) withoutSecrets(piece.repeat(20_000))
  assert.ok(performance.now() - started < 20_000)
})
