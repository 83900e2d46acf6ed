/** What must hold of every run of `simulation.ts`, whatever went wrong in it. */
import type { Life } from './simulated-world.ts'
import type { Run, Wanted } from './simulation.ts'

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
function* truth({ story, latest, fenced, naive, sent, toldUpTo }: Run): Generator<string> {
  const everSent = new Set(sent.map(one => `${one.outletId}/${one.articleId}`))
  for (const { id: articleId } of story.articles)
    for (const { id: outletId } of story.outlets) {
      const pair = `${outletId}/${articleId}`
      const wanted = latest.get(articleId)
      // A retraction that overtook every release it takes back finds nobody: the article was never routed.
      if (wanted === undefined || (wanted.killed && !everSent.has(pair))) continue
      if (fenced.get(pair)?.version !== wanted.version) yield `${pair} holds ${fenced.get(pair)?.version}, the latest is ${wanted.version}`
      if (wanted.killed && naive.get(pair)?.killed !== true) yield `${pair} was killed and is shown`
      if (toldUpTo.get(pair) !== wanted.version) yield `${pair} v${wanted.version} was never told as done`
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
  return [
    ...truth(run),
    ...order(run),
    ...identity(run),
    ...completeness(run),
    ...left,
    ...run.believed,
    ...run.invisible,
    ...run.stuck,
  ].map(text => `seed ${run.story.seed}: ${text}`)
}

/**
 * What a strict line promises (`services/outlets/README.md`), retractions aside. What is sent under a sequence comes after the end of all that was wanted before: it
 * was accepted, or taken back, or a newer version was wanted that stands in a place of its own (where every version is sent none takes another's place). And the sequence
 * never falls, but after a crash, for what had ended before and is repeated.
 */
export const disorderOf = (run: Run): string[] =>
  run.story.outlets.filter(one => one.order === 'strict').flatMap(({ id, versions }) => [...disorderAt(run, id, versions === 'all')])

function* disorderAt({ story, sent, wanted, releasedAt, crashes }: Run, outletId: string, isEvery: boolean): Generator<string> {
  const all = sent.filter(one => one.outletId === outletId)
  const line = wanted.get(outletId) ?? []
  const sentOf = groupBy(all, one => one.articleId)
  const wantedOf = groupBy(line, one => one.articleId)
  const releasesOf = new Map(story.articles.map(one => [one.id, one.releases]))
  const isAccepted = ({ articleId, version }: Wanted, byMs: number) =>
    (sentOf.get(articleId) ?? []).some(one => one.version >= version && (one.acceptedAtMs ?? Number.POSITIVE_INFINITY) <= byMs)
  const isTakenBack = ({ articleId, version }: Wanted, byMs: number) =>
    (releasesOf.get(articleId) ?? []).some(
      ({ kill }, index) => kill && index + 1 > version && (releasedAt.get(`${articleId}/${index + 1}`) ?? 0) <= byMs,
    )
  const isReplaced = ({ articleId, version }: Wanted, byMs: number) =>
    !isEvery && (wantedOf.get(articleId) ?? []).some(one => one.version > version && one.atMs <= byMs)
  const hasEnded = (one: Wanted, byMs: number) => one.kill || isAccepted(one, byMs) || isTakenBack(one, byMs) || isReplaced(one, byMs)

  const tops = new Map<Life, number>()
  let next = 0
  for (const { articleId, version, sequence, killed, atMs, by } of all) {
    if (killed) continue
    const what = `seed ${story.seed}: ${outletId} got ${articleId} v${version} of sequence ${sequence}`
    for (let one = line[next]; one !== undefined && one.sequence < sequence; one = line[++next])
      if (!hasEnded(one, atMs)) yield `${what} before ${one.articleId} v${one.version} of ${one.sequence} had ended`
    const top = tops.get(by) ?? 0
    const own = (wantedOf.get(articleId) ?? []).find(one => one.sequence === sequence)
    const isRepeat = crashes > 0 && own !== undefined && hasEnded(own, atMs)
    if (sequence < top && !isRepeat) yield `${what} after ${top}`
    tops.set(by, Math.max(top, sequence))
  }
}
