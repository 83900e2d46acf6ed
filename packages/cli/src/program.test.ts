import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from '@newswire/runtime/settings'
import { type Command, CommanderError } from 'commander'
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

const withSubcommands = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(withSubcommands)]
const helpOf = (command: Command): string => {
  const said: string[] = []
  command.configureOutput({ writeOut: text => said.push(text) }).outputHelp()
  return said.join('')
}

test('every command and subcommand says what it does, with an example, and has a form for machines', () => {
  const all = withSubcommands(make())
  assert.ok(all.length > 50)
  for (const command of all) {
    const name = command.name()
    assert.match(helpOf(command), /\n\nExample:\n {2}\S/, name)
    assert.notEqual(command.description(), '', name)
    assert.equal(
      command.options.some(one => one.long === '--json'),
      command.commands.length === 0,
      `--json of ${name}`,
    )
  }
})
