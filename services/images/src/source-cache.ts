/**
 * What is known of an address: which picture it had, and what its server calls that (RFC 9111 §4.3). The next fetch asks whether it is still that;
 * a new picture at an old address is another hash, and so another picture. Kept under the address's hash: addresses may hold what opens them.
 */
import { sha256Hex } from '@newswire/events/ids'
import { type Document, getDocument, swapDocument } from '@newswire/objects/documents'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import type { OutboundResponse } from '@newswire/outbound/outbound'
import { z } from 'zod'

const source = z.object({ n: z.int(), sha256: z.string(), etag: z.string().optional(), lastModified: z.string().optional() })
type Source = z.output<typeof source>

type Known = Readonly<{ sha256: string; conditions: Readonly<Record<string, string>>; document: Document<Source> }>

/** What was changed within the second in which it was fetched may change once more in it, under the same date (RFC 9110 §8.8.2.2). */
const SETTLED_MS = 60_000
const HEADER_SAFE = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/

const validatorsOf = ({ headers }: OutboundResponse): Pick<Source, 'etag' | 'lastModified'> => {
  const { etag, date = '' } = headers
  const lastModified = headers['last-modified']
  const isSettled = lastModified !== undefined && Date.parse(date) - Date.parse(lastModified) >= SETTLED_MS
  return {
    ...(etag !== undefined && etag.length <= 500 && HEADER_SAFE.test(etag) ? { etag } : {}),
    ...(isSettled && lastModified.length <= 100 && HEADER_SAFE.test(lastModified) ? { lastModified } : {}),
  }
}

const toConditions = ({ etag, lastModified }: Source): Record<string, string> => ({
  ...(etag === undefined ? {} : { 'if-none-match': etag }),
  ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
})

export const createSourceCache = ({ objects }: { objects: Objects }) => {
  const keyOf = (url: string) => keys.pictureSource(sha256Hex(url))
  return {
    find: async (url: string): Promise<Known | null> => {
      const document = await getDocument(objects, keyOf(url), source)
      return document === null ? null : { sha256: document.value.sha256, conditions: toConditions(document.value), document }
    },
    /** Losing against another fetch of the same address is as good: it kept what it saw. Nothing is kept without something to ask by. */
    keep: async (url: string, response: OutboundResponse, known: Known | null): Promise<void> => {
      const validators = validatorsOf(response)
      if (Object.keys(validators).length === 0 && known === null) return
      const value: Source = { n: (known?.document.value.n ?? 0) + 1, sha256: sha256Hex(response.body), ...validators }
      await swapDocument(objects, keyOf(url), value, known?.document.etag ?? null, { durable: false })
    },
    forget: (url: string): Promise<void> => objects.delete(keyOf(url)),
  }
}
