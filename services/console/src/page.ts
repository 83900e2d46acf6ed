/** The console's one page: the pipeline moving, the newest articles, and the trace of one. Its script is its own file, so the policy can be strict. */

export const consolePage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Newswire console</title>
<link rel="stylesheet" href="/console.css">
<script type="module" src="/console.js"></script>
</head>
<body>
<header><h1>Newswire</h1><nav aria-label="Pages"><a href="/outlets">Outlets</a></nav><p id="health" role="status">connecting…</p></header>
<main>
<section aria-labelledby="pipeline-title"><h2 id="pipeline-title">Pipeline</h2><ol id="pipeline" class="pipeline"></ol></section>
<section aria-labelledby="numbers-title"><h2 id="numbers-title">Now</h2><dl id="numbers" class="numbers"></dl></section>
<section aria-labelledby="articles-title"><h2 id="articles-title">Articles</h2>
<form id="search" role="search"><label for="q">Find by id or title</label> <input id="q" name="q" type="search" autocomplete="off"> <label for="state">State</label> <select id="state" name="state"><option value="">all</option><option>held</option><option>parked</option><option>in flight</option><option>failed</option><option>refused</option><option>done</option></select></form>
<div class="scroll" tabindex="0" role="region" aria-labelledby="articles-title"><table><thead><tr><th scope="col">Article</th><th scope="col">Version</th><th scope="col">Action</th><th scope="col">Released</th><th scope="col">Sinks</th><th scope="col">State</th></tr></thead><tbody id="articles"></tbody></table></div></section>
<section aria-labelledby="trace-title" id="trace-section" hidden><h2 id="trace-title">Trace</h2><div id="trace"></div><div id="why" role="status"></div></section>
<section aria-labelledby="feeds-title"><h2 id="feeds-title">Feeds</h2><div class="scroll" tabindex="0" role="region" aria-labelledby="feeds-title"><table><thead><tr><th scope="col">Feed</th><th scope="col">Profile</th><th scope="col">Items</th><th scope="col">Changed</th><th scope="col">State</th></tr></thead><tbody id="feeds"></tbody></table></div></section>
<section aria-labelledby="aside-title" id="aside-section" hidden><h2 id="aside-title">Set aside</h2><div class="scroll" tabindex="0" role="region" aria-labelledby="aside-title"><table><thead><tr><th scope="col">Feed</th><th scope="col">Article</th><th scope="col">Version</th><th scope="col">Why</th></tr></thead><tbody id="aside"></tbody></table></div></section>
<section aria-labelledby="dead-title"><h2 id="dead-title">Dead letters</h2><div class="scroll" tabindex="0" role="region" aria-labelledby="dead-title"><table><thead><tr><th scope="col">When</th><th scope="col">Where</th><th scope="col">Why</th><th scope="col">State</th></tr></thead><tbody id="dead"></tbody></table></div></section>
</main>
</body>
</html>
`

export const consoleStyle = `:root { color-scheme: light dark; --ink: light-dark(#1b1d21, #e9eaee); --paper: light-dark(#f7f7f5, #15171b); --card: light-dark(#fff, #1e2127); --line: light-dark(#d9d9d4, #363b45); --soft: light-dark(#565b66, #a6acb8); --ok: light-dark(#1c6b3c, #74d39c); --bad: light-dark(#a3271d, #ff9d92); --wait: light-dark(#7a5200, #f0c36a); }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header, main { max-width: 72rem; margin: 0 auto; padding: 1rem 1.25rem; }
header { display: flex; gap: 1.5rem; align-items: baseline; flex-wrap: wrap; }
h1 { font-size: 1.3rem; margin: 0; } h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
.pipeline { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; padding: 0; margin: 0; }
.pipeline li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .9rem; min-width: 8rem; }
.pipeline strong { display: block; }
.numbers { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: .5rem; margin: 0; }
.numbers div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .9rem; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; background: var(--card); }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; font-variant-numeric: tabular-nums; overflow-wrap: break-word; min-width: 4.5rem; max-width: 32rem; }
th { color: var(--soft); font-weight: 600; font-size: .85rem; }
input, select { font: inherit; padding: .3rem .5rem; }
input { min-width: min(18rem, 100%); max-width: 100%; }
button { font: inherit; background: none; border: 0; padding: 0; color: inherit; text-decoration: underline; cursor: pointer; text-align: left; min-height: 24px; }
button:disabled { opacity: .6; text-decoration: none; cursor: default; }
.acts { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; }
.scroll { overflow-x: auto; }
#one label { display: block; }
#one input { max-width: 100%; min-width: 0; width: 18rem; }
#said { overflow-wrap: anywhere; }
a { color: inherit; display: inline-block; min-height: 24px; }
:focus-visible { outline: 3px solid var(--wait); outline-offset: 2px; }
.done { color: var(--ok); } .failed, .refused, .dead, .rejected, .suspended { color: var(--bad); } .pending, .retrying, .in-flight, .held, .parked, .accepted { color: var(--wait); }
`

/** Runs in the browser. Every value goes in as text, never as markup. */
export const consoleScript = `const $ = id => document.getElementById(id)
const element = (name, text, className) => { const made = document.createElement(name); if (text !== undefined && text !== null) made.textContent = text; if (className) made.className = className; return made }
const MARK = { done: '✔', held: '◷', parked: '◷', refused: '✖', failed: '✖', dead: '✖', rejected: '✖', suspended: '✖', pending: '…', retrying: '↻', 'in flight': '…' }
const state = value => element('span', (MARK[value] ?? '·') + ' ' + value, value.replace(' ', '-'))
const row = cells => { const made = document.createElement('tr'); for (const cell of cells) { const td = document.createElement('td'); if (cell instanceof Node) td.append(cell); else td.textContent = cell ?? '–'; made.append(td) } return made }
const token = new URLSearchParams(location.hash.slice(1)).get('token')
const get = async path => { const answer = await fetch(path, token ? { headers: { authorization: 'Bearer ' + token } } : {}); if (!answer.ok) throw new Error(path + ' answered ' + answer.status); return answer.json() }
for (const link of document.querySelectorAll('nav a')) link.hash = location.hash
const time = value => value ? new Date(value).toLocaleTimeString() : '–'
let shown = null
const why = (id, version, outlet) => { const open = element('button', 'outlet ' + outlet); open.type = 'button'; open.title = 'Why?'; open.onclick = async () => { const told = await get('/v1/explain?' + new URLSearchParams({ article: id, version, outlet })); $('why').replaceChildren(...told.words.map(line => element('p', line))) }; return open }
const showTrace = async id => {
  shown = id
  const trace = await get('/v1/articles/' + encodeURIComponent(id) + '/trace')
  const box = $('trace'); box.replaceChildren(element('p', (trace.title ?? '') + ' — ' + trace.articleId))
  if (trace.retraction) box.append(element('p', trace.retraction.sentence, { gone: 'done', visible: 'failed' }[trace.retraction.verdict] ?? 'pending'))
  for (const version of [...trace.versions].reverse()) {
    box.append(element('h3', 'Version ' + version.version + ' · ' + version.action + ' · ' + time(version.releasedAt) + (version.detail ? ' · ' + version.detail : '')))
    const stages = element('p'); stages.textContent = version.stages.map(one => one.stage + ' ' + one.outcome + (one.ms === null ? '' : ' ' + Math.round(one.ms) + ' ms')).join(' → '); box.append(stages)
    const table = element('table'); const body = element('tbody'); table.append(body)
    for (const sink of version.sinks) body.append(row([sink.kind === 'outlet' ? why(id, version.version, sink.id) : sink.kind + ' ' + sink.id, state(sink.state), sink.attempts === null ? '' : sink.attempts + ' attempts', sink.nextAt ? 'next ' + time(sink.nextAt) : time(sink.doneAt), sink.lastError ?? sink.reason ?? '']))
    box.append(table)
  }
  for (const one of trace.submissions) if (one.state !== 'released') box.append(element('p', 'Submission ' + one.submissionId + ': ' + one.state + (one.detail ? ' – ' + one.detail : '')))
  $('trace-section').hidden = false
}
const article = (id, text) => { const open = element('button', text); open.type = 'button'; open.onclick = () => showTrace(id); return open }
const feedState = ({ counter, quarantined, fault }) => fault ? element('span', '✖ kept back since ' + new Date(fault.since).toLocaleString() + ': ' + fault.reason, 'failed') : counter === null ? state('pending') : quarantined.length > 0 ? element('span', '… ' + quarantined.length + ' set aside', 'pending') : state('done')
const refresh = async () => {
  try {
    const [overview, articles, dead, feeds] = await Promise.all([get('/v1/overview'), get('/v1/articles?' + new URLSearchParams({ limit: 20, q: $('q').value, state: $('state').value })), get('/v1/dead-letters?limit=20'), get('/v1/feeds')])
    $('health').textContent = (overview.healthy ? '✔ ' : '✖ ') + overview.sentence
    $('health').className = overview.healthy ? 'done' : 'failed'
    $('pipeline').replaceChildren(...overview.stages.map(one => { const li = document.createElement('li'); li.append(element('strong', one.group), element('span', 'waiting ' + one.lag + (one.oldestMs ? ', oldest ' + Math.round(one.oldestMs / 1000) + ' s' : ''), one.lag > 0 ? 'pending' : 'done')); return li }))
    const numbers = { 'Articles': overview.articles, 'Versions': overview.versions, 'Released in the last minute': overview.releasedLastMinute, 'Accepted → released, p95': overview.releaseMs.p95 === null ? '–' : overview.releaseMs.p95 + ' ms', 'Deliveries open': Object.values(overview.sinks).reduce((a, b) => a + b, 0), 'Dead letters': overview.deadLetters }
    $('numbers').replaceChildren(...Object.entries(numbers).map(([name, value]) => { const div = document.createElement('div'); div.append(element('dt', name), element('dd', String(value))); return div }))
    $('articles').replaceChildren(...(articles.length === 0 ? [row(['nothing found'])] : articles.map(one => row([article(one.articleId, one.title ?? one.articleId), one.version || null, one.action, time(one.releasedAt), one.version ? one.done + ' of ' + one.expected : one.detail, state(one.state)]))))
    $('dead').replaceChildren(...dead.map(one => row([time(one.at), one.service + ' · ' + one.topic + ' ' + one.partition + '@' + one.position, one.code + ': ' + one.message, one.state])))
    $('feeds').replaceChildren(...feeds.map(feed => row([feed.title + (feed.private ? ' (private)' : ''), feed.profile, feed.items, feed.updatedAt ? new Date(feed.updatedAt).toLocaleString() : null, feedState(feed)])))
    const aside = feeds.flatMap(feed => feed.quarantined.map(one => row([feed.title, article(one.articleId, one.articleId), one.version, one.code + ': ' + one.reason])))
    $('aside').replaceChildren(...aside)
    $('aside-section').hidden = aside.length === 0
    if (shown) await showTrace(shown)
  } catch (error) { $('health').textContent = '✖ ' + error.message; $('health').className = 'failed' }
}
$('search').onsubmit = event => { event.preventDefault(); refresh() }
$('state').onchange = () => refresh()
const tick = async () => { if (!document.hidden) await refresh(); setTimeout(tick, 1000) }
tick()
`
