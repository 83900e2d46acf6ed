#!/usr/bin/env node
/** `newswire`: the command line. Results on standard output, everything else on standard error; exit status 0, 1 (failed), 2 (wrong use). */
import { processEnvironment, readSettings, SettingsError } from '@newswire/runtime/settings'
import { CommanderError } from 'commander'
import { createProgram, withoutHelpOfUnknown } from './program.ts'
import { UsageError } from './usage-error.ts'

const NODE_MAJOR = 24
if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
  process.stderr.write(
    `newswire needs Node ${NODE_MAJOR}, and this is ${process.version}. Run it as \`npx newswire …\` or \`npm start\`: npm ci brings the right one.\n`,
  )
  process.exit(2)
}

const fail = (error: unknown): number => {
  const isCommander = error instanceof CommanderError
  if (isCommander && error.exitCode === 0) return 0
  const message = error instanceof Error ? error.message : String(error)
  const own = (error as { code?: unknown } | null)?.code
  const wrongUse = isCommander || error instanceof UsageError || error instanceof SettingsError
  const code = typeof own === 'string' && own.startsWith('NEWSWIRE_') ? own : wrongUse ? 'NEWSWIRE_USAGE' : 'NEWSWIRE_FAILED'
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`)
  // Commander has said its own on standard error.
  else if (!isCommander) process.stderr.write(`newswire: ${message}\n`)
  return wrongUse ? 2 : 1
}

const main = async (): Promise<number> => {
  try {
    const environment = processEnvironment()
    let status = 0
    const program = createProgram({
      environment,
      readSettings: overrides => readSettings({ ...environment, ...overrides }),
      print: line => process.stdout.write(`${line}\n`),
      say: line => process.stderr.write(`${line}\n`),
      onStatus: next => {
        status = next
      },
    })
    await program.parseAsync(withoutHelpOfUnknown(program, process.argv.slice(2)), { from: 'user' })
    return status
  } catch (error) {
    return fail(error)
  }
}

process.exit(await main())
