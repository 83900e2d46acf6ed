/** The first page: the pipeline moving, the newest articles, and the trace of one. */
import { $, ask, button, counted, element, keepFresh, row, scrollable, showHealth, term, time } from './dom.js'

const MARK = {
  done: '✔',
  held: '◷',
  parked: '◷',
  refused: '✖',
  failed: '✖',
  dead: '✖',
  rejected: '✖',
  suspended: '✖',
  pending: '…',
  retrying: '↻',
  'in flight': '…',
  'set aside': '!',
}
const VERDICT = { gone: 'done', visible: 'failed' }

const state = value => element('span', `${MARK[value] ?? '·'} ${value}`, value.replace(' ', '-'))

/** The article whose trace is open. */
let shown = null

const toWhy = (article, version, outlet) => {
  const open = button(`outlet ${outlet}`, async () => {
    const { words } = await ask(`/v1/explain?${new URLSearchParams({ article, version, outlet })}`)
    $('why').replaceChildren(...words.map(line => element('p', line)))
  })
  open.title = 'Why?'
  return open
}

const toStage = ({ stage, outcome, ms }) => (ms === null ? `${stage} ${outcome}` : `${stage} ${outcome} ${Math.round(ms)} ms`)

/** It breaks a rule of that feed alone: nobody has to mend anything but the article. */
const sinkState = ({ kind, state }) => (kind === 'feed' && state === 'rejected' ? 'set aside' : state)

const toSinkRow = (articleId, version, sink) =>
  row([
    sink.kind === 'outlet' ? toWhy(articleId, version, sink.id) : `${sink.kind} ${sink.id}`,
    state(sinkState(sink)),
    sink.attempts === null ? '' : counted(sink.attempts, 'attempt'),
    sink.nextAt ? `next ${time(sink.nextAt)}` : time(sink.doneAt),
    sink.lastError ?? sink.reason ?? '',
  ])

const toVersion = (articleId, { version, action, releasedAt, detail, stages, sinks }) => {
  const title = [`Version ${version}`, action, time(releasedAt), detail].filter(Boolean).join(' · ')
  const rows = sinks.map(sink => toSinkRow(articleId, version, sink))
  return [element('h3', title), element('p', stages.map(toStage).join(' → ')), scrollable(`Sinks of version ${version}`, rows)]
}

const toSubmission = ({ submissionId, state, detail }) =>
  element('p', `Submission ${submissionId}: ${state}${detail ? ` – ${detail}` : ''}`)

const toTrace = ({ articleId, title, retraction, versions, submissions }) => [
  element('p', `${title ?? ''} — ${articleId}`),
  ...(retraction ? [element('p', retraction.sentence, VERDICT[retraction.verdict] ?? 'pending')] : []),
  ...[...versions].reverse().flatMap(version => toVersion(articleId, version)),
  ...submissions.filter(one => one.state !== 'released').map(toSubmission),
]

const drawn = new Map()
/** Only what changed is drawn again, so that focus and selection stay where they are. */
const draw = (id, data, toNodes) => {
  const told = JSON.stringify(data)
  if (drawn.get(id) === told) return
  drawn.set(id, told)
  $(id).replaceChildren(...toNodes(data))
}

const showTrace = async id => {
  shown = id
  const trace = await ask(`/v1/articles/${encodeURIComponent(id)}/trace`)
  if (shown !== id) return
  draw('trace', trace, toTrace)
  $('trace-section').hidden = false
}

const toArticle = (id, text) => button(text, () => showTrace(id).catch(error => showHealth(false, error.message)))

const toStep = ({ group, lag, oldestMs }) => {
  const step = element('li')
  const oldest = oldestMs ? `, oldest ${Math.round(oldestMs / 1000)} s` : ''
  step.append(element('strong', group), element('span', `waiting ${lag}${oldest}`, lag > 0 ? 'pending' : 'done'))
  return step
}

const toNumbers = overview => ({
  Articles: overview.articles,
  Versions: overview.versions,
  'Released in the last minute': overview.releasedLastMinute,
  'Accepted → released, p95': overview.releaseMs.p95 === null ? '–' : `${overview.releaseMs.p95} ms`,
  'Deliveries open': Object.values(overview.sinks).reduce((sum, count) => sum + count, 0),
  'Dead letters': overview.deadLetters,
})

const toArticleRow = one =>
  row([
    toArticle(one.articleId, one.title ?? one.articleId),
    one.version || null,
    one.action,
    time(one.releasedAt),
    one.version ? `${one.done} of ${one.expected}` : one.detail,
    state(one.state),
  ])

const feedState = ({ counter, quarantined, fault }) => {
  if (fault) return element('span', `✖ kept back since ${time(fault.since)}: ${fault.reason}`, 'failed')
  if (counter === null) return state('pending')
  return quarantined.length > 0 ? element('span', `! ${quarantined.length} set aside`, 'set-aside') : state('done')
}

const toFeedRow = feed =>
  row([
    `${feed.title}${feed.private ? ' (private)' : ''}`,
    feed.profile,
    feed.items,
    feed.items === 0 ? null : time(feed.updatedAt),
    feedState(feed),
  ])

const toAsideRows = feed =>
  feed.quarantined.map(one => row([feed.title, toArticle(one.articleId, one.articleId), one.version, `${one.code}: ${one.reason}`]))

const toDeadRow = ({ at, service, topic, partition, position, code, message, state }) =>
  row([time(at), `${service} · ${topic} ${partition}@${position}`, `${code}: ${message}`, state])

const toRows = (toRow, otherwise) => all => (all.length === 0 ? [row([otherwise])] : all.map(toRow))

const refresh = async () => {
  const wanted = new URLSearchParams({ limit: 20, q: $('q').value, state: $('state').value })
  const [overview, articles, dead, feeds] = await Promise.all([
    ask('/v1/overview'),
    ask(`/v1/articles?${wanted}`),
    ask('/v1/dead-letters?state=open&limit=20').catch(() => null), // the store may be away, and the overview says so
    ask('/v1/feeds'),
  ])
  showHealth(overview.healthy, overview.sentence)
  $('pipeline').replaceChildren(...overview.stages.map(toStep))
  $('numbers').replaceChildren(...Object.entries(toNumbers(overview)).map(([name, value]) => term(name, value)))
  draw('articles', articles, toRows(toArticleRow, 'nothing found'))
  draw('feeds', feeds, toRows(toFeedRow, 'none'))
  if (dead !== null) draw('dead', dead, toRows(toDeadRow, 'none'))
  draw('aside', feeds, all => all.flatMap(toAsideRows))
  $('aside-section').hidden = feeds.every(feed => feed.quarantined.length === 0)
  if (shown) await showTrace(shown)
}

const look = () => refresh().catch(error => showHealth(false, error.message))
$('search').onsubmit = event => {
  event.preventDefault()
  look()
}
$('state').onchange = look
keepFresh(refresh, 1000)
