import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prefersJson, prefersPage } from './accept.ts'

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
