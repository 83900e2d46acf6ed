/** What a command is run with. */
import type { Environment, Settings } from '@newswire/runtime/settings'
import { printable } from './printable.ts'

export type Terminal = Readonly<{
  settings: Settings
  environment: Environment
  /** Results are for machines. */
  json: boolean
  /** A line of the result, on standard output; a document word for word, because somebody reads it back; of JSON what we say in it is as of a line. */
  print: (line: string, as?: 'document' | 'json') => void
  /** Everything else, on standard error. */
  say: (line: string) => void
}>

/** How far a long work is; on a terminal alone, where somebody looks. */
export const sayProgress = ({ json, say }: Pick<Terminal, 'json' | 'say'>, line: string): void => {
  if (!json && process.stderr.isTTY) say(line)
}

/** The same of what is told again and again: a line a second at most, but the last one. */
export const sayNowAndThen = (terminal: Pick<Terminal, 'json' | 'say'>): ((line: () => string, isLast?: boolean) => void) => {
  let said = performance.now()
  return (line, isLast = false) => {
    if (performance.now() - said < 1_000 && !isLast) return
    said = performance.now()
    sayProgress(terminal, line())
  }
}

/** The one line of a process that is ready: which service answers at which address. */
export const readyLine = (urls: Readonly<Record<string, string>>, json: boolean): string => {
  const words = Object.entries(urls).map(([name, url]) => `${name}=${url}`)
  return json ? JSON.stringify({ ready: true, ...urls }) : ['newswire ready', ...words].join(' ')
}

export const printDocument = ({ json, print }: Pick<Terminal, 'json' | 'print'>, value: unknown, text: string): void =>
  print(json ? printable(JSON.stringify(value)) : text, 'document')

export const printResult = (terminal: Pick<Terminal, 'json' | 'print'>, value: unknown, words: string): void =>
  terminal.json ? terminal.print(JSON.stringify(value), 'json') : terminal.print(words)
