/** Commands that a message gives, as whoever reads it can type them: of the system that was named, and not of the one in `./data`. */

/** What was given as `--data`; `undefined` when it was not. */
export const dataOf = (args: readonly string[]): string | undefined => {
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  const at = own.findLastIndex(arg => arg === '--data' || arg.startsWith('--data='))
  const found = own[at]
  if (found === undefined) return undefined
  return found === '--data' ? own[at + 1] : found.slice('--data='.length)
}

/** A word of a command line as a POSIX shell reads it. */
export const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

/** Where a result says what is, and what to do. All else in it may be others' words, which a machine takes as they are. */
const ADVICE = new Set(['detail', 'remedy'])

/** A result as JSON, with what it advises `asTyped`. */
export const jsonAsTyped = (json: string, data: string | undefined): string =>
  data === undefined
    ? json
    : JSON.stringify(JSON.parse(json, (key, value) => (ADVICE.has(key) && typeof value === 'string' ? asTyped(value, data) : value)))

/** `text` with that `--data` behind every `newswire …` in backticks, which all commands take. */
export const asTyped = (text: string, data: string | undefined): string =>
  data === undefined
    ? text
    : text.replace(/`(newswire [a-z][^`\n]*)`/g, (whole, command: string) =>
        / --data\b/.test(command) ? whole : `\`${command} --data ${quote(data)}\``,
      )
