/**
 * A partner's own page (contract §9): how deliveries stand, what came, and forms for what may be done. It works without scripts. All values are
 * escaped where they are put in; each form has an id of its own, so that sending it twice does it once.
 */
import type { OutletConfig } from '@newswire/events/config'
import type { OutletRequest } from '@newswire/events/outlet'
import { escapeMarkup } from '@newswire/events/text'
import type { Came, CamePage } from '@newswire/runtime/outlet-deliveries'
import type { OutletStatus } from '@newswire/runtime/outlet-status'
import { toLink } from './addresses.ts'
import { type Frame, toDocument } from './document.ts'
import { type PartnerWords, partnerWords } from './partner-words.ts'
import { toTime } from './times.ts'

export type Said = Extract<keyof PartnerWords, `said${string}`>

type PartnerPage = Readonly<{
  frame: Frame
  outlet: OutletConfig
  status: OutletStatus
  requests: readonly OutletRequest[]
  /** `after`: `null` for what came within a day. */
  came: CamePage & Readonly<{ after: number | null }>
  /** The title of a public article; others are shown by their id. */
  titleOf: (articleId: string) => string | null
  /** What came of the form before. */
  said: Said | null
  /** Ids for the forms. */
  newId: () => string
}>

type Speech = Readonly<{ tag: string; words: PartnerWords; time: (instant: string | null) => string; frame: Frame }>

const speechOf = (frame: Frame): Speech => {
  const { site } = frame
  const speech = partnerWords(site.language)
  return { ...speech, frame, time: instant => (instant === null ? '–' : toTime(instant, { site, language: speech.tag })) }
}

const toPage = ({ frame, tag }: Speech, title: string, main: string): string =>
  toDocument({
    frame,
    language: tag,
    title: `${title} – ${frame.site.title}`,
    head: '<meta name="robots" content="noindex">',
    main: `<div class="partner">\n${main}\n</div>`,
  })

const pathOf = ({ site }: Frame, outletId: string, act = ''): string =>
  escapeMarkup(toLink(site, `/partners/${outletId}${act === '' ? '' : `/${act}`}`))

const row = (name: string, html: string): string => `<div><dt>${escapeMarkup(name)}</dt><dd>${html}</dd></div>`

/** What failed, in the words of the page: a status is the partner's own, all else is one sentence (`inPartnersWords`). */
const toReason = (reason: string, { words }: Speech): string => {
  const [, status] = /^it answered (\d{3})$/.exec(reason) ?? []
  return escapeMarkup(status === undefined ? words.noAnswer : `${words.answered} ${status}`)
}

const standing = ({ status, came }: PartnerPage, speech: Speech): string => {
  const { words, time } = speech
  const { state, paused, pending, failingSince, lastError, openUntil } = status
  const by = paused === null ? '' : ` ${paused.by === 'operator' ? words.byOperator : words.byPartner}`
  const shown = state === 'well' && pending.articles > 0 ? 'underWay' : state
  const isTrouble = state !== 'well' && state !== 'retired'
  const lastDone = came.deliveries.findLast(one => one.state === 'done')
  const rows = [
    row(words.pending, `${pending.articles}${pending.more ? '+' : ''}`),
    ...(pending.retractions > 0 ? [row(words.retractions, `<strong class="trouble">${pending.retractions}</strong>`)] : []),
    ...(pending.rejected > 0 ? [row(words.rejected, String(pending.rejected))] : []),
    ...(pending.dead > 0 ? [row(words.dead, String(pending.dead))] : []),
    ...(pending.oldestSince === null ? [] : [row(words.oldest, time(pending.oldestSince))]),
    ...(failingSince === null
      ? []
      : [row(words.failingSince, time(failingSince)), row(words.lastError, lastError === null ? '–' : toReason(lastError, speech))]),
    ...(openUntil === null ? [] : [row(words.nextTry, time(openUntil))]),
    ...(lastDone === undefined ? [] : [row(words.lastDelivered, time(lastDone.at))]),
  ]
  return `<section aria-labelledby="standing"><h2 id="standing">${escapeMarkup(words.standing)}</h2>
<p class="state${isTrouble ? ' trouble' : ''}">${escapeMarkup(`${words[shown]}${by}`)}</p>
<dl class="facts">${rows.join('')}</dl>
</section>`
}

type Form = Readonly<{ action: string; id: string; fields?: string; button: string }>
const form = ({ action, id, fields = '', button }: Form): string =>
  `<form method="post" action="${action}"><input type="hidden" name="id" value="${escapeMarkup(id)}">${fields}<p><button type="submit">${escapeMarkup(button)}</button></p></form>`

