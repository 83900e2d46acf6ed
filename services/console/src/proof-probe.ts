/**
 * Looks at exits as a stranger does: through the guarded client, at the gateway's own address, each address once for all articles that are looked
 * for. Nothing that comes back is kept but whether it shows one of them.
 */
import type { ExitResult, ExitState } from '@newswire/events/retraction-proof'
import { PROBE_AGENT } from '@newswire/events/retraction-proof'
import type { Objects } from '@newswire/objects/objects'
import { getUnpacked } from '@newswire/objects/packed'
import type { Outbound } from '@newswire/outbound/outbound'
import { sideBySide } from '@newswire/runtime/side-by-side'
import { type Answer, type Exit, judge, shownBy, type Wanted } from './proof-exits.ts'

/** A feed of a thousand whole articles fits. */
const MAX_BYTES = 32 * 1_048_576
const TIMEOUT_MS = 10_000

export type Ask = (exit: Pick<Exit, 'address' | 'from'>) => Promise<Answer | null>

type AskNeeds = Readonly<{
  outbound: Pick<Outbound, 'request'>
  objects: Pick<Objects, 'get'>
  /** Where the gateway is; `null` when that is not known yet. */
  gatewayUrl: () => string | null
}>

/** `null`: no answer came. */
export const createAsk =
  ({ outbound, objects, gatewayUrl }: AskNeeds): Ask =>
  async ({ address, from }) => {
    if (from === 'store') {
      const found = await getUnpacked(objects, address).catch(() => undefined)
      if (found === undefined) return null
      return found === null ? { status: 404, body: '', link: '' } : { status: 200, body: Buffer.from(found.bytes).toString(), link: '' }
    }
    const base = gatewayUrl()
    if (base === null) return null
    const result = await outbound.request({
      method: 'GET',
      url: `${base}${address}`,
      headers: { 'user-agent': PROBE_AGENT, 'cache-control': 'no-cache' },
      maxBytes: MAX_BYTES,
      timeoutMs: TIMEOUT_MS,
    })
    if (!result.ok) return null
    const { status, headers, body } = result.response
    return { status, body: status === 200 ? Buffer.from(body).toString() : '', link: headers['link'] ?? '' }
  }

/** Each address is asked once, whoever wants to know. */
const onceEach = (ask: Ask): Ask => {
  const asked = new Map<string, Promise<Answer | null>>()
  return exit => {
    const key = `${exit.from} ${exit.address}`
    const known = asked.get(key) ?? ask(exit)
    asked.set(key, known)
    return known
  }
}

type Look = Readonly<{ exit: Exit; state: ExitState; detail: string }>

/** A picture that another article shows is not this one's any more: that article is asked. */
const judgeRendition = async (ask: Ask, answer: Answer, { articleId }: Wanted): Promise<Pick<Look, 'state' | 'detail'>> => {
  const other = shownBy(answer.link)
  if (other === null || other === articleId) return { state: 'visible', detail: 'it answered 200' }
  const page = await ask({ address: `/articles/${other}/article.json`, from: 'gateway' })
  if (page === null) return { state: 'unknown', detail: `${other} is said to show it, and gave no answer` }
  return page.status === 200
    ? { state: 'gone', detail: `${other} shows it` }
    : { state: 'visible', detail: `it answered 200 for ${other}, which answered ${page.status}` }
}

const lookAt = async (ask: Ask, exit: Exit, wanted: Wanted): Promise<Look[]> => {
  const answer = await ask(exit)
  if (answer === null) return [{ exit, state: 'unknown', detail: 'no answer came' }]
  const seen = judge(exit.reading, answer, wanted)
  const isShared = exit.reading === 'rendition' && seen.state === 'visible'
  const look = { exit, ...(isShared ? await judgeRendition(ask, answer, wanted) : seen) }
  return answer.status === 200 && exit.next !== undefined ? [look, ...(await lookAt(ask, exit.next(), wanted))] : [look]
}

const AT_ONCE = 4

/** Looks for several articles at once; the results in the order of `wanted`. */
export const probe = async (
  ask: Ask,
  searched: readonly Readonly<{ wanted: Wanted; exits: readonly Exit[] }>[],
  now: () => number,
): Promise<readonly (readonly ExitResult[])[]> => {
  const once = onceEach(ask)
  const results: ExitResult[][] = searched.map(() => [])
  const waiting = searched.flatMap(({ wanted, exits }, index) => exits.map(exit => ({ wanted, exit, index })))
  await sideBySide(waiting, AT_ONCE, async one => {
    for (const { exit, state, detail } of await lookAt(once, one.exit, one.wanted))
      results[one.index]?.push({ kind: exit.kind, address: exit.address, state, detail, checkedAt: new Date(now()).toISOString() })
  })
  return results.map(found => found.sort((a, b) => a.kind.localeCompare(b.kind) || a.address.localeCompare(b.address)))
}
