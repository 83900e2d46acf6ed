/** The files that the checks look at, and what they import. */
import { readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'

export type Source = Readonly<{ path: string; text: string }>
export type Import = Readonly<{ from: string; line: number; typeOnly: boolean }>
/** What is wrong, where, and what to do. */
export type Offence = Readonly<{ path: string; line: number; message: string }>

const SKIPPED = new Set(['node_modules', 'data', 'results'])
/** Hidden folders are tools' and trials'; only .ci is ours. */
const isSkipped = (name: string): boolean => SKIPPED.has(name) || (name.startsWith('.') && name !== '.ci')
/** Holds violations of every rule, on purpose. */
const PLANTED = 'infra/check/boundaries.test.ts'
const TEXT = /\.(ts|mjs|cjs|js|json|sh|yaml|yml|md|xml|toml|css|html|svg|py)$|(^|\/)(Dockerfile|\.npmrc|\.gitignore|run|LICENSE)$/

/** Every text file below `root` that could be committed, by path. */
export const readSources = (root: string, folder = ''): Source[] =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) return isSkipped(entry.name) ? [] : readSources(root, path)
      return path !== PLANTED && entry.isFile() && TEXT.test(path) ? [{ path, text: readFileSync(join(root, path), 'utf8') }] : []
    })

export const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length

/** Static imports begin a line, as the formatter leaves them; so no import in a comment or in a quoted sample is taken for one. */
const STATIC = /^(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"\n]+)['"]/gm
const DYNAMIC = /\b(?:import|require)\(\s*['"]([^'"\n]+)['"]\s*\)/g

const specifiers = (text: string) =>
  [...text.matchAll(STATIC), ...text.matchAll(DYNAMIC)].map(match => ({ from: match[1] ?? '', line: lineOf(text, match.index) }))

/** What a module imports; `typeOnly` when nothing of it is left once types are stripped. */
export const importsOf = ({ path, text }: Source): Import[] => {
  const all = specifiers(text)
  if (!path.endsWith('.ts')) return all.map(one => ({ ...one, typeOnly: false }))
  // Stripping keeps every line in its place.
  const values = specifiers(stripTypeScriptTypes(text, { mode: 'strip' }))
  return all.map(one => ({ ...one, typeOnly: !values.some(value => value.from === one.from && value.line === one.line) }))
}

/** `@scope/name` or `name` of what is imported; `null` for files and for what Node brings along. */
export const packageOf = (from: string): string | null => {
  if (/^[./#]|^node:/.test(from)) return null
  return from.split('/', from.startsWith('@') ? 2 : 1).join('/')
}

/** The workspace that a file belongs to, like `packages/log`; `null` for the root's own. */
export const workspaceOf = (path: string): string | null => /^(?:packages|services)\/[^/]+/.exec(path)?.[0] ?? null

/** Tests, the contract suites, and what both are made with (`contract-….ts`, `…-kit.ts`). */
export const isTest = (path: string): boolean => /\.(?:test|contract)\.ts$|\/contract-[a-z-]+\.ts$|-kit\.ts$/.test(path)