const acts = ({ frame, outlet, status, newId }: PartnerPage, { words }: Speech): string => {
  const at = (act: string) => pathOf(frame, outlet.id, act)
  const isHeld = status.state === 'paused' || status.state === 'suspended'
  const holding =
    status.paused?.by === 'operator'
      ? `<p>${escapeMarkup(words.operatorPause)}</p>`
      : isHeld
        ? form({ action: at('resume'), id: newId(), button: words.resume })
        : `<p>${escapeMarkup(words.pauseMore)}</p>${form({ action: at('pause'), id: newId(), button: words.pause })}`
  return `<section aria-labelledby="hold"><h2 id="hold">${escapeMarkup(isHeld ? words.resume : words.pause)}</h2>${holding}</section>
<section aria-labelledby="test"><h2 id="test">${escapeMarkup(words.test)}</h2><p>${escapeMarkup(words.testMore)}</p>${form({ action: at('test'), id: newId(), button: words.test })}</section>`
}

const STATES = {
  done: 'stateDone',
  superseded: 'stateSuperseded',
  pending: 'statePending',
  retrying: 'stateRetrying',
  rejected: 'stateRejected',
  dead: 'stateDead',
  suspended: 'stateSuspended',
} as const satisfies Record<Came['state'], keyof PartnerWords>

const cameRow = (came: Came, titleOf: PartnerPage['titleOf'], speech: Speech): string => {
  const { words, time } = speech
  const { sequence, articleId, version, action, at, replayed, state, supersededBy, attempts, nextAt, lastError } = came
  const title = titleOf(articleId)
  const what = [action === null ? '' : words[action], replayed ? words.replayed : ''].filter(part => part !== '').join(', ')
  const why = [
    attempts ? escapeMarkup(`${attempts} ${words.attempts}`) : '',
    lastError === null ? '' : toReason(lastError, speech),
    nextAt === null ? '' : `${escapeMarkup(words.nextTry)}: ${time(nextAt)}`,
  ].filter(part => part !== '')
  const name = title === null ? escapeMarkup(articleId) : `${escapeMarkup(title)}<br><small>${escapeMarkup(articleId)}</small>`
  // Of what a newer version settled nobody here knows whether it ever got there.
  const shownState = state === 'done' && supersededBy !== null ? 'superseded' : state
  const isTrouble = state === 'rejected' || state === 'dead' || (state === 'suspended' && action === 'retracted')
  const shown = `<span class="${isTrouble ? 'trouble' : state === 'done' ? 'fine' : 'open'}">${escapeMarkup(words[STATES[shownState]])}</span>`
  return `<tr><td>${sequence}</td><td>${time(at)}</td><th scope="row">${name}</th><td>${version}${what === '' ? '' : `<br><small>${escapeMarkup(what)}</small>`}</td><td>${[shown, ...why].join('<br>')}</td></tr>`
}

const cameList = ({ frame, outlet, came, titleOf }: PartnerPage, speech: Speech): string => {
  const { words } = speech
  const head = [words.sequence, words.when, words.article, words.version, words.state].map(
    name => `<th scope="col">${escapeMarkup(name)}</th>`,
  )
  const rows = came.deliveries.map(one => cameRow(one, titleOf, speech))
  const table = `<div class="scroll" role="region" aria-label="${escapeMarkup(`${words.table}: ${words.came}`)}" tabindex="0"><table><thead><tr>${head.join('')}</tr></thead>\n<tbody>${rows.join('\n')}</tbody></table></div>`
  const more = came.more ? `<p><a href="${pathOf(frame, outlet.id)}?after=${came.next}#came">${escapeMarkup(words.more)}</a></p>` : ''
  return `<section aria-labelledby="came"><h2 id="came">${escapeMarkup(words.came)}</h2><p>${escapeMarkup(words.cameMore)}</p>
<form method="get" action="${pathOf(frame, outlet.id)}#came"><p><label for="after">${escapeMarkup(words.after)}</label> <input id="after" name="after" inputmode="numeric" pattern="[0-9]{1,16}" value="${came.after ?? ''}"> <button type="submit">${escapeMarkup(words.show)}</button></p></form>
${came.gap ? `<p class="note">${escapeMarkup(words.gap)}</p>` : ''}${rows.length === 0 ? `<p>${escapeMarkup(words.nothing)}</p>` : table}
${more}</section>`
}

const replayForm = ({ frame, outlet, newId }: PartnerPage, { words }: Speech): string => {
  const fields = `<p><label for="from-sequence">${escapeMarkup(words.fromSequence)}</label> <input id="from-sequence" name="fromSequence" inputmode="numeric" pattern="[0-9]{1,16}"></p>
<p><label for="from-time">${escapeMarkup(words.fromTime)}</label> <input id="from-time" name="fromTime" maxlength="40" aria-describedby="time-hint"> <small id="time-hint">${escapeMarkup(words.timeHint)}</small></p>`
  const action = pathOf(frame, outlet.id, 'replay')
  return `<section aria-labelledby="replay"><h2 id="replay">${escapeMarkup(words.replay)}</h2><p>${escapeMarkup(words.replayMore)}</p>${form({ action, id: newId(), fields, button: words.startReplay })}</section>`
}

