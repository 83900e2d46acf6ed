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

/**
 * A sentence for each use that a publisher or an outlet of `changed` has for them. For the one process that also takes and delivers: another one's
 * environment cannot be seen.
 */
export const findUnsetSecrets = (
  { publishers, outlets }: Pick<NewswireConfig, 'publishers' | 'outlets'>,
  changed: readonly Readonly<{ kind: string; id: string }>[],
  secret: Secret,
): readonly string[] => {
  const isChanged = (kind: Unset['kind'], id: string) => changed.some(one => one.kind === kind && one.id === id)
  const sentence = (kind: Unset['kind'], uses: Readonly<{ id: string; [setting: string]: unknown }>, what: string, otherwise = '') =>
    unsetIn(kind, uses, secret).map(
      ({ id, names }) => `${kind}/${id}: ${what} until Newswire is started again with ${names.join(' and ')} set${otherwise}`,
    )
  return [
    ...publishers
      .filter(({ id }) => isChanged('publishers', id))
      .flatMap(({ id, callbackSecretEnv, hooks = [] }) => [
        ...sentence(
          'publishers',
          { id, ...(callbackSecretEnv === undefined ? {} : { callbackSecretEnv }) },
          'it is called back about nothing',
        ),
        ...hooks.flatMap(one => sentence('publishers', { id, secretEnv: one.secretEnv }, `its hook ${one.id} takes nothing`)),
      ]),
    ...outlets
      .filter(({ id }) => isChanged('outlets', id))
      .flatMap(({ id, deliver }) => {
        const otherwise = deliver.kind === 'webhook' ? `, or \`newswire outlets rotate ${id}\` makes a secret` : ''
        return sentence('outlets', { id, ...deliver }, 'nothing is sent', otherwise)
      }),
  ]
}
