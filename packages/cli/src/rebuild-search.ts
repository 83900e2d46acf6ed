/** `newswire rebuild search`: has every gateway make its search index again, and follows it. */
import { setTimeout } from 'node:timers/promises'
import type { SearchWanted } from '@newswire/objects/search-wanted'
import { createClient } from './client.ts'
import type { WaitOptions } from './command-tree.ts'
import { showTable } from './show.ts'
import { printResult, sayProgress, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

const POLL_MS = 300

type Options = WaitOptions & Readonly<{ from: string }>

/** `replaced`: somebody asked for another one since. Over when at least one gateway took it up, and all that did have come to an end. */
const standingOf = (id: string, search: SearchWanted | null): 'waiting' | 'running' | 'done' | 'failed' | 'replaced' => {
  if (search === null || search.id !== id) return 'replaced'
  if (search.gateways.length === 0) return 'waiting'
  if (search.gateways.some(({ state }) => state === 'running')) return 'running'
  return search.gateways.some(({ state }) => state === 'failed') ? 'failed' : 'done'
}

const show = ({ gateways }: SearchWanted): string =>
  showTable([
    ['gateway', 'state', 'versions', 'reason'],
    ...gateways.map(({ gateway, state, articles, reason = '' }) => [gateway, state, String(articles), reason]),
  ])

/** True when it was accepted; with `wait`, when every gateway that took it up is done in time. */
export const rebuildSearch = async (terminal: Terminal, { from: source, wait, timeout }: Options): Promise<boolean> => {
  const { say } = terminal
  if (source !== 'log' && source !== 'archive') throw new UsageError(`--from must be log or archive, got ${JSON.stringify(source)}`)
  const using = await createClient(terminal)
  const asked = (await using.console('POST', '/v1/rebuilds', JSON.stringify({ kind: 'search', source }))) as { id: string }
  if (!wait) {
    printResult(terminal, asked, `rebuild ${asked.id} of the search index accepted; --wait follows one`)
    return true
  }
  const deadline = performance.now() + timeout * 1000
  for (let said = ''; ; await setTimeout(POLL_MS)) {
    const { search } = (await using.console('GET', '/v1/rebuilds/search')) as { search: SearchWanted | null }
    const standing = standingOf(asked.id, search)
    const isOver = standing !== 'waiting' && standing !== 'running'
    if (isOver || performance.now() > deadline) {
      const answer = { id: asked.id, ok: standing === 'done', standing, gateways: search?.gateways ?? [] }
      printResult(terminal, answer, search === null ? standing : show(search))
      if (!isOver) say(`not done within ${timeout} s; it goes on, and GET /v1/rebuilds/search says how far it is`)
      return standing === 'done'
    }
    const sentence = `${standing}, ${search?.gateways.reduce((sum, { articles }) => sum + articles, 0) ?? 0} versions`
    if (sentence !== said) sayProgress(terminal, sentence)
    said = sentence
  }
}