const requestState = { asked: 'stateAsked', running: 'stateRunning', done: 'stateEnded', failed: 'stateFailed' } as const

const requestRow = (one: OutletRequest, speech: Speech): string => {
  const { words, time } = speech
  const name = one.kind === 'test' ? words.kindTest : words.kindReplay
  const ofTest = one.state === 'done' ? escapeMarkup(words.accepted) : one.answer === null ? '' : toReason(one.answer, speech)
  const detail = one.kind === 'replay' ? escapeMarkup(`${one.articles} ${words.articles}`) : ofTest
  const outcome = [escapeMarkup(words[requestState[one.state]]), detail].filter(part => part !== '').join(': ')
  return `<tr><th scope="row">${escapeMarkup(name)}</th><td>${time(one.at)}</td><td>${outcome}</td></tr>`
}

const askedList = ({ frame, outlet, requests }: PartnerPage, speech: Speech): string => {
  if (requests.length === 0) return ''
  const { words } = speech
  const head = [words.kind, words.when, words.outcome].map(name => `<th scope="col">${escapeMarkup(name)}</th>`).join('')
  const rows = requests.slice(0, 10).map(one => requestRow(one, speech))
  return `<section aria-labelledby="asked"><h2 id="asked">${escapeMarkup(words.asked)}</h2>
<div class="scroll" role="region" aria-label="${escapeMarkup(`${words.table}: ${words.asked}`)}" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>
<p><a href="${pathOf(frame, outlet.id)}">${escapeMarkup(words.reload)}</a></p></section>`
}

const secretList = ({ frame, outlet, status, newId }: PartnerPage, { words, time }: Speech): string => {
  if (status.secrets.length === 0) return ''
  const items = status.secrets.map(({ from, since, until }) => {
    const begun = from === 'environment' ? escapeMarkup(words.fromSetup) : `${escapeMarkup(words.made)} ${time(since)}`
    return `<li>${begun}${until === null ? '' : `, ${escapeMarkup(words.until)} ${time(until)}`}</li>`
  })
  const rotating = form({ action: pathOf(frame, outlet.id, 'secrets'), id: newId(), button: words.rotate })
  return `<section aria-labelledby="secrets"><h2 id="secrets">${escapeMarkup(words.secrets)}</h2><p>${escapeMarkup(words.secretsMore)}</p><ul>${items.join('')}</ul>${rotating}</section>`
}

export const toPartnerPage = (page: PartnerPage): string => {
  const { frame, outlet, said } = page
  const speech = speechOf(frame)
  const { words } = speech
  const name = outlet.name ?? outlet.id
  const leave = `<form method="post" action="${pathOf(frame, outlet.id, 'leave')}"><p><button type="submit">${escapeMarkup(words.signOut)}</button></p></form>`
  return toPage(
    speech,
    `${name} – ${words.partner}`,
    `<h1>${escapeMarkup(name)}</h1>
<p class="meta">${escapeMarkup(words.partner)}</p>
${said === null ? '' : `<p class="note" role="status">${escapeMarkup(words[said])}</p>`}
${[standing, cameList, replayForm, acts, askedList, secretList].map(part => part(page, speech)).join('\n')}
${leave}`,
  )
}

/** What everybody sees who has no token here, whether there is such an outlet or not. `isWrong`: one was tried. */
export const toSignInPage = (frame: Frame, outletId: string, isWrong: boolean): string => {
  const speech = speechOf(frame)
  const { words } = speech
  return toPage(
    speech,
    words.signIn,
    `<h1>${escapeMarkup(words.signIn)}</h1>
<p>${escapeMarkup(words.signInMore)}</p>
${isWrong ? `<p class="note" role="alert">${escapeMarkup(words.wrongToken)}</p>` : ''}
<form method="post" action="${pathOf(frame, outletId, 'session')}"><p><label for="token">${escapeMarkup(words.token)}</label> <input id="token" name="token" type="password" required maxlength="512" autocomplete="current-password"></p>
<p><button type="submit">${escapeMarkup(words.signIn)}</button></p></form>`,
  )
}

/** The one page that shows a secret, once. */
export const toSecretPage = (frame: Frame, outlet: OutletConfig, made: Readonly<{ secret: string; overlapUntil: string }>): string => {
  const speech = speechOf(frame)
  const { words, time } = speech
  return toPage(
    speech,
    words.newSecret,
    `<h1>${escapeMarkup(words.newSecret)}</h1>
<p>${escapeMarkup(words.newSecretMore)}</p>
<p><code class="secret">${escapeMarkup(made.secret)}</code></p>
<p>${escapeMarkup(words.oldUntil)} ${time(made.overlapUntil)}.</p>
<p><a href="${pathOf(frame, outlet.id)}">${escapeMarkup(words.back)}</a></p>`,
  )
}
