/** Which of the secrets that a process was not started with are missed: one that was made since (`newswire outlets rotate`) takes the environment's place. */
import type { NewswireConfig, OutletConfig } from '@newswire/events/config'
import { outletState, secretsInForce } from '@newswire/events/outlet'
import { getDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { findUnset, findUnsetSecrets, type Unset } from './unset-secrets.ts'

type Reader = Pick<Objects, 'get'>

/** A delivery is signed with the newest; the environment's beside it, in force until the overlap ends, may be away. */
const signsWithMade = async (objects: Reader, { id, deliver }: OutletConfig, nowMs: number): Promise<boolean> => {
  if (deliver.kind !== 'webhook') return false
  const state = (await getDocument(objects, keys.outletState(id), outletState).catch(() => null))?.value
  return secretsInForce(state?.signing ?? null, deliver.secretEnv, nowMs)[0]?.from === 'sealed'
}

export const leaveOutMade = async (
  unset: readonly Unset[],
  { objects, outlets, nowMs }: Readonly<{ objects: Reader; outlets: readonly OutletConfig[]; nowMs: number }>,
): Promise<readonly Unset[]> => {
  const byId = new Map(outlets.map(one => [one.id, one]))
  const isMissed = await Promise.all(
    unset.map(async ({ kind, id }) => {
      const outlet = kind === 'outlets' ? byId.get(id) : undefined
      return outlet === undefined || !(await signsWithMade(objects, outlet, nowMs))
    }),
  )
  return unset.filter((_, index) => isMissed[index])
}

type Look = Readonly<{
  objects: Reader
  config: Pick<NewswireConfig, 'publishers' | 'outlets'>
  /** Of the process that delivers. */
  secret: (name: string) => string | undefined
  nowMs: number
}>

/** `warnings`: what does not work without them, and until when, in sentences. */
export const findMissedSecrets = async ({
  objects,
  config,
  secret,
  nowMs,
}: Look): Promise<Readonly<{ unsetSecrets: readonly Unset[]; warnings: readonly string[] }>> => {
  const unsetSecrets = await leaveOutMade(findUnset(config, secret), { objects, outlets: config.outlets, nowMs })
  return { unsetSecrets, warnings: findUnsetSecrets(config, unsetSecrets, secret) }
}
