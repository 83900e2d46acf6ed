import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseCoding, chooseType, prefersJson, prefersPage } from './accept.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'

test('a page goes to who names one and likes it no less than JSON; what takes anything is a program', () => {
  for (const header of [BROWSER, 'text/html', 'TEXT/HTML;q=0.5, */*', 'application/json;q=0.9, text/html', 'text/html, application/json'])
    assert.equal(prefersPage(header), true, header)
  for (const header of [
    undefined,
    '',
    '*/*',
    'text/*',
    'application/json',
    'text/html;q=0',
    'text/html;q=x',
    'text/html;q=0.5, application/problem+json',
  ])
    assert.equal(prefersPage(header), false, header)
})

test('JSON goes to who names it and likes it better than a page', () => {
  for (const header of ['application/json', 'application/problem+json, text/html;q=0.9', 'application/json, */*'])
    assert.equal(prefersJson(header), true, header)
  for (const header of [undefined, '*/*', BROWSER, 'text/html, application/json', 'application/json;q=0'])
    assert.equal(prefersJson(header), false, header)
})

test('a coding is sent to those who take it and do not like the plain bytes better', () => {
  for (const header of ['gzip', 'br, gzip', 'GZIP', 'x-gzip', '*', 'gzip;q=0.5', 'gzip;q=1.0, identity; q=0.5', 'identity;q=0, *;q=0.5'])
    assert.equal(chooseCoding(header, ['gzip']), 'gzip', header)
  for (const header of [undefined, '', 'identity', 'br', 'gzip;q=0', 'gzip;q=0, *', 'gzip;q=0.5, identity', '*;q=0', 'gzip;q=nonsense'])
    assert.equal(chooseCoding(header, ['gzip']), 'identity', String(header))
})

test('between codings the weight decides, and our own order when weights are equal', () => {
  assert.equal(chooseCoding('gzip, deflate, br, zstd', ['br', 'zstd', 'gzip']), 'br')
  assert.equal(chooseCoding('gzip, deflate, br, zstd', ['gzip', 'br']), 'gzip')
  assert.equal(chooseCoding('gzip, br;q=0.9', ['br', 'gzip']), 'gzip')
  assert.equal(chooseCoding('br;q=0, *', ['br', 'zstd', 'gzip']), 'zstd')
})

test('the type that Accept likes best is offered, the closest range deciding', () => {
  const offers = ['application/rss+xml', 'application/atom+xml', 'application/feed+json', 'text/html'] as const
  const table: readonly [string | undefined, string | null][] = [
    [undefined, 'application/rss+xml'],
    ['*/*', 'application/rss+xml'],
    ['application/atom+xml', 'application/atom+xml'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html'],
    ['application/*;q=0.5, application/feed+json', 'application/feed+json'],
    ['application/rss+xml;q=0, */*', 'application/atom+xml'],
    ['application/rss+xml; charset=utf-8; q=0.3, text/html;q=0.2', 'application/rss+xml'],
    ['image/png', null],
  ]
  for (const [header, expected] of table) assert.equal(chooseType(header, offers), expected, String(header))
})
