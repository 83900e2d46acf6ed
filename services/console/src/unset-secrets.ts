/** Which secrets a configuration asks for that this process was not started with. Pure. */
import type { NewswireConfig } from '@newswire/events/config'

/** Every setting that names an environment variable is called `…Env`. */
const namesIn = (value: unknown): readonly string[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([field, inner]) => (field.endsWith('Env') && typeof inner === 'string' ? [inner] : namesIn(inner)))
}

/** A sentence for each outlet of `ids`. For the one process that also delivers: another one's environment cannot be seen. */
export const findUnsetSecrets = (
  { outlets }: Pick<NewswireConfig, 'outlets'>,
  ids: ReadonlySet<string>,
  secret: (name: string) => string | undefined,
): readonly string[] =>
  outlets.flatMap(outlet => {
    const unset = ids.has(outlet.id) ? namesIn(outlet.deliver).filter(name => (secret(name) ?? '') === '') : []
    if (unset.length === 0) return []
    const otherwise = outlet.deliver.kind === 'webhook' ? `, or \`newswire outlets rotate ${outlet.id}\` makes a secret` : ''
    return [`outlets/${outlet.id}: nothing is sent until Newswire is started again with ${unset.join(' and ')} set${otherwise}`]
  })
