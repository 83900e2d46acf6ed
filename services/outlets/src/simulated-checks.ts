/** What must hold of every run of `simulation.ts`, whatever went wrong in it. */
import type { Run } from './simulation.ts'

const groupBy = <T>(all: readonly T[], name: (one: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const group = groups.get(name(one))
    if (group === undefined) groups.set(name(one), [one])
    else group.push(one)
  }
  return groups
}

/** The last version that each outlet accepted is the latest; what was taken back is shown nowhere; and all that was told is true. */
function* truth({ story, latest, fenced, naive, sent, told }: Run): Generator<string> {
  const everSent = new Set(sent.map(one => `${one.outletId}/${one.articleId}`))
  for (const { id: articleId } of story.articles)
    for (const { id: outletId } of story.outlets) {
      const pair = `${outletId}/${articleId}`
      const wanted = latest.get(articleId)
      // A retraction that overtook every release it takes back finds nobody: the article was never routed.
      if (wanted === undefined || (wanted.killed && !everSent.has(pair))) continue
      if (fenced.get(pair)?.version !== wanted.version) yield `${pair} holds ${fenced.get(pair)?.version}, the latest is ${wanted.version}`
      if (wanted.killed && naive.get(pair)?.killed !== true) yield `${pair} was killed and is shown`
      if (told.get(pair)?.get(wanted.version)?.has('done') !== true) yield `${pair} v${wanted.version} was never told as done`
    }
}

/**
 * Versions sent of one article to one outlet never fall, in the order they were sent. Who wants every version may get a row of them again
 * after a crash, under the same ids.
 */
function* order({ story, sent }: Run): Generator<string> {
  const every = new Set(story.outlets.filter(one => one.versions === 'all').map(one => one.id))
  for (const [pair, all] of groupBy(sent, one => `${one.outletId}/${one.articleId}`)) {
    let top = 0
    const before = new Set<string>()
    for (const { version, id, outletId } of all) {
      if (version < top && !(every.has(outletId) && before.has(id))) yield `${pair} was sent v${version} after v${top}`
      top = Math.max(top, version)
      before.add(id)
    }
  }
}

/** One id stands for one thing, and one thing has one id, but for the settle-repeat. */
function* identity({ sent }: Run): Generator<string> {
  for (const [id, all] of groupBy(sent, one => one.id))
    if (new Set(all.map(one => `${one.outletId} ${one.articleId} v${one.version} ${one.body}`)).size > 1)
      yield `${id} stands for two things`
  for (const [what, all] of groupBy(sent, one => `${one.outletId}/${one.articleId} v${one.version}`))
    if (new Set(all.map(one => one.id)).size > 2) yield `${what} went under more than two ids`
}

/** Who wants every version gets every version, but for those that a retraction took the place of. */
function* completeness({ story, arrived }: Run): Generator<string> {
  for (const { id: outletId, versions } of story.outlets)
    for (const { id: articleId, releases } of story.articles)
      for (const [index] of releases.entries()) {
        const isTakenBack = releases.slice(index).some(one => one.kill)
        const pair = `${outletId}/${articleId}`
        // The first that was routed may be a later one: releases overtake one another on their way.
        const began = Math.min(...(arrived.get(pair) ?? [Number.POSITIVE_INFINITY]))
        if (versions === 'all' && !isTakenBack && index + 1 > began && arrived.get(pair)?.has(index + 1) !== true)
          yield `${pair} never got v${index + 1}, and wants all`
      }
}

/** In words that name the seed; empty when all is right. */
export const complaintsOf = (run: Run): string[] => {
  const left = run.undone > 0 ? [`${run.undone} deliveries are left in the store`] : []
  return [...truth(run), ...order(run), ...identity(run), ...completeness(run), ...left, ...run.invisible, ...run.stuck].map(
    text => `seed ${run.story.seed}: ${text}`,
  )
}

/** Without crashes, what a strict outlet gets has a rising sequence, retractions and repeats aside. */
export const disorderOf = ({ story, sent }: Run): string[] => {
  const strict = new Set(story.outlets.filter(one => one.order === 'strict').map(one => one.id))
  // What was wanted as a retraction passes the line, whatever it has become when it is sent.
  const killed = new Set(story.articles.filter(one => one.releases.some(release => release.kill)).map(one => one.id))
  const found: string[] = []
  for (const [outletId, all] of groupBy(
    sent.filter(one => strict.has(one.outletId) && !killed.has(one.articleId)),
    one => one.outletId,
  )) {
    let top = 0
    for (const { sequence, articleId } of all) {
      if (sequence < top) found.push(`seed ${story.seed}: ${outletId} got ${articleId} of sequence ${sequence} after ${top}`)
      top = Math.max(top, sequence)
    }
  }
  return found
}

/**
 * Also with crashes: what a strict outlet is sent for the first time comes in the order in which it was first wanted, retractions aside. Of stories
 * with one version of each article: a version that comes while the one before it is on its way is told of only when that has ended, and what was
 * wanted in between may go first.
 */
export const overtakenOf = ({ story, sent, wantedAt }: Run): string[] => {
  const found: string[] = []
  for (const { id: outletId } of story.outlets.filter(one => one.order === 'strict')) {
    const ids = new Set<string>()
    let top = 0
    for (const { id, articleId, version } of sent.filter(one => one.outletId === outletId)) {
      const place = wantedAt.get(`${outletId}/${articleId}/${version}`) ?? 0
      if (!ids.has(id) && place < top) found.push(`seed ${story.seed}: ${outletId} got ${articleId} of place ${place} after ${top}`)
      ids.add(id)
      top = Math.max(top, place)
    }
  }
  return found
}
