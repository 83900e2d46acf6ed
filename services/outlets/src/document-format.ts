/** What a format of documents is: one file each (`body.ts`, `ninjs-format.ts`, `newsml-format.ts`); `document.ts` has the table. */
import type { DocumentConfig } from '@newswire/events/deliver'
import type { Fact, LiveFact } from '@newswire/events/fact'
import type { NinjsContext } from '@newswire/events/ninjs'

/** What documents are made with beside the article itself. */
export type DocumentContext = Omit<NinjsContext, 'renditionHref' | 'renditionFile' | 'detail'>
export type Document = Readonly<{ bytes: Uint8Array; contentType: string; extension: string }>

/** How much of an article, and where the rest is. */
export type View = Readonly<{
  detail: DocumentConfig['payload']
  /** Where the outlet can open the whole article; `null`: nowhere. */
  link: string | null
  /** Where the outlet can open a rendition, by the key of its object. */
  urlOf: (key: string) => string
  /** The file beside the document that has it; `null`: none. */
  fileOf: (key: string) => string | null
}>

export type Format = Readonly<{
  contentType: string
  extension: string
  /** `fact`: as the outlet may have it. */
  toLive(fact: LiveFact, view: View, context: DocumentContext): Uint8Array
  /** Nothing of the content, also when the fact is live and this outlet alone may no longer have it. */
  toRetracted(fact: Fact, context: DocumentContext): Uint8Array
}>
