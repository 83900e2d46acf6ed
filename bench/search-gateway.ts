/**
 * A gateway alone in a process, over a log that is full of Vietnamese articles: what `search.ts` measures. `node search-gateway.ts fill <folder> <articles>`
 * writes them and ends; `… serve <folder>` prints its address, then how long the search index took, and stays.
 */

import { newswireConfig } from '@newswire/events/config'
import { type NewswireEvent, toRecord } from '@newswire/events/events'
import type { LiveFact } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'
import { sampleFact } from '@newswire/events/sample-fact'
import { keys } from '@newswire/objects/keys'
import { createRandom, prose } from './prose.ts'
import { composeAlone, serveAlone } from './serve-alone.ts'

const [what = 'serve', folder = '', count = '0'] = process.argv.slice(2)
const CATEGORIES = Array.from({ length: 20 }, (_, index) => `c${index}`)
const config = newswireConfig.parse({
  site: { id: 'bench.example,2026', title: 'Báo', language: 'vi', timeZone: 'Asia/Ho_Chi_Minh', publicUrl: 'http://127.0.0.1' },
  publishers: ['press', 'other'].map(id => ({ id, name: id })),
  categories: CATEGORIES.map((id, index) => ({ id, name: id, ...(index < 5 ? {} : { parent: `c${index % 5}` }) })),
})

/** Ten years of them, evenly. */
const FIRST_MS = Date.UTC(2016, 0, 1)
const YEARS_MS = 10 * 365.25 * 86_400_000
const PARAGRAPHS = 6

/** A title of 12 syllables, a summary of 35, a body of 380, about. */
const toFact = (index: number, articles: number, random: () => number): LiveFact => {
  const publisher = index % 3 === 0 ? 'other' : 'press'
  const at = new Date(FIRST_MS + Math.floor((index / articles) * YEARS_MS)).toISOString()
  const paragraphs = Array.from({ length: PARAGRAPHS }, () => `<p>${prose(290, random)}.</p>`)
  return sampleFact({
    articleId: `${publisher}.a${index}`,
    at,
    article: {
      title: prose(55, random),
      summary: prose(160, random),
      body: { html: paragraphs.join('\n') },
      byline: prose(14, random),
      categories: [CATEGORIES[index % CATEGORIES.length] as string],
      tags: [prose(8, random)],
    },
  })
}

const composition = await composeAlone(folder, config)
const { context, close } = composition

const BATCH = 500
const fill = async () => {
  const articles = Number(count)
  const random = createRandom(42)
  for (let first = 0; first < articles; first += BATCH) {
    const facts = Array.from({ length: Math.min(BATCH, articles - first) }, (_, index) => toFact(first + index, articles, random))
    // A start looks whether the store has what was said last (architecture §6.19).
    if (first + BATCH >= articles)
      await Promise.all(
        facts.map(fact => context.objects.put(keys.current(fact.articleId), Buffer.from(JSON.stringify({ released: { fact } })))),
      )
    await context.log.publish(
      facts.map(data =>
        toRecord({
          id: deriveId('bench.fact', data.articleId),
          type: 'article.published',
          source: '/services/desk',
          subject: data.articleId,
          time: data.releasedAt,
          data,
        } as NewswireEvent),
      ),
    )
  }
}

const READY_TICK_MS = 20
const serve = async () => {
  const begun = performance.now()
  const gateway = await serveAlone(composition)
  const timer = setInterval(() => {
    if (gateway.readiness().detail.search !== true) return
    clearInterval(timer)
    console.log(`indexed=${performance.now() - begun}`)
  }, READY_TICK_MS)
}

if (what === 'fill') {
  await fill()
  await close()
  process.exit(0)
}
await serve()
