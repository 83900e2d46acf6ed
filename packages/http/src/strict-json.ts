/**
 * JSON as strangers send it, read strictly. `JSON.parse` takes the last of two equal keys, rounds large integers, turns 1e999 into
 * Infinity, and goes a million levels deep where everything after it breaks. One pass over the text finds all of that; `JSON.parse` then
 * makes the value, so grammar is its business and ours is only what it lets through.
 */
import { ProblemError, toPointer } from './problem.ts'

type StrictJson = Readonly<{ ok: true; value: unknown }> | Readonly<{ ok: false; detail: string; pointer?: string }>
type StrictJsonLimits = Readonly<{ maxDepth?: number; maxKeys?: number }>

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const QUOTE = '"'
const BACKSLASH = 0x5c
/** Characters of a stranger's key or number that an answer repeats. */
const MAX_SHOWN = 80

type Level = { keys: Set<string> | null; key: string | null; index: number }

class Offence extends Error {
  readonly pointer: string
  constructor(detail: string, pointer: string) {
    super(detail)
    this.pointer = pointer
  }
}

const pointerOf = (levels: readonly Level[]): string =>
  toPointer(levels.map(({ keys, key, index }) => (keys === null ? index : (key ?? ''))))

const checkNumber = (literal: string, levels: readonly Level[]): void => {
  const value = Number(literal)
  if (!Number.isFinite(value)) throw new Offence(`the number ${literal.slice(0, MAX_SHOWN)} is too large for any reader`, pointerOf(levels))
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new Offence(
      `the integer ${literal.slice(0, MAX_SHOWN)} is beyond 2^53 and would be rounded; expected one within ±(2^53 - 1), or a string where text is taken`,
      pointerOf(levels),
    )
}

/** Just behind the string that begins at `from`; the text is known to be JSON. Each character is looked at a bounded number of times. */
const endOfString = (text: string, from: number): number => {
  for (let quote = text.indexOf(QUOTE, from + 1); ; quote = text.indexOf(QUOTE, quote + 1)) {
    let before = quote - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    // An even number of backslashes escape each other.
    if ((quote - before) % 2 === 1) return quote + 1
  }
}

const enter = (levels: Level[], isObject: boolean, maxDepth: number): void => {
  if (levels.length >= maxDepth) throw new Offence(`it is nested more than ${maxDepth} levels deep`, pointerOf(levels))
  levels.push({ keys: isObject ? new Set() : null, key: null, index: 0 })
}

const takeKey = (level: Level, key: string, levels: readonly Level[]): void => {
  level.key = key
  if (level.keys?.has(key))
    throw new Offence(
      `the key ${JSON.stringify(key.slice(0, MAX_SHOWN))} stands twice in one object, and readers disagree about which one counts`,
      pointerOf(levels),
    )
  // As an own key it would become the prototype of whatever these values are copied into.
  if (key === '__proto__') throw new Offence('the key "__proto__" is not taken', pointerOf(levels))
  level.keys?.add(key)
}

const toKey = (text: string, at: number, end: number): string => {
  const raw = text.slice(at + 1, end - 1)
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
}

/** Throws an `Offence`; `text` is well-formed JSON. */
const scan = (text: string, maxDepth: number, maxKeys: number): void => {
  const levels: Level[] = []
  let keys = 0
  for (let at = 0; at < text.length; ) {
    const char = text.charCodeAt(at)
    const level = levels.at(-1)
    if (char === 0x7b || char === 0x5b) {
      enter(levels, char === 0x7b, maxDepth)
      at++
    } else if (char === 0x7d || char === 0x5d) {
      levels.pop()
      at++
    } else if (char === 0x2c) {
      if (level?.keys === null) level.index++
      else if (level) level.key = null
      at++
    } else if (char === 0x22) {
      const end = endOfString(text, at)
      if (level?.keys && level.key === null) {
        if (++keys > maxKeys) throw new Offence(`it has more than ${maxKeys} keys`, pointerOf(levels.slice(0, -1)))
        takeKey(level, toKey(text, at, end), levels)
      }
      at = end
    } else if (char === 0x2d || (char >= 0x30 && char <= 0x39)) {
      NUMBER.lastIndex = at
      const literal = NUMBER.exec(text)?.[0] ?? ''
      if (literal.length > 15 || /[eE]/.test(literal)) checkNumber(literal, levels)
      at += Math.max(1, literal.length)
    } else at++
  }
}

/** Where the grammar broke, as the engine tells it, without the piece of the body that it quotes. */
const grammarDetail = (error: unknown): string =>
  `it is not JSON: ${error instanceof Error ? error.message.replace(/, (?:\.\.\.)?".*$/s, '') : 'unreadable'}`

/** `ok: false` says what is wrong in words for a person, and where when that can be said. Defaults: 32 levels, 5000 keys. */
export const parseStrictJson = (bytes: Uint8Array, { maxDepth = 32, maxKeys = 5_000 }: StrictJsonLimits = {}): StrictJson => {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return { ok: false, detail: 'it is not valid UTF-8' }
  }
  if (text.charCodeAt(0) === 0xfeff)
    return { ok: false, detail: 'it begins with a byte order mark, which JSON has no place for (RFC 8259 §8.1)' }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { ok: false, detail: grammarDetail(error) }
  }
  try {
    scan(text, maxDepth, maxKeys)
  } catch (error) {
    if (error instanceof Offence) return { ok: false, detail: error.message, pointer: error.pointer }
    throw error
  }
  return { ok: true, value }
}

/** The value of a body. Throws the 400 problem `NEWSWIRE_JSON`, with where and why it cannot be read. */
export const readStrictJson = (bytes: Uint8Array, limits?: StrictJsonLimits): unknown => {
  const json = parseStrictJson(bytes, limits)
  if (json.ok) return json.value
  throw new ProblemError({
    status: 400,
    code: 'NEWSWIRE_JSON',
    title: 'The body cannot be read',
    detail: json.detail,
    ...(json.pointer === undefined ? {} : { errors: [{ pointer: json.pointer, detail: json.detail }] }),
  })
}

/** The same of a body that may be left out: none is an empty object, whatever its `Content-Type` says. */
export const readOptionalJson = (bytes: Uint8Array | undefined): unknown =>
  bytes === undefined || bytes.byteLength === 0 ? {} : readStrictJson(bytes)
