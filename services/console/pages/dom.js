/** What both pages are made of. Every value goes in as text, never as markup. */

export const $ = id => document.getElementById(id)

export const element = (name, text, className) => {
  const made = document.createElement(name)
  if (text !== undefined && text !== null) made.textContent = text
  if (className) made.className = className
  return made
}

export const counted = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`

/** A row of a table; cells are elements or text. */
export const row = cells => {
  const made = document.createElement('tr')
  for (const cell of cells) {
    const td = document.createElement('td')
    if (cell instanceof Node) td.append(cell)
    else td.textContent = cell ?? '–'
    made.append(td)
  }
  return made
}

/** A table that is wider than the screen may be, also for the keyboard. */
export const scrollable = (label, rows) => {
  const made = element('section', null, 'scroll')
  made.ariaLabel = label
  made.tabIndex = 0
  const table = element('table')
  const body = element('tbody')
  body.append(...rows)
  table.append(body)
  made.append(table)
  return made
}

/** A term of a list with what it is now. */
export const term = (name, value, className) => {
  const made = document.createElement('div')
  made.append(element('dt', name), element('dd', String(value), className))
  return made
}

export const button = (text, onClick) => {
  const made = element('button', text)
  made.type = 'button'
  made.onclick = onClick
  return made
}

/** Told once in the address (`#token=…`), which no server sees, and taken along to the other page. */
const token = new URLSearchParams(location.hash.slice(1)).get('token')
for (const link of document.querySelectorAll('nav a')) link.hash = location.hash

const authorized = token ? { authorization: `Bearer ${token}` } : {}

/** What the API answers; throws what a refusal says. With a body it is a change. */
export const ask = async (path, body) => {
  const headers = {
    ...authorized,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const answer = await fetch(path, body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) })
  const found = await answer.json()
  if (!answer.ok) throw new Error(found.detail ?? `${path} answered ${answer.status}`)
  return found
}

export const showHealth = (isWell, sentence) => {
  $('health').textContent = `${isWell ? '✔' : '✖'} ${sentence}`
  $('health').className = isWell ? 'done' : 'failed'
}

/** How long after a stream has ended the next one is asked for, ms. */
const FOLLOW_AGAIN_MS = 2_000

/**
 * Tells whether anything has moved since it was asked last; always while no stream of events can be had. A heartbeat counts as well: what waits in a
 * stage is told by no event. `EventSource` could not send the token.
 */
export const followEvents = () => {
  let [moved, isFollowing] = [true, false]
  const follow = async () => {
    const answer = await fetch('/v1/events', { headers: authorized })
    const reader = answer.body.getReader()
    for (isFollowing = answer.ok; isFollowing && !(await reader.read()).done; ) moved = true
  }
  const again = async () => {
    await follow().catch(() => undefined) // the console is away; whoever looks says so
    isFollowing = false
    setTimeout(again, FOLLOW_AGAIN_MS)
  }
  again()
  return () => {
    const since = moved || !isFollowing
    moved = false
    return since
  }
}

/** Asks again so long after each answer, while the page is seen and something has moved (default: always). What goes wrong is said where health is. */
export const keepFresh = (refresh, everyMs, hasMoved = () => true) => {
  const tick = async () => {
    if (!document.hidden && hasMoved()) await refresh().catch(error => showHealth(false, error.message))
    setTimeout(tick, everyMs)
  }
  tick()
}
