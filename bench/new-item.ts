/** One new item in a full 50-item feed, from rendering to the bytes that are sent, three formats, gzip and br: CPU of all threads. */

import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { feedFormats } from '@newswire/events/feed'
import { createOneMore } from '@newswire/feeds/one-more'
import { createFeedState, type FeedState } from '@newswire/gateway/feed-state'
import type { Line } from './benchmark.ts'
import { ownCpuMs, quantile, round } from './measure.ts'
import { factOf, ITEMS, LONG, site } from './serving-feeds.ts'

const TIMES = 40
const WARM = 10

/** As a program would that renders everything and compresses everything, at the level that makes as small files. */
const measureWhole = (): number => {
  const feed = createOneMore(
    Array.from({ length: ITEMS }, (_, index) => factOf(ITEMS - index, LONG)),
    site,
  )
  const times = Array.from({ length: 5 }, () => {
    const began = ownCpuMs()
    for (const format of feedFormats) {
      const bytes = Buffer.from(feed.rebuildBare(format))
      gzipSync(bytes, { level: 6 })
      brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })
    }
    return ownCpuMs() - began
  })
  return quantile(times, 0.5)
}

export const measureNewItem = async (): Promise<{ lines: readonly Line[]; result: unknown }> => {
  // The feed as it was before, rendered already, as the builder keeps its fragments; the new item takes the place of the one before it, so that
  // rendering fifty anew, and the garbage it leaves, is not counted.
  const feed = createOneMore(
    Array.from({ length: ITEMS }, (_, index) => factOf(ITEMS - index, LONG)),
    site,
  )
  const states = new Map<string, FeedState>()
  const times: number[] = []
  const sizes: Record<string, number> = {}
  for (let round = 0; round < TIMES + WARM; round++) {
    const fact = factOf(10_000 + round, LONG)
    const began = ownCpuMs()
    await Promise.all(
      feedFormats.map(async format => {
        const bytes = Buffer.from(feed.add(fact, format))
        const before = states.get(format) ?? null
        const state = createFeedState({
          feedId: 'bench',
          output: format,
          bytes,
          content: `c${round}`,
          lastModified: new Date(0),
          before,
        })
        const [gzip, br] = await Promise.all([state.variant('gzip'), state.variant('br')])
        states.set(format, state)
        Object.assign(sizes, { [format]: bytes.length, [`${format}.gz`]: gzip.bytes.length, [`${format}.br`]: br.bytes.length })
      }),
    )
    if (round >= WARM) times.push(ownCpuMs() - began)
  }
  const whole = measureWhole()
  const line: Line = {
    what: 'one new item of 50, three formats, gzip and br ready',
    measured: `p50 ${round(quantile(times, 0.5))} ms CPU, p90 ${round(quantile(times, 0.9))} ms (rss ${sizes['rss']} B, gz ${sizes['rss.gz']}, br ${sizes['rss.br']})`,
    toReach: '≤ 15 ms CPU',
    floor: `whole: ${round(whole)} ms`,
  }
  return { lines: [line], result: { p50CpuMs: quantile(times, 0.5), p90CpuMs: quantile(times, 0.9), wholeCpuMs: whole, sizes } }
}
