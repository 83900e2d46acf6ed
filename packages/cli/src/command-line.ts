/** One command: what it was asked for, what it says, how it ends. */
import { messageOf } from '@newswire/events/errors'
import { processEnvironment, readSettings, SettingsError } from '@newswire/runtime/settings'
import { CommanderError } from 'commander'
import { asTyped, dataOf, jsonAsTyped } from './as-typed.ts'
import { printable } from './printable.ts'
import { createProgram, withoutHelpOfUnknown } from './program.ts'
import { UsageError } from './usage-error.ts'

const args = process.argv.slice(2)
const advised = (text: string): string => asTyped(text, dataOf(args))
const typed = (text: string): string => printable(advised(text))
const writers = { document: (text: string) => text, json: (text: string) => printable(jsonAsTyped(text, dataOf(args))) }

const fail = (error: unknown): number => {
  const isCommander = error instanceof CommanderError
  if (isCommander && error.exitCode === 0) return 0
  const message = messageOf(error)
  const own = (error as { code?: unknown } | null)?.code
  const wrongUse = isCommander || error instanceof UsageError || error instanceof SettingsError
  const code = typeof own === 'string' && own.startsWith('NEWSWIRE_') ? own : wrongUse ? 'NEWSWIRE_USAGE' : 'NEWSWIRE_FAILED'
  if (args.includes('--json')) process.stdout.write(`${printable(JSON.stringify({ error: { code, message: advised(message) } }))}\n`)
  // Commander has said its own on standard error.
  else if (!isCommander) process.stderr.write(`newswire: ${typed(message)}\n`)
  return wrongUse ? 2 : 1
}

/** Resolves with the exit status: 0, 1 (failed), 2 (wrong use). Results go to standard output, everything else to standard error. */
export const runCommandLine = async (): Promise<number> => {
  try {
    const environment = processEnvironment()
    let status = 0
    const program = createProgram({
      environment,
      readSettings: overrides => readSettings({ ...environment, ...overrides }),
      print: (line, as) => process.stdout.write(`${(as === undefined ? typed : writers[as])(line)}\n`),
      say: line => process.stderr.write(`${typed(line)}\n`),
      onStatus: next => {
        status = next
      },
    })
    await program.parseAsync(withoutHelpOfUnknown(program, args), { from: 'user' })
    return status
  } catch (error) {
    return fail(error)
  }
}
