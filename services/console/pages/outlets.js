/** Outlets: how they are, and what an operator may do with one. */
import { $, ask, button, counted, element, keepFresh, row, showHealth, term, time } from './dom.js'

const MARK = {
  well: '✔',
  done: '✔',
  failing: '✖',
  paused: '✖',
  suspended: '✖',
  retired: '·',
  rejected: '✖',
  dead: '✖',
  failed: '✖',
  retrying: '↻',
}
const CLASS = {
  well: 'done',
  done: 'done',
  retired: '',
  failing: 'failed',
  paused: 'failed',
  failed: 'failed',
  asked: 'pending',
  running: 'pending',
}

const state = value => element('span', `${MARK[value] ?? '…'} ${value}`, CLASS[value] ?? value)
const say = said => {
  $('said').textContent = said instanceof Error ? `✖ ${said.message}` : said
}

/** The outlet that is open, and the sequence after which its deliveries are shown. */
let shown = null
let after = 0
const pathOf = (id, rest = '') => `/v1/outlets/${encodeURIComponent(id)}${rest}`

const toCameRow = one => {
  const why = [one.attempts ? counted(one.attempts, 'attempt') : '', one.nextAt ? `next ${time(one.nextAt)}` : '', one.lastError]
  const action = `${one.action ?? '–'}${one.replayed ? ' (replay)' : ''}`
  return row([one.sequence, time(one.at), one.articleId, one.version, action, state(one.state), why.filter(Boolean).join(', ')])
}

const showCame = async id => {
  const page = await ask(pathOf(id, `/deliveries?after=${after}&limit=50`))
  if (shown !== id) return
  $('came').replaceChildren(...page.deliveries.map(toCameRow))
  $('more').hidden = !page.more
  $('more').onclick = () => showAfter(page.next)
}

const showAfter = sequence => {
  after = sequence
  $('after').value = sequence
  return showCame(shown).catch(say)
}

const heldBy = ({ paused, suspended, state }) => {
  if (paused) return `paused by ${paused.by} since ${time(paused.at)}`
  return suspended ? suspended.reason : state
}

const toFacts = one => ({
  State: heldBy(one),
  'Still to get': `${one.pending.articles}${one.pending.more ? '+' : ''}`,
  'Retractions among them': one.pending.retractions,
  'Rejected, given up': `${one.pending.rejected}, ${one.pending.dead}`,
  Oldest: time(one.pending.oldestSince),
  'Last delivered': time(one.lastDoneAt),
  'Failing since': time(one.failingSince),
  'Last error': one.lastError ?? '–',
  Breaker: `${one.breaker}${one.openUntil ? ` until ${time(one.openUntil)}` : ''}`,
})

const toSecret = ({ from, since, until }) =>
  element('li', `${from === 'system' ? `made ${time(since)}` : 'from the environment'}${until ? `, until ${time(until)}` : ''}`)

const showOne = async id => {
  const one = await ask(pathOf(id))
  if (shown !== id) return
  $('one-title').textContent = `${one.name ?? one.id} (${one.id})`
  const isAlarming = name => name === 'Retractions among them' && one.pending.retractions > 0 && one.paused
  $('facts').replaceChildren(...Object.entries(toFacts(one)).map(([name, value]) => term(name, value, isAlarming(name) ? 'failed' : '')))
  $('secrets').replaceChildren(...one.secrets.map(toSecret))
  const requests = one.requests.slice(0, 10)
  $('requests').replaceChildren(...requests.map(({ at, kind, by, state: now, answer }) => row([time(at), kind, by, state(now), answer])))
  $('pause').disabled = one.state === 'paused'
  $('resume').disabled = !one.paused && !one.suspended
}

const open = async id => {
  shown = id
  say('')
  // What is shown is of the outlet that the buttons act on, from the first moment.
  $('one-title').textContent = id
  for (const part of ['facts', 'secrets', 'requests', 'came']) $(part).replaceChildren()
  $('one').hidden = false
  await Promise.all([showOne(id).catch(say), showAfter(0)])
  $('one').scrollIntoView()
}

/** Names the outlet in what it says: by then another one may be open. */
const act = async (what, toWords, body = {}) => {
  const id = shown
  try {
    say(`${id}: ${toWords(await ask(pathOf(id, `/${what}`), body))}`)
    if (shown === id) await showOne(id)
  } catch (error) {
    say(error)
  }
}
const SECRET = ({ secret, overlapUntil }) =>
  `The new secret, shown this once: ${secret} (those before it sign too until ${time(overlapUntil)})`
$('pause').onclick = () => act('pause', () => 'Paused: nothing goes out, retractions neither, and all of it is kept.')
$('resume').onclick = () => act('resume', () => 'It goes on.')
$('test').onclick = () => act('test', () => 'A test was asked for; its outcome is below in a moment.')
$('rotate').onclick = () => act('secrets', SECRET)
$('replay').onsubmit = event => {
  event.preventDefault()
  const from = $('from').value.trim()
  act('replay', () => 'A replay was asked for.', /^\d{1,16}$/.test(from) ? { fromSequence: Number(from) } : { fromTime: from })
}
$('came-form').onsubmit = event => {
  event.preventDefault()
  showAfter(Number($('after').value) || 0)
}

const toOpenCounts = open =>
  Object.entries(open)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ') || '–'

/** Kept from one round to the next, so that the keyboard stays where it is. */
const buttons = new Map()
const buttonOf = ({ id, name }) => {
  const known = buttons.get(id) ?? button(name ?? id, () => open(id))
  buttons.set(id, known)
  return known
}

const toOutletRow = one =>
  row([
    buttonOf(one),
    one.kind,
    state(one.state),
    toOpenCounts(one.open),
    time(one.oldestOpenAt),
    time(one.lastDoneAt),
    one.failingSince ? `since ${time(one.failingSince)}: ${one.lastError ?? ''}` : '',
  ])

const toSentence = (all, bad) => {
  if (bad > 0) return `${bad} of ${all} outlets need a look`
  return `${counted(all, 'outlet')}, all well`
}

const refresh = async () => {
  const { outlets } = await ask('/v1/outlets')
  const bad = outlets.filter(one => !['well', 'retired'].includes(one.state)).length
  showHealth(bad === 0, toSentence(outlets.length, bad))
  const focused = document.activeElement
  $('outlets').replaceChildren(...outlets.map(toOutletRow))
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true })
  if (shown) await showOne(shown)
}

keepFresh(refresh, 2000)
