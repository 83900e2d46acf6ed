/** What both pages are made of. Every value goes in as text, never as markup. */

export const $ = id => document.getElementById(id)

export const element = (name, text, className) => {
  const made = document.createElement(name)
  if (text !== undefined && text !== null) made.textContent = text
  if (className) made.className = className
  return made
}

export const counted = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`

/** With its day: what is listed may be of any. In the reader's own zone. */
export const time = value => (value ? new Date(value).toLocaleString() : '–')

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

/** A console that says nothing for so long, in milliseconds, is away. */
const PATIENCE_MS = 15_000

/** What the API answers; throws what a refusal says. With a body it is a change. */
export const ask = async (path, body) => {
  const headers = {
    ...authorized,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const change = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const answer = await fetch(path, { headers, signal: AbortSignal.timeout(PATIENCE_MS), ...change })
  const found = await answer.json()
  if (!answer.ok) throw new Error(found.detail ?? `${path} answered ${answer.status}`)
  return found
}

export const showHealth = (isWell, sentence) => {
  $('health').textContent = `${isWell ? '✔' : '✖'} ${sentence}`
  $('health').className = isWell ? 'done' : 'failed'
}

/** Asks again so long after each answer, while the page is seen. What goes wrong is said where health is. */
export const keepFresh = (refresh, everyMs) => {
  $('health').textContent = 'connecting…'
  const tick = async () => {
    if (!document.hidden) await refresh().catch(error => showHealth(false, error.message))
    setTimeout(tick, everyMs)
  }
  tick()
}
