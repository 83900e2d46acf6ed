/** One more item in a 50-item feed, per format, beside the whole rebuild with the bare `feed` package. */

import { feedFormats } from '@newswire/events/feed'
import { createOneMore } from '@newswire/feeds/one-more'
import type { Benchmark } from './benchmark.ts'
import { quantile, round, timed } from './measure.ts'
import { factFrom, site } from './serving-feeds.ts'

const sentence = 'Người lái đò kể rằng mùa nước nổi năm nay đến sớm, chợ phải họp trên bờ, và lũ trẻ đi học bằng xuồng. '

/** An article of about 6 KiB, different for every number. */
const longFact = (index: number) =>
  factFrom(index, {
    title: `Tin số ${index} & những điều <còn> lại`,
    summary: sentence,
    html: Array.from({ length: 38 }, (_, part) => `<p>${part} ${sentence}</p>`).join('\n'),
  })

const measureFeed = () => {
  const feed = createOneMore(
    Array.from({ length: 50 }, (_, index) => longFact(50 - index)),
    site,
  )
  return Object.fromEntries(
    feedFormats.map(format => {
      timed(100, index => feed.add(longFact(1000 + index), format))
      const more = timed(300, index => feed.add(longFact(2000 + index), format))
      timed(10, () => feed.rebuildBare(format))
      const whole = timed(60, () => feed.rebuildBare(format))
      return [
        format,
        {
          oneMoreMs: { p50: round(quantile(more, 0.5), 3), p99: round(quantile(more, 0.99), 3) },
          bareFeedRebuildMs: { p50: round(quantile(whole, 0.5), 2) },
        },
      ]
    }),
  )
}

export const benchFeed: Benchmark = async () => {
  const feed = measureFeed()
  const lines = Object.entries(feed).map(([format, { oneMoreMs, bareFeedRebuildMs }]) => ({
    what: `one more item in 50, ${format}`,
    measured: `p50 ${oneMoreMs.p50} ms, p99 ${oneMoreMs.p99} ms`,
    toReach: '≤ 0.5 ms',
    floor: `bare feed, whole: ${bareFeedRebuildMs.p50} ms`,
  }))
  return { lines, result: feed }
}
