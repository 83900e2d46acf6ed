import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deliverConfig } from '@newswire/events/deliver'
import { toPurgeRequests } from './purge-dialects.ts'

const purge = (fields: object) => {
  const deliver = deliverConfig.parse({ kind: 'purge', url: 'https://cdn.example/purge', tokenEnv: 'TOKEN', ...fields })
  assert.ok(deliver.kind === 'purge')
  return (names: readonly string[]) =>
    toPurgeRequests(deliver, names, 'secret').map(({ method, url, headers, body }) => ({
      method,
      url,
      headers,
      body: body === undefined ? null : JSON.parse(Buffer.from(body).toString()),
    }))
}
const many = (count: number) => Array.from({ length: count }, (_, n) => `key-${n}`)

test('each cache is asked in its own words', () => {
  const asked = [
    purge({ dialect: 'generic' })(['a', 'b']),
    purge({ dialect: 'fastly' })(['a', 'b']),
    purge({ dialect: 'cloudflare' })(['a', 'b']),
    purge({ dialect: 'cloudflare', by: 'urls' })(['https://news.example/a']),
    purge({ dialect: 'varnish' })(['a', 'b']),
    purge({ dialect: 'varnish', by: 'urls' })(['https://news.example/a?x=1']),
    purge({ dialect: 'varnish-ban', by: 'urls' })(['https://news.example/a']),
  ]
  const json = { 'content-type': 'application/json' }
  const bearer = { authorization: 'Bearer secret' }
  const post = { method: 'POST', url: 'https://cdn.example/purge' }
  assert.deepEqual(asked.flat(), [
    { ...post, headers: { ...bearer, ...json }, body: { type: 'cache.purge', keys: ['a', 'b'] } },
    { ...post, headers: { 'fastly-key': 'secret', ...json }, body: { surrogate_keys: ['a', 'b'] } },
    { ...post, headers: { ...bearer, ...json }, body: { tags: ['a', 'b'] } },
    { ...post, headers: { ...bearer, ...json }, body: { files: ['https://news.example/a'] } },
    { method: 'PURGE', url: 'https://cdn.example/purge', headers: { ...bearer, 'xkey-purge': 'a b' }, body: null },
    { method: 'PURGE', url: 'https://cdn.example/a?x=1', headers: { ...bearer, host: 'news.example' }, body: null },
    { method: 'BAN', url: 'https://cdn.example/a', headers: { ...bearer, host: 'news.example' }, body: null },
  ])
})

test('no request names more than the vendor takes, and all are named once', () => {
  for (const [fields, list, most] of [
    [{ dialect: 'fastly' }, 'surrogate_keys', 256],
    [{ dialect: 'cloudflare' }, 'tags', 30],
    [{ dialect: 'generic' }, 'keys', 500],
  ] as const) {
    const requests = purge(fields)(many(1_000)).map(one => one.body[list] as string[])
    assert.ok(requests.every(names => names.length <= most))
    assert.deepEqual(requests.flat(), many(1_000))
  }
})

test('what a cache cannot be asked by is refused in the configuration', () => {
  assert.throws(() => purge({ dialect: 'fastly', by: 'urls' }), /keys for fastly/)
  assert.throws(() => purge({ dialect: 'varnish-ban' }), /urls for varnish-ban/)
})
