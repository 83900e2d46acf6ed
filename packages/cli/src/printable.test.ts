import assert from 'node:assert/strict'
import { test } from 'node:test'
import { styleText } from 'node:util'
import { printable } from './printable.ts'

test('what a terminal would obey is shown, and our colours and lines stay', () => {
  assert.equal(
    printable('\u001b]0;title\u0007\u001b[2J\u001b[8mx\r\u009b1A\u202e'),
    '\\u001b]0;title\\u0007\\u001b[2J\\u001b[8mx\\u000d\\u009b1A\\u202e',
  )
  const ours = `${styleText('red', '✖ late', { validateStream: false })}\tBến đò 👩‍🌾\n`
  assert.equal(printable(ours), ours)
})

test('a colour that is none of ours is shown: in black or white what follows could not be seen', () => {
  for (const code of [30, 37, 97]) assert.equal(printable(`\u001b[${code}mx`), `\\u001b[${code}mx`)
  for (const format of ['green', 'yellow', 'red', 'gray'] as const) {
    const ours = styleText(format, 'x', { validateStream: false })
    assert.equal(printable(ours), ours)
  }
})

test('JSON says the same as before', () => {
  const value = { title: '\u001b[31m\u007f\u009b\u2066"\\', more: ['\u202e'] }
  assert.deepEqual(JSON.parse(printable(JSON.stringify(value))), value)
})
