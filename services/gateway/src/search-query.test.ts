import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTyped, toTiers } from './search-query.ts'

const best = (typed: string): string =>
  toTiers(parseTyped(typed), [])
    .tiers.filter(({ table }) => table === 'everywhere')
    .at(0)?.match ?? ''

test('a word that was typed with its marks is asked for with them alone, because who has it so has it without as well', () => {
  assert.equal(best('học'), '"hoc\u0323"', 'the tone at the end')
  assert.equal(best('hoc'), '"hoc"')
})

test('a word so long that it was cut is asked for both ways', () => {
  const long = 'ế'.repeat(70)
  assert.match(best(long), /^\("e{64}" AND ".+"\)$/)
})
