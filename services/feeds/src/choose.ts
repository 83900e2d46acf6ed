/**
 * Which articles a feed shows, and as what: fragments along its window until it is full. What cannot be rendered or read is set aside alone and makes
 * room for the next.
 */
import { RejectError } from '@newswire/events/errors'
import type { Fact } from '@newswire/events/fact'
import type { FragmentCache, Fragments, Quarantined } from './fragments.ts'
import type { Profile } from './item.ts'
import { startWork } from './pace.ts'
import type { States } from './states.ts'
import { applyToWindow, type Entry, type FeedWindow, type Rule } from './window.ts'

export type SetAside = Quarantined & Readonly<{ version: number }>

/** The window may be ahead of the one that it was chosen from. */
export type Chosen = Readonly<{
  window: FeedWindow
  shown: readonly Entry[]
  fragments: readonly Fragments[]
  quarantined: Map<string, SetAside>
}>

/** Fragments rendered before the event loop gets a turn. */
const RENDERED_IN_A_ROW = 20

const isFact = (state: Fact | null | RejectError): state is Fact | null => !(state instanceof RejectError)
export const factsIn = (states: ReadonlyMap<string, Fact | null | RejectError>): Map<string, Fact | null> =>
  new Map([...states].flatMap(([id, state]) => (isFact(state) ? [[id, state] as const] : [])))

type ChooseNeeds = Readonly<{
  states: States
  fragments: FragmentCache
  /** Told what rendering took of this thread, milliseconds. */
  spent: (ms: number) => void
}>

/**
 * Takes fragments along the window until the feed is full. What is not rendered yet is read and rendered, which may show that the window
 * is behind (an entry is newer, or gone): then the window follows and it begins again.
 */
export const choose = async (
  begin: FeedWindow,
  rule: Rule,
  profile: Profile,
  { states, fragments, spent }: ChooseNeeds,
): Promise<Chosen> => {
  const rendered = new Map<string, Fragments | Quarantined>()
  const unreadable = new Map<string, Quarantined>()
  const lookUp = (entry: Entry): Fragments | Quarantined | undefined => {
    const key = `${entry.version}/${entry.articleId}`
    const found = unreadable.get(entry.articleId) ?? rendered.get(key) ?? fragments.get(profile, entry.articleId, entry.version)
    if (found) rendered.set(key, found)
    return found
  }
  for (let window = begin; ; ) {
    const { shown, found, quarantined, missing } = takeFrom(window, rule.feed.limit, lookUp)
    if (missing.length === 0) return { window, shown, fragments: found, quarantined }
    const read = await states.getAll(new Map(missing.map(one => [one.articleId, one.version])))
    for (const [articleId, state] of read)
      if (state instanceof RejectError) unreadable.set(articleId, { ok: false, code: state.code, reason: state.message })
    const facts = factsIn(read)
    window = applyToWindow(window, facts, rule)
    let count = 0
    for (const fact of facts.values()) {
      if (fact === null || !window.entries.some(one => one.articleId === fact.articleId)) continue
      const took = startWork()
      rendered.set(`${fact.version}/${fact.articleId}`, fragments.render(profile, fact))
      spent(took())
      count += 1
      if (count % RENDERED_IN_A_ROW === 0) await new Promise(setImmediate)
    }
    for (const one of missing) {
      const left = window.entries.find(entry => entry.articleId === one.articleId)
      const state = facts.get(one.articleId)
      if (left && state && state.version < left.version)
        unreadable.set(one.articleId, {
          ok: false,
          code: 'NEWSWIRE_FEEDS_STATE',
          reason: `version ${left.version} was released, the store has ${state.version}`,
        })
    }
  }
}

/** The entries that are shown, as far as they are rendered; what is set aside makes room for the next. */
const takeFrom = (window: FeedWindow, limit: number, lookUp: (entry: Entry) => Fragments | Quarantined | undefined) => {
  const shown: Entry[] = []
  const found: Fragments[] = []
  const missing: Entry[] = []
  const quarantined = new Map<string, SetAside>()
  let room = limit
  for (const entry of window.entries) {
    if (entry.kind === 'item' && room === 0) continue
    const fragment = lookUp(entry)
    if (fragment === undefined) missing.push(entry)
    else if (fragment.ok) {
      shown.push(entry)
      found.push(fragment)
    } else quarantined.set(entry.articleId, { ...fragment, version: entry.version })
    if (entry.kind === 'item' && (fragment === undefined || fragment.ok)) room -= 1
  }
  return { shown, found, missing, quarantined }
}
