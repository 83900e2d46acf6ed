import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from '@newswire/runtime/settings'
import { CommanderError } from 'commander'
import { createProgram, withoutHelpOfUnknown } from './program.ts'

const make = () =>
  createProgram({
    environment: {},
    readSettings: overrides => readSettings(overrides),
    print: () => undefined,
    say: () => undefined,
    onStatus: () => undefined,
  })
/** The code of the refusal; commander's own words go to standard error. */
const refusalOf = async (...args: string[]): Promise<string> => {
  const program = make()
  try {
    await program.parseAsync(withoutHelpOfUnknown(program, args), { from: 'user' })
    return 'none'
  } catch (error) {
    return error instanceof CommanderError ? error.code : String(error)
  }
}

test('a command that is not there is refused, also when its help is asked for', async () => {
  for (const args of [['pubish', '--help'], ['pubish', '-h'], ['outlets', 'lits', '--help'], ['lits']])
    assert.equal(await refusalOf(...args), 'commander.unknownCommand', args.join(' '))
})

test('help of what is there is left as it is, and so is a value that looks like it', () => {
  const program = make()
  for (const args of [['outlets', 'list', '--help'], ['publish', 'a.txt', '--title', '-h'], ['--help'], ['help', 'pubish'], []])
    assert.deepEqual(withoutHelpOfUnknown(program, args), args)
})

test('arguments that nobody asked for are refused', async () => {
  for (const path of [['dead-letters', 'list'], ['status'], ['token', 'list'], ['outlets', 'list'], ['archive', 'close']])
    assert.equal(await refusalOf(...path, 'abc'), 'commander.excessArguments', path.join(' '))
})

test('it says its version', () => {
  assert.match(make().version() ?? '', /^\d+\.\d+\.\d+$/)
})
