/**
 * `Idempotency-Key`: the same key and request again gets the same answer and has no second effect. The claim keeps the submission's id,
 * time and warnings before anything is logged, so whoever comes back after a crash publishes the same event under the same id; only a claim that says
 * `logged` may be answered without publishing.
 */
import { isEventId, sha256Hex } from '@newswire/events/ids'
import type { Warning } from '@newswire/events/warnings'
import { getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { z } from 'zod'

const claimDocument = z.object({
  n: z.int(),
  submissionId: z.string().refine(isEventId),
  receivedAt: z.string(),
  /** SHA-256 of method, path and body: the same key for anything else is a conflict. */
  requestSha256: z.string(),
  /** What it was answered with; what is out may have changed since. Claims of earlier releases have none. */
  warnings: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  logged: z.boolean(),
})

/** `warnings`: `undefined` when the key was taken before they were kept with it. */
export type Claim = Readonly<{ submissionId: string; receivedAt: string; warnings: readonly Warning[] | undefined; logged: boolean }>
type ClaimResult = Readonly<{ ok: true; claim: Claim }> | Readonly<{ ok: false }>
export type ClaimRequest = Readonly<{ publisher: string; key: string; requestSha256: string; submissionId: string; receivedAt: string }>

/** Who took the key before; `null` when nobody did. `ok: false`: it was taken for another request. */
export const findClaim = async (objects: Objects, { publisher, key, requestSha256 }: ClaimRequest): Promise<ClaimResult | null> => {
  const found = await getDocument(objects, keys.idempotency(publisher, sha256Hex(key)), claimDocument)
  if (found === null) return null
  if (found.value.requestSha256 !== requestSha256) return { ok: false }
  const { submissionId, receivedAt, warnings, logged } = found.value
  return { ok: true, claim: { submissionId, receivedAt, warnings, logged } }
}

/** Takes the key for this request, or finds who took it before. */
export const claimKey = async (objects: Objects, request: ClaimRequest, warnings: readonly Warning[]): Promise<ClaimResult> => {
  const objectKey = keys.idempotency(request.publisher, sha256Hex(request.key))
  const { submissionId, receivedAt, requestSha256 } = request
  const fresh = { n: 1, submissionId, receivedAt, requestSha256, warnings, logged: false }
  if ((await swapDocument(objects, objectKey, fresh, null)).ok)
    return { ok: true, claim: { submissionId, receivedAt, warnings, logged: false } }
  return (await findClaim(objects, request)) ?? { ok: false }
}

/** After the log has it. A lost update only means that a repeat publishes again under the same id, which the desk passes over. */
export const markLogged = async (objects: Objects, request: ClaimRequest): Promise<void> => {
  const objectKey = keys.idempotency(request.publisher, sha256Hex(request.key))
  const found = await getDocument(objects, objectKey, claimDocument)
  if (found === null || found.value.logged) return
  await swapDocument(objects, objectKey, { ...found.value, n: found.value.n + 1, logged: true }, found.etag)
}
