/** Claims of idempotency keys do not stay for ever: what a publisher has not repeated for as long as `submissions` is kept, it will not. Nor do bodies of webhooks. */
import { topics } from '@newswire/events/topics'
import { keys } from '@newswire/objects/keys'
import { listPages } from '@newswire/objects/listing'
import type { Objects } from '@newswire/objects/objects'

export const CLAIM_MS = topics.submissions.retentionMs
const SWEPT = [keys.idempotencyPrefix, keys.hookDeliveryPrefix]

/**
 * Deletes claims, and bodies of webhooks that became no submission, that nobody has touched for `CLAIM_MS`; resolves with how many. Safe to repeat and beside other processes: a key that is
 * taken anew while its old claim goes may lose the new claim as well, and then its repeat is a submission of its own, which the desk tells
 * from a change by its content.
 */
export const sweepClaims = async (objects: Pick<Objects, 'list' | 'delete'>, now: number, signal: AbortSignal): Promise<number> => {
  let swept = 0
  for (const prefix of SWEPT)
    for await (const page of listPages(objects, prefix))
      for (const { key, lastModified } of page) {
        if (signal.aborted) return swept
        if (now - lastModified.getTime() < CLAIM_MS) continue
        await objects.delete(key)
        swept += 1
      }
  return swept
}
