/** Each package.json names what its files import, and nothing else. Hoisting would let an undeclared import work by accident. */
import { importsOf, type Offence, packageOf, type Source, workspaceOf } from './sources.ts'

type Manifest = Readonly<{ name: string; dependencies?: Record<string, string>; devDependencies?: Record<string, string> }>

/** Used as commands, or by the compiler, so that no file imports them. */
const COMMANDS = /^(@biomejs\/biome|turbo|typescript|node|@types\/.+)$/

const isManifest = ({ path }: Source): boolean => /^((packages|services)\/[^/]+\/)?package\.json$/.test(path)
const lineWith = (text: string, what: string): number => Math.max(1, text.split('\n').findIndex(line => line.includes(`"${what}"`)) + 1)

const declaredBy = (manifest: Manifest): ReadonlySet<string> =>
  new Set([...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.devDependencies ?? {})])

const checkOne = (file: Source, sources: readonly Source[]): Offence[] => {
  const manifest = JSON.parse(file.text) as Manifest
  const declared = declaredBy(manifest)
  const workspace = workspaceOf(file.path)
  const own = sources.filter(({ path }) => path.endsWith('.ts') && workspaceOf(path) === workspace)
  const used = new Set<string>()
  const undeclared = own.flatMap(source =>
    importsOf(source).flatMap(({ from, line }) => {
      const name = packageOf(from)
      if (name === null || name === manifest.name) return []
      // npm links every workspace at the root by itself, and declaring one there is an offence of its own.
      if (workspace === null && name.startsWith('@newswire/')) return []
      used.add(name)
      return declared.has(name) ? [] : [{ path: source.path, line, message: `imports ${name}, which ${file.path} does not declare` }]
    }),
  )
  const unused = [...declared]
    .filter(name => !used.has(name) && !COMMANDS.test(name) && !(workspace === null && name.startsWith('@newswire/')))
    .map(name => ({ path: file.path, line: lineWith(file.text, name), message: `declares ${name}, which no file of it imports` }))
  return [...undeclared, ...unused]
}

const isExact = (version: string): boolean => /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)

const findLooseVersions = (file: Source): Offence[] => {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(file.text) as Manifest
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([name, version]) => (name.startsWith('@newswire/') ? version !== '*' : !isExact(version)))
    .map(([name, version]) => ({
      path: file.path,
      line: lineWith(file.text, name),
      message: `${name} is "${version}"; name one exact version ("*" for our own)`,
    }))
}

/** turbo takes the root for a dependency of every package: one package named there, and its boundaries mean nothing any more. */
const findRootOffences = (file: Source): Offence[] =>
  [...declaredBy(JSON.parse(file.text) as Manifest)]
    .filter(name => file.path === 'package.json' && name.startsWith('@newswire/'))
    .map(name => ({
      path: file.path,
      line: lineWith(file.text, name),
      message: `${name} must not be a dependency of the root; npm links it and its command anyway`,
    }))

/** A lock file that names the registry it was made with sends everybody there. */
const findLockOffences = ({ path, text }: Source): Offence[] =>
  text.split('\n').flatMap((line, at) =>
    /"resolved":\s*"https?:/.test(line)
      ? [
          {
            path,
            line: at + 1,
            message: 'names a registry; keep omit-lockfile-registry-resolved=true in .npmrc and write the lock file again',
          },
        ]
      : [],
  )

export const findManifestOffences = (sources: readonly Source[]): Offence[] => [
  ...sources.filter(isManifest).flatMap(file => [...checkOne(file, sources), ...findLooseVersions(file), ...findRootOffences(file)]),
  ...sources.filter(({ path }) => path === 'package-lock.json').flatMap(findLockOffences),
]

/** The names of all packages below services/. */
export const serviceNames = (sources: readonly Source[]): ReadonlySet<string> =>
  new Set(sources.filter(one => isManifest(one) && one.path.startsWith('services/')).map(({ text }) => (JSON.parse(text) as Manifest).name))
