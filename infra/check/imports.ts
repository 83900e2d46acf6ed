/** Who may import what: services never each other, each foreign library in its one named place. */
import { posix } from 'node:path'
import { type Import, importsOf, isTest, type Offence, packageOf, type Source, workspaceOf } from './sources.ts'

type Owner = Readonly<{ library: RegExp; files: RegExp; values?: RegExp; where: string }>

const OWNERS: readonly Owner[] = [
  {
    library: /^kafkajs$/,
    files: /^packages\/log\/src\/kafka[a-z-]*\.ts$/,
    values: /^packages\/log\/src\/kafka-client\.ts$/,
    where: 'packages/log/src/kafka-client.ts (its types in packages/log/src/kafka*.ts)',
  },
  { library: /^@(aws-sdk|smithy)\//, files: /^packages\/objects\/src\/s3\.ts$/, where: 'packages/objects/src/s3.ts' },
  { library: /^sharp$/, files: /^services\/images\/src\/sharp\.ts$/, where: 'services/images/src/sharp.ts' },
  { library: /^uqr$/, files: /^services\/gateway\/src\/pages\/qr\.ts$/, where: 'services/gateway/src/pages/qr.ts' },
  { library: /^feed$/, files: /^services\/feeds\/src\/feed\.ts$/, where: 'services/feeds/src/feed.ts' },
  {
    library: /^htmlparser2$/,
    files: /^packages\/cli\/src\/feed-import\/xml\.ts$/,
    where: 'packages/cli/src/feed-import/xml.ts',
  },
  { library: /^ssh2$/, files: /^services\/outlets\/src\/ssh\.ts$/, where: 'services/outlets/src/ssh.ts' },
  { library: /^(fastify|@fastify\/.*)$/, files: /^packages\/http\/src\//, where: 'packages/http' },
]

/** The runner, the journeys and the benchmarks look at the system from outside, with clients of their own. */
const OUTSIDE = /^(infra|test|bench)\//

const isOwnersTest = (path: string, owner: Owner): boolean => {
  const workspace = workspaceOf(path)
  return isTest(path) && workspace !== null && owner.files.source.replaceAll('\\', '').startsWith(`^${workspace}/`)
}

const findOwnerOffence = (path: string, name: string, one: Import): string | null => {
  const owner = OWNERS.find(({ library }) => library.test(name))
  if (owner === undefined || OUTSIDE.test(path) || isOwnersTest(path, owner)) return null
  const allowed = one.typeOnly ? owner.files : (owner.values ?? owner.files)
  return allowed.test(path) ? null : `${name} may only be imported in ${owner.where}; use what that package offers`
}

const findServiceOffence = (path: string, name: string, services: ReadonlySet<string>): string | null => {
  const workspace = workspaceOf(path)
  if (workspace === null || !services.has(name)) return null
  if (workspace.startsWith('packages/') && workspace !== 'packages/cli') return `packages do not know services, and this imports ${name}`
  if (!workspace.startsWith('services/')) return null
  return `services never import each other, and this imports ${name}; they meet in packages/events, topics and objects`
}

const findPathOffence = (path: string, from: string): string | null => {
  if (!from.startsWith('.')) return null
  const target = posix.join(posix.dirname(path), from)
  if (workspaceOf(path) !== workspaceOf(target)) {
    return workspaceOf(path) === null && OUTSIDE.test(path) ? null : `${from} leaves its package; import it by the package's name`
  }
  return null
}

/** `services`: the package names of everything in services/. */
export const findImportOffences = (sources: readonly Source[], services: ReadonlySet<string>): Offence[] =>
  sources
    .filter(({ path }) => path.endsWith('.ts'))
    .flatMap(source =>
      importsOf(source).flatMap(one => {
        const name = packageOf(one.from)
        const message =
          name === null
            ? findPathOffence(source.path, one.from)
            : (findOwnerOffence(source.path, name, one) ?? findServiceOffence(source.path, name, services))
        return message === null ? [] : [{ path: source.path, line: one.line, message }]
      }),
    )
