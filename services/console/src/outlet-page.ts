/** The console's page of outlets: how each stands, and what may be done with one. Its script is its own file, so the policy can be strict. */

export const outletPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Outlets – Newswire console</title>
<link rel="stylesheet" href="/console.css">
<script type="module" src="/outlets.js"></script>
</head>
<body>
<header><h1>Outlets</h1><nav aria-label="Pages"><a href="/">Console</a></nav><p id="health" role="status">connecting…</p></header>
<main>
<section aria-labelledby="list-title"><h2 id="list-title">All outlets</h2>
<div class="scroll" role="region" aria-label="Table of outlets" tabindex="0"><table><thead><tr><th scope="col">Outlet</th><th scope="col">Kind</th><th scope="col">State</th><th scope="col">Still to come</th><th scope="col">Oldest</th><th scope="col">Last delivered</th><th scope="col">Failing</th></tr></thead><tbody id="outlets"></tbody></table></div></section>
<section aria-labelledby="one-title" id="one" hidden><h2 id="one-title">Outlet</h2>
<p id="said" role="status"></p>
<dl id="facts" class="numbers"></dl>
<p class="acts"><button type="button" id="pause">Pause</button> <button type="button" id="resume">Resume</button> <button type="button" id="test">Send a test</button> <button type="button" id="rotate">Make a new secret</button></p>
<form id="replay"><p><label for="from">Replay after a sequence, or since a time (at most 14 days ago, with an offset)</label> <input id="from" required maxlength="40" autocomplete="off"> <button>Replay</button></p></form>
<h3>Secrets that sign</h3><ul id="secrets"></ul>
<h3>Asked of it of late</h3>
<div class="scroll" role="region" aria-label="Table of requests" tabindex="0"><table><thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">By</th><th scope="col">State</th><th scope="col">Outcome</th></tr></thead><tbody id="requests"></tbody></table></div>
<h3>What came</h3>
<form id="came-form"><p><label for="after">After sequence</label> <input id="after" inputmode="numeric" pattern="[0-9]{1,16}" value="0" autocomplete="off"> <button>Show</button></p></form>
<div class="scroll" role="region" aria-label="Table of deliveries" tabindex="0"><table><thead><tr><th scope="col">Sequence</th><th scope="col">When</th><th scope="col">Article</th><th scope="col">Version</th><th scope="col">Action</th><th scope="col">State</th><th scope="col">Why</th></tr></thead><tbody id="came"></tbody></table></div>
<p><button type="button" id="more" hidden>Show what came later</button></p>
</section>
</main>
</body>
</html>
`

/** Runs in the browser. Every value goes in as text, never as markup. */
export const outletScript = `const $ = id => document.getElementById(id)
const element = (name, text, className) => { const made = document.createElement(name); if (text !== undefined && text !== null) made.textContent = text; if (className) made.className = className; return made }
const MARK = { well: '✔', done: '✔', failing: '✖', paused: '✖', suspended: '✖', retired: '·', rejected: '✖', dead: '✖', failed: '✖', retrying: '↻' }
const CLASS = { well: 'done', done: 'done', retired: '', failing: 'failed', paused: 'failed', failed: 'failed', asked: 'pending', running: 'pending' }
const state = value => element('span', (MARK[value] ?? '…') + ' ' + value, CLASS[value] ?? value)
const row = cells => { const made = document.createElement('tr'); for (const cell of cells) { const td = document.createElement('td'); if (cell instanceof Node) td.append(cell); else td.textContent = cell ?? '–'; made.append(td) } return made }
const token = new URLSearchParams(location.hash.slice(1)).get('token')
for (const link of document.querySelectorAll('nav a')) link.hash = location.hash
const ask = async (path, body) => {
  const headers = { ...(token ? { authorization: 'Bearer ' + token } : {}), ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  const answer = await fetch(path, body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) })
  const found = await answer.json()
  if (!answer.ok) throw new Error(found.detail ?? path + ' answered ' + answer.status)
  return found
}
const time = value => value ? new Date(value).toLocaleString() : '–'
let shown = null
let after = 0
const pathOf = rest => '/v1/outlets/' + encodeURIComponent(shown) + (rest ?? '')
const showCame = async () => {
  const page = await ask(pathOf('/deliveries?after=' + after + '&limit=50'))
  $('came').replaceChildren(...page.deliveries.map(one => row([one.sequence, time(one.at), one.articleId, one.version, (one.action ?? '–') + (one.replayed ? ' (replay)' : ''), state(one.state), [one.attempts ? one.attempts + ' attempts' : '', one.nextAt ? 'next ' + time(one.nextAt) : '', one.lastError ?? ''].filter(Boolean).join(', ')])))
  $('more').hidden = !page.more
  $('more').onclick = () => { after = page.next; $('after').value = after; showCame().catch(say) }
}
const showOne = async () => {
  const one = await ask(pathOf())
  $('one').hidden = false
  $('one-title').textContent = (one.name ?? one.id) + ' (' + one.id + ')'
  const held = one.paused ? 'paused by ' + one.paused.by + ' since ' + time(one.paused.at) : one.suspended ? one.suspended.reason : one.state
  const facts = { State: held, 'Still to get': one.pending.articles + (one.pending.more ? '+' : ''), 'Retractions among them': one.pending.retractions, 'Rejected, given up': one.pending.rejected + ', ' + one.pending.dead, Oldest: time(one.pending.oldestSince), 'Last delivered': time(one.lastDoneAt), 'Failing since': time(one.failingSince), 'Last error': one.lastError ?? '–', Breaker: one.breaker + (one.openUntil ? ' until ' + time(one.openUntil) : '') }
  $('facts').replaceChildren(...Object.entries(facts).map(([name, value]) => { const div = document.createElement('div'); div.append(element('dt', name), element('dd', String(value), name === 'Retractions among them' && value > 0 && one.paused ? 'failed' : '')); return div }))
  $('secrets').replaceChildren(...one.secrets.map(secret => element('li', (secret.from === 'system' ? 'made ' + time(secret.since) : 'from the environment') + (secret.until ? ', until ' + time(secret.until) : ''))))
  $('requests').replaceChildren(...one.requests.slice(0, 10).map(request => row([time(request.at), request.kind, request.by, state(request.state), request.answer])))
  $('pause').disabled = one.state === 'paused'
  $('resume').disabled = !one.paused && !one.suspended
}
const open = (id, name) => { const button = element('button', name); button.type = 'button'; button.onclick = () => { shown = id; after = 0; $('after').value = 0; $('said').textContent = ''; Promise.all([showOne(), showCame()]).then(() => $('one').scrollIntoView()).catch(say) }; return button }
const say = error => { $('said').textContent = error instanceof Error ? '✖ ' + error.message : error }
const act = async (what, words, body) => { try { const done = await ask(pathOf('/' + what), body ?? {}); say(words(done)); await showOne() } catch (error) { say(error) } }
$('pause').onclick = () => act('pause', () => 'Paused: nothing goes out, retractions neither, and all of it is kept.')
$('resume').onclick = () => act('resume', () => 'It goes on.')
$('test').onclick = () => act('test', () => 'A test was asked for; its outcome is below in a moment.')
$('rotate').onclick = () => act('secrets', made => 'The new secret, shown this once: ' + made.secret + ' (those before it sign too until ' + time(made.overlapUntil) + ')')
$('replay').onsubmit = event => { event.preventDefault(); const from = $('from').value.trim(); act('replay', () => 'A replay was asked for.', /^\\d{1,16}$/.test(from) ? { fromSequence: Number(from) } : { fromTime: from }) }
$('came-form').onsubmit = event => { event.preventDefault(); after = Number($('after').value) || 0; showCame().catch(say) }
const counts = open => Object.entries(open).map(([name, n]) => n + ' ' + name).join(', ') || '–'
const buttons = new Map()
const refresh = async () => {
  try {
    const { outlets } = await ask('/v1/outlets')
    const bad = outlets.filter(one => !['well', 'retired'].includes(one.state)).length
    $('health').textContent = bad === 0 ? '✔ ' + (outlets.length === 1 ? '1 outlet' : outlets.length + ' outlets') + ', all well' : '✖ ' + bad + ' of ' + outlets.length + ' outlets need a look'
    $('health').className = bad === 0 ? 'done' : 'failed'
    for (const one of outlets) if (!buttons.has(one.id)) buttons.set(one.id, open(one.id, one.name ?? one.id))
    const rows = outlets.map(one => row([buttons.get(one.id), one.kind, state(one.state), counts(one.open), time(one.oldestOpenAt), time(one.lastDoneAt), one.failingSince ? 'since ' + time(one.failingSince) + ': ' + (one.lastError ?? '') : '']))
    const focused = document.activeElement
    $('outlets').replaceChildren(...rows)
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true })
    if (shown) await showOne()
  } catch (error) { $('health').textContent = '✖ ' + error.message; $('health').className = 'failed' }
}
const tick = async () => { if (!document.hidden) await refresh(); setTimeout(tick, 2000) }
tick()
`
