/** Moments: in the site's zone for people, in UTC for machines. */
import type { SiteConfig } from '@newswire/events/config'
import { escapeMarkup } from '@newswire/events/text'
import { langAttributes, toLocale } from './language.ts'

type Form = 'full' | 'list'

/** `full` says the day of the week and the zone; a list says the zone once, below. */
const FORMS: Readonly<Record<Form, readonly Intl.DateTimeFormatOptions[]>> = {
  full: [{ dateStyle: 'full' }, { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' }],
  list: [{ dateStyle: 'long' }, { timeStyle: 'short' }],
}

/** Making one takes longer than writing the page around it. Few: languages and the one zone of the site. */
const MAX_KEPT = 100
const kept = new Map<string, readonly Intl.DateTimeFormat[]>()

const formatsFor = (locale: string, timeZone: string, form: Form): readonly Intl.DateTimeFormat[] => {
  const key = `${locale} ${timeZone} ${form}`
  const found = kept.get(key)
  if (found !== undefined) return found
  const made = FORMS[form].map(options => new Intl.DateTimeFormat(locale, { ...options, timeZone }))
  if (kept.size >= MAX_KEPT) kept.clear()
  kept.set(key, made)
  return made
}

type TimeOptions = Readonly<{ site: SiteConfig; language: string; form?: Form }>

/** A moment for people, with the exact one in `datetime`. Day and time apart: together, Vietnamese has the time first. */
export const toTime = (instant: string, { site, language, form = 'list' }: TimeOptions): string => {
  const locale = toLocale(language, site.language)
  const moment = new Date(instant)
  const shown = formatsFor(locale, site.timeZone, form)
    .map(format => format.format(moment))
    .join(', ')
  const mark = locale === language ? '' : langAttributes(locale, language)
  return `<time datetime="${moment.toISOString()}"${mark}>${escapeMarkup(shown)}</time>`
}

/** The site's zone as people call it, with its IANA name: `Giờ Đông Dương (Asia/Ho_Chi_Minh)`. */
export const toZoneName = ({ language, timeZone }: SiteConfig): string => {
  const format = new Intl.DateTimeFormat(toLocale(language), { timeZone, timeZoneName: 'longGeneric' })
  // The generic name is the same in summer and winter, so any moment will do.
  const name = format.formatToParts(new Date(0)).find(part => part.type === 'timeZoneName')?.value
  return name === undefined || name === timeZone ? timeZone : `${name} (${timeZone})`
}
