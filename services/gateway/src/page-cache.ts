/**
 * What was rendered last, kept as long as nothing it is made from has changed: under load a page is made, hashed and compressed once for each
 * state of view and configuration, not once a reader.
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { sha256Hex } from '@newswire/events/ids'

const gzipAsync = promisify(gzip)

/** A page, or another text that follows from view and configuration alone. */
export type Page = Readonly<{
  text: string
  type: string
  /** When it changed, where that is known; RFC 3339. */
  modifiedAt?: string
  headers: Readonly<Record<string, string>>
}>

export type RenderedPage = Omit<Page, 'text'> &
  Readonly<{
    bytes: Buffer
    /** Of the bytes, without quotes. */
    tag: string
    /** Compressed once, for all that ask. */
    gzipped: () => Promise<Buffer>
  }>

/** Level 6: 0.3 ms for an article; higher saves nothing that a reader would notice. */
export const toRendered = ({ text, ...page }: Page): RenderedPage => {
  const bytes = Buffer.from(text)
  let compressed: Promise<Buffer> | undefined
  return {
    ...page,
    bytes,
    tag: sha256Hex(bytes).slice(0, 24),
    gzipped: () => {
      compressed ??= gzipAsync(bytes, { level: 6 })
      return compressed
    },
  }
}

/** Bytes of text kept at most; what was asked for longest ago goes first. Strangers choose the addresses. */
const MAX_BYTES = 16 * 1024 * 1024

export type PageCache = Readonly<{
  /** `state` is equal (`===`, part by part) as long as `render` would give the same. */
  get(key: string, state: readonly unknown[], render: () => Page): RenderedPage
}>

export const createPageCache = (maxBytes = MAX_BYTES): PageCache => {
  const kept = new Map<string, Readonly<{ state: readonly unknown[]; page: RenderedPage }>>()
  let bytes = 0
  const drop = (key: string) => {
    bytes -= kept.get(key)?.page.bytes.byteLength ?? 0
    kept.delete(key)
  }
  return {
    get: (key, state, render) => {
      const found = kept.get(key)
      drop(key)
      const page = found !== undefined && state.every((part, index) => part === found.state[index]) ? found.page : toRendered(render())
      kept.set(key, { state, page })
      bytes += page.bytes.byteLength
      for (const oldest of kept.keys()) {
        if (bytes <= maxBytes || kept.size === 1) break
        drop(oldest)
      }
      return page
    },
  }
}
