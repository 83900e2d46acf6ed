/** `newswire rebuild feeds [ID…]`: makes feeds again from state, and follows it. */
import { setTimeout } from 'node:timers/promises'
import type { FeedRebuild } from '@newswire/events/feed-page'
import { createClient } from './client.ts'
import type { WaitOptions } from './command-tree.ts'
import { showTable } from './show.ts'
import { printResult, sayProgress, type Terminal } from './terminal.ts'

const POLL_MS = 200

type Asked = Readonly<{ id: string; feeds: readonly string[] }>
type Progress = Readonly<{ feed: string; state: FeedRebuild['state'] | 'replaced'; changed: boolean; pages: FeedRebuild['pages'] }>

const NO_PAGES = { total: 0, looked: 0, written: 0 }

/** How far each feed of a request is; `replaced` when somebody asked for another rebuild of it since. */
export const progressOf = ({ id, feeds }: Asked, rebuilds: readonly FeedRebuild[]): readonly Progress[] =>
  feeds.map(feed => {
    const found = rebuilds.find(one => one.feedId === feed)
    if (found === undefined || found.id !== id) return { feed, state: 'replaced', changed: false, pages: NO_PAGES }
    return { feed, state: found.state, changed: found.changed, pages: found.pages }
  })

const sentenceOf = (progress: readonly Progress[]): string => {
  const done = progress.filter(one => one.state === 'done').length
  const looked = progress.reduce((sum, one) => sum + one.pages.looked, 0)
  const total = progress.reduce((sum, one) => sum + one.pages.total, 0)
  return `${done} of ${progress.length} feeds, ${looked} of ${total} pages`
}

const show = (progress: readonly Progress[]): string =>
  showTable([
    ['feed', 'state', 'changed', 'pages', 'written'],
    ...progress.map(({ feed, state, changed, pages }) => [feed, state, changed ? 'yes' : 'no', String(pages.total), String(pages.written)]),
  ])

/** True when it was accepted; with `wait`, when every feed is done in time. */
export const rebuildFeeds = async (terminal: Terminal, ids: readonly string[], { wait, timeout }: WaitOptions): Promise<boolean> => {
  const { say } = terminal
  const using = await createClient(terminal)
  const body = JSON.stringify({ kind: 'feeds', ...(ids.length === 0 ? {} : { ids }) })
  const asked = (await using.console('POST', '/v1/rebuilds', body)) as Asked
  if (!wait) {
    printResult(terminal, asked, `rebuild ${asked.id} of ${asked.feeds.length} feeds accepted; --wait follows one`)
    return true
  }
  const deadline = performance.now() + timeout * 1000
  let said = ''
  for (;;) {
    const { rebuilds } = (await using.console('GET', '/v1/rebuilds')) as { rebuilds: FeedRebuild[] }
    const progress = progressOf(asked, rebuilds)
    const isOver = progress.every(one => one.state === 'done' || one.state === 'replaced')
    if (isOver || performance.now() > deadline) {
      const ok = progress.every(one => one.state === 'done')
      printResult(terminal, { id: asked.id, ok, feeds: progress }, show(progress))
      if (!isOver) say(`not done within ${timeout} s; it goes on, and \`newswire rebuild feeds --wait\` begins it anew`)
      return ok
    }
    if (sentenceOf(progress) !== said) sayProgress(terminal, sentenceOf(progress))
    said = sentenceOf(progress)
    await setTimeout(POLL_MS)
  }
}
