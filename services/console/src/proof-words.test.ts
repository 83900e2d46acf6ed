import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExitResult, OutletResult } from '@newswire/events/retraction-proof'
import { type Findings, toSentence } from './proof-words.ts'

const AT = '2026-01-01T00:00:00.000Z'
const exit = (address: string, state: ExitResult['state']): ExitResult => ({ kind: 'feed', address, state, detail: '', checkedAt: AT })
const outlet = (id: string, state: string, fields: Partial<OutletResult> = {}): OutletResult => ({
  id,
  first: 1,
  state,
  acknowledgedAt: null,
  attempts: null,
  nextAt: null,
  lastError: null,
  ...fields,
})
const found = (fields: Partial<Findings>): Findings => ({
  retractedAt: AT,
  outlets: [outlet('a', 'done')],
  exits: [exit('/feeds/all/rss.xml', 'gone')],
  missing: [],
  provedAt: null,
  ...fields,
})

test('gone everywhere is said only when every exit was seen and every outlet acknowledged', () => {
  assert.deepEqual(toSentence(found({})), { verdict: 'gone', sentence: 'Gone everywhere: 1 exits looked at, 1 outlets acknowledged.' })
  assert.equal(toSentence(found({ exits: null })).verdict, 'unproved')
  assert.equal(toSentence(found({ exits: [exit('/x', 'unknown')] })).verdict, 'unproved')
  assert.equal(toSentence(found({ missing: [2] })).verdict, 'unproved')
  for (const state of ['pending', 'retrying', 'suspended', 'dead', 'rejected', 'superseded'])
    assert.equal(toSentence(found({ outlets: [outlet('a', state)] })).verdict, 'waiting', state)
})

test('what still shows it, and who has not acknowledged, is named with the time since when', () => {
  const { verdict, sentence } = toSentence(
    found({
      exits: [exit('/feeds/all/rss.xml', 'visible'), exit('/', 'gone')],
      outlets: [outlet('slow', 'retrying', { attempts: 3, lastError: 'it answered 500' }), outlet('b', 'done')],
    }),
  )
  assert.equal(verdict, 'visible')
  assert.equal(
    sentence,
    `Still at /feeds/all/rss.xml since ${AT}; not acknowledged since ${AT} by slow (retrying, 3 attempts: it answered 500).`,
  )
})

test('a partner that does not acknowledge is named though the public exits are clean', () => {
  const { sentence } = toSentence(found({ outlets: [outlet('slow', 'suspended')] }))
  assert.equal(sentence, `Gone from every public exit; not acknowledged since ${AT} by slow (suspended).`)
})

test('what was proved before a restart stays proved until it is looked at again', () => {
  const before = { exits: null, provedAt: AT }
  assert.deepEqual(toSentence(found(before)), { verdict: 'gone', sentence: `Gone everywhere: so it was proved at ${AT}.` })
  assert.equal(toSentence(found({ provedAt: AT, exits: [exit('/', 'visible')] })).verdict, 'visible')
})
