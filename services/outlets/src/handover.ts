/**
 * The mark of a clean hand-over, one per partition of `deliveries` and one per partition of `feeds`: `held` by an owner while it may send, `clean` once everything it had in
 * flight has come to an end; `doubt` beside it says that not all of these ends are written down. Each change is a swap over one's own mark, so a zombie cannot declare clean what somebody else holds.
 */
import { swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { z } from 'zod'

const handoverDocument = z.object({ n: z.int(), state: z.enum(['held', 'clean']), owner: z.string(), doubt: z.boolean().optional() })

const UNREADABLE = { n: 0, state: 'held', owner: '' } satisfies z.output<typeof handoverDocument>

const parseMark = (bytes: Uint8Array): z.output<typeof handoverDocument> => {
  try {
    return handoverDocument.parse(JSON.parse(Buffer.from(bytes).toString()))
  } catch {
    return UNREADABLE
  }
}

type Mark = Readonly<{ etag: string; n: number }>
/** `clean`: nothing of the owner before may still arrive without the store's knowing. */
export type TakeOver = Readonly<{ mark: Mark; clean: boolean }>

export type Handover = Readonly<{
  /** True when nobody can still be sending for the partition: it was handed over, or never held. */
  isClean(partition: number): Promise<boolean>
  /** Makes it ours. */
  take(partition: number): Promise<TakeOver>
  /** Hands it over, unless somebody has taken it meanwhile. `doubt`: the next owner need not wait, but does not know all that may still arrive. */
  release(partition: number, mark: Mark, doubt: boolean): Promise<void>
}>

/** `owner`: differs for every process and start. `keyOf`: where the mark of a partition lies (default: of `deliveries`). */
export const createHandover = (objects: Objects, owner: string, keyOf: (partition: number) => string = keys.handover): Handover => {
  /** A mark that cannot be read says nothing: somebody may hold the partition. It is no reason to deliver nothing for ever. */
  const read = async (partition: number) => {
    const found = await objects.get(keyOf(partition))
    return found === null ? null : { value: parseMark(found.bytes), etag: found.etag }
  }
  return {
    isClean: async partition => {
      const found = await read(partition)
      return found === null || found.value.state === 'clean'
    },
    take: async partition => {
      for (;;) {
        const found = await read(partition)
        const n = (found?.value.n ?? 0) + 1
        const put = await swapDocument(objects, keyOf(partition), { n, state: 'held', owner }, found?.etag ?? null)
        if (put.ok)
          return { mark: { etag: put.etag, n }, clean: found === null || (found.value.state === 'clean' && found.value.doubt !== true) }
      }
    },
    release: async (partition, mark, doubt) => {
      const released = { n: mark.n + 1, state: 'clean', owner, ...(doubt ? { doubt } : {}) }
      await swapDocument(objects, keyOf(partition), released, mark.etag)
    },
  }
}
