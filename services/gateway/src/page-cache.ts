/**
 * What was rendered last, kept as long as nothing it is made from has changed: under load a page is made, hashed and compressed once for each
 * state of view and configuration, not once a reader.
 */
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { sha256Hex } from '@newswire/events/ids'
import { createRecent } from '@newswire/objects/recent'

/** For pages that are made while somebody waits: 0.1 ms and 0.3 ms for an article, and higher saves nothing that a reader would notice. */
const codings = {
  br: (bytes: Buffer): Promise<Buffer> => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (bytes: Buffer): Promise<Buffer> => promisify(gzip)(bytes, { level: 6 }),
} as const
type PageCoding = keyof typeof codings
/** The one that is liked best first. */
export const pageCodings = Object.keys(codings) as readonly PageCoding[]

/** A page, or another text that follows from view and configuration alone. */
export type Page = Readonly<{
  text: string
  type: string
  headers: Readonly<Record<string, string>>
}>

export type RenderedPage = Omit<Page, 'text'> &
  Readonly<{
    bytes: Buffer
    /** Of the bytes, without quotes. */
    tag: string
    /** Compressed once, for all that ask. */
    coded: (coding: PageCoding) => Promise<Buffer>
  }>

export const toRendered = ({ text, ...page }: Page): RenderedPage => {
  const bytes = Buffer.from(text)
  const compressed: Partial<Record<PageCoding, Promise<Buffer>>> = {}
  return {
    ...page,
    bytes,
    tag: sha256Hex(bytes).slice(0, 24),
    coded: coding => {
      compressed[coding] ??= codings[coding](bytes)
      return compressed[coding]
    },
  }
}

/** Bytes of text kept at most; what was asked for longest ago goes first. Strangers choose the addresses. */
const MAX_BYTES = 16 * 1024 * 1024

type PageCache = Readonly<{
  /** `state` is equal (`===`, part by part) as long as `render` would give the same. */
  get(key: string, state: readonly unknown[], render: () => Page): RenderedPage
}>

export const createPageCache = (maxBytes = MAX_BYTES): PageCache => {
  const kept = createRecent<Readonly<{ state: readonly unknown[]; page: RenderedPage }>>({
    maxBytes,
    sizeOf: ({ page }) => page.bytes.byteLength,
  })
  return {
    get: (key, state, render) => {
      const found = kept.get(key)
      if (found !== undefined && state.every((part, index) => part === found.state[index])) return found.page
      kept.delete(key)
      const page = toRendered(render())
      kept.set(key, { state, page })
      return page
    },
  }
}
