/** Rules of the house that show in the text of a file: one reader of the environment, nothing unfinished, nothing of one machine. */
import { importsOf, isTest, lineOf, type Offence, type Source } from './sources.ts'

type Rule = Readonly<{ applies: (path: string) => boolean; pattern: RegExp; message: string }>

/** It names what it forbids. */
const isAboutRules = (path: string): boolean => path === 'infra/check/house.ts'
const isOurs = (path: string): boolean => path !== 'package-lock.json' && path !== 'LICENSE' && !isAboutRules(path)
const isCode = (path: string): boolean => isOurs(path) && /\.(ts|mjs|sh)$|^\.ci\/run$|Dockerfile$/.test(path)
const readsEnvironment = /^(packages\/runtime\/src\/settings\.ts$|packages\/cli\/src\/bin\.ts$|infra\/|test\/|bench\/|examples\/)/

const RULES: readonly Rule[] = [
  {
    applies: path => path.endsWith('.ts') && !isTest(path) && !readsEnvironment.test(path),
    pattern: /\bprocess\.env\b/g,
    message: 'only packages/runtime/src/settings.ts reads process.env; take the setting from there',
  },
  {
    applies: isCode,
    // An input's placeholder="…" in a page is HTML's word, not ours.
    pattern:
      /\b(?:TODO|FIXME|XXX|HACK)\b|\b(?:[Pp]laceholder(?!=)|[Ss]tub(?:s|bed)?|[Nn]ot (?:yet )?implemented|[Ff]or now|[Ss]implified|[Cc]oming soon|[Ii]n a real (?:system|world|implementation))\b/g,
    message: 'sounds unfinished; finish it or say it in other words',
  },
  { applies: isTest, pattern: /\b(?:test|it|describe|suite)\.only\(|\bonly:\s*true/g, message: 'leaves all other tests out' },
  {
    applies: isTest,
    pattern: /\b(?:test|it|describe|suite)\.(?:skip|todo)\(|\b(?:skip|todo):\s*true|\bt\.(?:skip|todo)\(\s*\)/g,
    message: 'skips without saying why; give the reason as a string',
  },
  { applies: isTest, pattern: /\bassert(?:\.ok)?\(true\)|\bmock\.module\(/g, message: 'is a test that cannot fail, or that tests a mock' },
  {
    applies: path => path.endsWith('.ts') && isOurs(path),
    pattern: /^export \* from/gm,
    message: 'is a barrel: it hides who needs what; export the names where they are made',
  },
  { applies: isOurs, pattern: /(?<![\w.])\/(?:root|work|home\/\w+|Users\/\w+)\//g, message: 'is a path of one machine' },
  {
    applies: isOurs,
    pattern:
      /\b(?:registry\.(?:npmjs\.org|yarnpkg\.com)|repo1?\.maven(?:\.apache)?\.org|proxy\.golang\.org|(?:deb|security|ftp)\.debian\.org|docker\.io\/|ghcr\.io\/|quay\.io\/)/g,
    message: 'names a registry; leave that to the package manager',
  },
]

const VAGUE_FOLDER = /(?:^|\/)(?:utils?|common|helpers?|shared|misc|core|lib)\//

const findText = ({ path, text }: Source): Offence[] =>
  RULES.filter(rule => rule.applies(path)).flatMap(({ pattern, message }) =>
    [...text.matchAll(pattern)].map(match => ({ path, line: lineOf(text, match.index), message: `"${match[0].trim()}" ${message}` })),
  )

const findShape = (source: Source): Offence[] => {
  const { path, text } = source
  const offences: Offence[] = []
  if (/^(packages|services)\//.test(path) && VAGUE_FOLDER.test(path))
    offences.push({ path, line: 1, message: 'is in a folder that could hold anything; name what it does' })
  if (path.endsWith('.test.ts')) {
    const checksSomething = /\bassert\b|\bfc\.|Contract\(/.test(text)
    if (!checksSomething) offences.push({ path, line: 1, message: 'asserts nothing' })
    if (!importsOf(source).some(({ from }) => from === 'node:test') && !/Contract\(/.test(text))
      offences.push({ path, line: 1, message: 'has no test in it' })
  }
  return offences
}

export const findHouseOffences = (sources: readonly Source[]): Offence[] =>
  sources.flatMap(source => [...findText(source), ...findShape(source)])
