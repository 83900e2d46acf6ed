/**
 * What happens in one run of `simulation.ts`, as data: who publishes what and when, which outlets there are, what goes wrong. A story that ends
 * badly is made shorter until nothing more can be left out.
 */
import { type Faults, HEAL_AT_MS, randomFrom } from './simulated-world.ts'

type Release = Readonly<{ atMs: number; kill: boolean }>
/** An intent that nobody of ours wrote, for a version that is never released. */
export type Forged = Readonly<{ atMs: number; outletId: string; version: number; kill: boolean }>
export type Story = Readonly<{
  /** Of everything that is not told here. */
  seed: number
  /** `releases`: version 1, 2, … */
  articles: readonly Readonly<{ id: string; releases: readonly Release[]; forged?: readonly Forged[] }>[]
  /** `sick`: fails in every way until all heals, whatever becomes of the others. */
  outlets: readonly Readonly<{ id: string; order: 'article' | 'strict'; versions: 'latest' | 'all'; sick: boolean }>[]
  faults: Faults
}>

const OUTLETS: Story['outlets'] = [
  { id: 'one', order: 'article', versions: 'latest', sick: false },
  { id: 'two', order: 'strict', versions: 'latest', sick: false },
  { id: 'three', order: 'article', versions: 'all', sick: false },
]

/** `forged`: of how many articles out of a hundred somebody forges an intent (default 0). */
type Size = Readonly<{ articles: number; outlets?: Story['outlets']; mostVersions?: number; forged?: number }>

const FAR_AHEAD = 2 ** 40

/** Chance of its own, so that the other things of a story are what they are without it. */
const forge = (seed: number, { articles, outlets }: Pick<Story, 'articles' | 'outlets'>, percent: number): Story['articles'] => {
  const random = randomFrom(seed * 13 + 5)
  return articles.map(article => {
    if (random() * 100 >= percent) return article
    const { releases } = article
    const near = releases[Math.floor(random() * releases.length)]?.atMs ?? 0
    const one: Forged = {
      atMs: Math.round(near + random() * (random() < 0.5 ? 40 : 4_000)),
      outletId: outlets[Math.floor(random() * outlets.length)]?.id ?? '',
      version: random() < 0.5 ? releases.length + 1 : FAR_AHEAD,
      kill: random() < 0.5,
    }
    return { ...article, forged: [one] }
  })
}

/** Articles that are corrected and taken back, some at once, some after minutes; all before everything heals. */
export const planStory = (seed: number, faults: Faults, { articles, outlets = OUTLETS, mostVersions = 4, forged = 0 }: Size): Story => {
  const random = randomFrom(seed * 7 + 1)
  const article = (index: number) => {
    const versions = 1 + Math.floor(random() * mostVersions)
    let atMs = articles <= 2 ? random() * 2_000 : random() * HEAL_AT_MS * 0.6
    const releases: Release[] = []
    for (let version = 1; version <= versions; version++) {
      releases.push({ atMs: Math.round(atMs), kill: version > 1 && random() < (version === versions ? 0.6 : 0.2) })
      atMs += 1 + (random() < 0.5 ? random() * 30 : random() * 90_000)
    }
    return { id: `press.a${index}`, releases }
  }
  const planned = Array.from({ length: articles }, (_, index) => article(index))
  return { seed, faults, outlets, articles: forge(seed, { articles: planned, outlets }, forged) }
}

const without = <T>(all: readonly T[], index: number): T[] => all.filter((_, at) => at !== index)
const FEW = 8

/** Stories that are shorter by one thing, the greatest first. */
function* shorter(story: Story): Generator<Story> {
  const { articles, outlets, faults } = story
  const half = Math.ceil(articles.length / 2)
  if (articles.length > 1) {
    yield { ...story, articles: articles.slice(0, half) }
    yield { ...story, articles: articles.slice(half) }
  }
  for (const outlet of outlets) if (outlets.length > 1) yield { ...story, outlets: [outlet] }
  if (faults.partners) yield { ...story, faults: { ...faults, partners: false } }
  if (faults.own) yield { ...story, faults: { ...faults, own: false } }
  if (faults.freeze) yield { ...story, faults: { ...faults, freeze: 0 } }
  if (faults.crash > 0) yield { ...story, faults: { ...faults, crash: 0 } }
  if (articles.some(one => one.forged)) yield { ...story, articles: articles.map(({ id, releases }) => ({ id, releases })) }
  if (articles.length > FEW) return
  for (const [index, article] of articles.entries()) {
    if (articles.length > 1) yield { ...story, articles: without(articles, index) }
    for (const at of article.releases.keys())
      if (article.releases.length > 1)
        yield { ...story, articles: articles.with(index, { ...article, releases: without(article.releases, at) }) }
  }
}

/** A short story runs in no time, so chance may try often. */
const seedsFor = ({ seed, articles }: Story): number[] => [seed, ...Array.from({ length: articles.length > FEW ? 2 : 80 }, (_, n) => n + 1)]

/** So many articles count as one run: a story of ten thousand takes a minute. */
const ARTICLES_A_RUN = 200

/** The shortest story found that still fails; `runs` bounds how long it is looked for. */
export const shorten = async (story: Story, fails: (story: Story) => Promise<boolean>, runs = 600): Promise<Story> => {
  let left = runs
  const failing = async (candidate: Story): Promise<Story | null> => {
    for (const seed of seedsFor(candidate)) {
      left -= Math.ceil(candidate.articles.length / ARTICLES_A_RUN)
      if (left < 0) return null
      const tried = { ...candidate, seed }
      if (await fails(tried)) return tried
    }
    return null
  }
  for (;;) {
    let found: Story | null = null
    for (const candidate of shorter(story)) {
      found = await failing(candidate)
      if (found !== null) break
    }
    if (found === null) return story
    story = found
  }
}
