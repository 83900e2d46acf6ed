/** How every command is made: it says what it does, with an example, and its end is the exit status. */
import { type Command, InvalidArgumentError } from 'commander'
import type { Terminal } from './terminal.ts'

/** True when it went well. `given`: arguments and options, as commander hands them over. */
type Work = (terminal: Terminal, ...given: Parameters<Parameters<Command['action']>[0]>) => Promise<boolean>

/** Does the work at a terminal that is made of the common options, and ends with what it comes to. */
type Run = (options: Readonly<{ json?: boolean; data?: string }>, work: (terminal: Terminal) => Promise<boolean>) => Promise<void>

export type CommandTree = Readonly<{
  /** One that answers; its arguments stand in `usage`, its options are chained to it. */
  add: (usage: string, description: string, example: string, work: Work) => Command
  /** A word that others stand behind. */
  group: (word: string, description: string, example: string) => CommandTree
}>

export const withHelp = (command: Command, description: string, example: string): Command =>
  command.description(description).addHelpText('after', `\nExample:\n  ${example}`)

export const commandTree = (parent: Command, run: Run): CommandTree => ({
  add: (usage, description, example, work) => {
    const command = withHelp(parent.command(usage), description, example)
      .option('--json', 'one JSON document on standard output')
      .option('--data <dir>', 'data folder of the system')
    return command.action((...given) => run(command.opts(), terminal => work(terminal, ...given)))
  },
  group: (word, description, example) => commandTree(withHelp(parent.command(word), description, example), run),
})

/** For options that may be repeated. */
export const collect = (value: string, all: readonly string[]): string[] => [...all, value]

export const toSeconds = (value: string): number => {
  const seconds = Number(value)
  if (Number.isFinite(seconds) && seconds > 0) return seconds
  throw new InvalidArgumentError('expected a number of seconds above 0')
}

export type WaitOptions = Readonly<{ wait?: boolean; timeout: number }>

/** `WaitOptions` of a command. */
export const withWait = (command: Command, meaning: string, seconds: number): Command =>
  command.option('--wait', meaning).option('--timeout <seconds>', 'how long --wait waits', toSeconds, seconds)
