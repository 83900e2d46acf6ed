/** The keys that a webhook is signed with at the moment it is sent: the environment's secret, and those that were made since, sealed. */
import type { KeyObject } from 'node:crypto'
import { messageOf, UnavailableError } from '@newswire/events/errors'
import { type SecretInForce, type Signing, secretsInForce } from '@newswire/events/outlet'
import type { Sealing } from '@newswire/objects/sealed'
import { failed } from './answers.ts'
import type { Outcome } from './machine.ts'
import { toKey } from './signing.ts'

/** Without keys nothing is sent: what the attempt comes to instead. */
type FoundKeys = Readonly<{ ok: true; keys: readonly KeyObject[] }> | Readonly<{ ok: false; outcome: Outcome }>
/** At once where nothing sealed is in force: most outlets, thousands of times a second. */
type KeysOf = (outletId: string, secretEnv: string) => Promise<FoundKeys> | FoundKeys

export type KeyNeeds = Readonly<{
  /** The value of an environment variable; `undefined` when it is not set. */
  secret: (name: string) => string | undefined
  /** What was made for an outlet (default: nothing). */
  signingOf?: ((outletId: string) => Signing | null) | undefined
  sealing?: Sealing | null | undefined
  now: () => number
}>

/** A sealed secret never changes, so each is opened once; forgotten when there are too many. */
const MOST_KEPT = 20_000

const missing = (reason: string): FoundKeys => ({ ok: false, outcome: failed(reason, { alarm: true }) })

/** Never throws. */
export const createKeysOf = ({ secret, signingOf = () => null, sealing = null, now }: KeyNeeds): KeysOf => {
  // Making a key costs more than signing with it. By the name of its variable: one each, remade when the value changes.
  const fromEnvironment = new Map<string, Readonly<{ value: string; key: KeyObject }>>()
  const opened = new Map<string, KeyObject>()

  const environmentKey = (name: string): KeyObject | null => {
    const value = secret(name)
    if (value === undefined || value === '') return null
    const known = fromEnvironment.get(name)
    if (known?.value === value) return known.key
    const key = toKey(value)
    fromEnvironment.set(name, { value, key })
    return key
  }

  const openedKey = async (id: string): Promise<KeyObject | null> => {
    const known = opened.get(id)
    if (known !== undefined) return known
    const bytes = await sealing?.get(id)
    if (bytes == null) return null
    if (opened.size >= MOST_KEPT) opened.clear()
    const key = toKey(Buffer.from(bytes).toString())
    opened.set(id, key)
    return key
  }

  const keyOf = (one: SecretInForce): Promise<KeyObject | null> | KeyObject | null =>
    one.from === 'environment' ? environmentKey(one.name) : openedKey(one.id)

  const notSet = (secretEnv: string) => missing(`the environment variable ${secretEnv} with its secret is not set`)

  const keysOfMany = async (secrets: readonly SecretInForce[], secretEnv: string): Promise<FoundKeys> => {
    const [newest, ...others] = secrets
    const keys: KeyObject[] = []
    try {
      const first = newest === undefined ? null : await keyOf(newest)
      if (first === null)
        return newest?.from === 'sealed'
          ? missing('its newest secret cannot be opened; NEWSWIRE_SECRET_KEY must be the one it was sealed with')
          : notSet(secretEnv)
      keys.push(first)
      // One before it that is not there (any more) is none that anybody could still check with.
      for (const one of others) keys.push(...[await keyOf(one)].filter(key => key !== null))
    } catch (error) {
      if (error instanceof UnavailableError) return { ok: false, outcome: { kind: 'own', reason: messageOf(error) } }
      return missing(`a secret of it cannot be opened: ${messageOf(error)}`)
    }
    return { ok: true, keys }
  }

  return (outletId, secretEnv) => {
    const state = signingOf(outletId)
    if (state !== null) return keysOfMany(secretsInForce(state, secretEnv, now()), secretEnv)
    const key = environmentKey(secretEnv)
    return key === null ? notSet(secretEnv) : { ok: true, keys: [key] }
  }
}
