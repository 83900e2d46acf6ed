/** Which secrets a configuration asks for that this process was not started with. Pure. */
import type { NewswireConfig } from '@newswire/events/config'

/** Names of environment variables, never what is in them. */
export type Unset = Readonly<{ kind: 'publishers' | 'outlets'; id: string; names: readonly string[] }>
type Secret = (name: string) => string | undefined

/** Every setting that names an environment variable is called `…Env`. */
const namesIn = (value: unknown): readonly string[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([field, inner]) => (field.endsWith('Env') && typeof inner === 'string' ? [inner] : namesIn(inner)))
}

const unsetIn = (kind: Unset['kind'], { id, ...rest }: Readonly<{ id: string }>, secret: Secret): readonly Unset[] => {
  const names = [...new Set(namesIn(rest))].filter(name => (secret(name) ?? '') === '')
  return names.length === 0 ? [] : [{ kind, id, names }]
}

/** Retired outlets aside: what they still get is told by how they fare. */
export const findUnset = ({ publishers, outlets }: Pick<NewswireConfig, 'publishers' | 'outlets'>, secret: Secret): readonly Unset[] => [
  ...publishers.flatMap(one => unsetIn('publishers', one, secret)),
  ...outlets.filter(one => !one.retired).flatMap(({ id, deliver }) => unsetIn('outlets', { id, ...deliver }, secret)),
]

/** A sentence for each outlet of `ids`. For the one process that also delivers: another one's environment cannot be seen. */
export const findUnsetSecrets = (
  { outlets }: Pick<NewswireConfig, 'outlets'>,
  ids: ReadonlySet<string>,
  secret: Secret,
): readonly string[] =>
  outlets
    .filter(outlet => ids.has(outlet.id))
    .flatMap(outlet =>
      unsetIn('outlets', { id: outlet.id, ...outlet.deliver }, secret).map(({ names }) => {
        const otherwise = outlet.deliver.kind === 'webhook' ? `, or \`newswire outlets rotate ${outlet.id}\` makes a secret` : ''
        return `outlets/${outlet.id}: nothing is sent until Newswire is started again with ${names.join(' and ')} set${otherwise}`
      }),
    )
