/** What a command is run with. */
import type { Environment, Settings } from '@newswire/runtime/settings'

export type Terminal = Readonly<{
  settings: Settings
  environment: Environment
  /** Results are for machines. */
  json: boolean
  /** A line of the result, on standard output. */
  print: (line: string) => void
  /** Everything else, on standard error. */
  say: (line: string) => void
}>

export const printResult = ({ json, print }: Pick<Terminal, 'json' | 'print'>, value: unknown, words: string): void =>
  print(json ? JSON.stringify(value) : words)
