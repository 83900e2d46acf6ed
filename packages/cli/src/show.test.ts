import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { showTable, showTrace } from './show.ts'

test('columns are as wide as their widest cell, and lines end where their words end', () => {
  assert.equal(
    showTable([
      ['a', 'bb', ''],
      ['ccc', 'd', 'e'],
    ]),
    'a    bb\nccc  d   e',
  )
  assert.equal(showTable([]), '')
})

test('a trace shows each version with its stages and sinks, and what became of submissions that were never released', () => {
  const at = '2026-01-01T00:00:00.000Z'
  const sink = { kind: 'outlet', id: 'x', version: 1, attempts: 2, nextAt: null, lastError: 'HTTP 500', reason: null, doneAt: null }
  const submission = { articleId: 'press.a', command: 'publish', acceptedAt: at, at }
  const shown = stripVTControlCharacters(
    showTrace({
      articleId: 'press.a',
      title: 'Tin',
      versions: [
        {
          version: 1,
          action: 'published',
          submissionId: 's1',
          releasedAt: at,
          stages: [
            { stage: 'desk', outcome: 'released', at, ms: 1.6, detail: null },
            { stage: 'resend', outcome: 'asked', at, ms: null, detail: 'to x' },
          ],
          sinks: [
            { ...sink, state: 'retrying' },
            { ...sink, kind: 'feed', id: 'msn', attempts: null, lastError: 'title too short', state: 'rejected' },
            { ...sink, id: 'y', state: 'rejected' },
          ],
        },
      ],
      submissions: [
        { ...submission, submissionId: 's1', state: 'released' },
        { ...submission, submissionId: 's2', state: 'refused', detail: 'older' },
      ],
    }),
  )
  assert.match(shown, /version 1 {2}published/)
  assert.match(shown, /desk released 2 ms\n {4}↻ sent again to x {2}2026-01-01T00:00:00\.000Z\n/)
  assert.match(shown, /↻ retrying {2}outlet x {2}2 attempts · HTTP 500/)
  assert.match(shown, /! set aside {2}feed msn {2}title too short/)
  assert.match(shown, /✖ rejected {2}outlet y/)
  assert.match(shown, /submission s2 {2}refused – older/)
  assert.doesNotMatch(shown, /submission s1/)
})
