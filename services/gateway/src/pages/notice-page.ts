/** The page of an answer that has nothing else to show: why, and the way back. */

import { escapeMarkup } from '@newswire/events/text'
import type { ProblemError } from '@newswire/http/problem'
import { toLink } from './addresses.ts'
import { type Frame, toDocument } from './document.ts'
import { speak, type Words } from './language.ts'

type Notice = Readonly<{ frame: Frame; language: string; title: string; notice: string; small?: string }>

export const toNoticePage = ({ frame, language, title, notice, small = '' }: Notice): string => {
  const speech = speak(language, frame.site.language)
  const home = `<p class="meta"><a href="${escapeMarkup(toLink(frame.site, '/'))}">${speech.say('toHome')}</a></p>`
  return toDocument({
    frame,
    language,
    title: `${title} – ${frame.site.title}`,
    head: '<meta name="robots" content="noindex">',
    main: `<div class="narrow"><h1>${escapeMarkup(title)}</h1>
${notice === '' ? '' : `<p class="summary">${escapeMarkup(notice)}</p>`}
${home}
${small === '' ? '' : `<p class="meta">${escapeMarkup(small)}</p>`}</div>`,
  })
}

/** What people are told for a status; the problem's own words are for engineers, in English. */
const SAYINGS: Readonly<Record<number, readonly [keyof Words, keyof Words]>> = {
  400: ['badRequest', 'badRequestMore'],
  404: ['notFound', 'notFoundMore'],
  410: ['gone', 'notFoundMore'],
  429: ['tooMany', 'tooManyMore'],
  503: ['unavailable', 'unavailableMore'],
}

/** A refusal as a page: in the site's language, with the code and the id under which our log has it. */
export const toRefusalPage = (problem: ProblemError, correlationId: string, frame: Frame): string => {
  const { language } = frame.site
  const { words, tag } = speak(language, language)
  const [title, notice] = SAYINGS[problem.status] ?? (problem.status >= 500 ? ['failed', 'failedMore'] : ['refused', 'refusedMore'])
  return toNoticePage({
    frame,
    language: tag,
    title: words[title as keyof Words],
    notice: words[notice as keyof Words],
    small: `${words.code}: ${problem.status} ${problem.code} · ${correlationId}`,
  })
}
