/**
 * Whether a document says of itself that everybody may read it. A word that nobody here knows, in a field that is a status and nothing else, is no reason
 * to release: the configuration says what it means. Pure.
 */
import type { HookMapping, StatusMeaning } from '@newswire/events/hook-config'
import type { Warning } from '@newswire/events/warnings'
import { type Around, isObject, NO, type Place, placesNamed, scalarsOf, withoutMarks, YES } from './places.ts'
import { findAllAt } from './pointers.ts'
import type { Fields } from './read-notice.ts'
import { toInstant } from './times.ts'

/** `why`: in words that follow "it is passed over, because". */
export type Standing =
  | Readonly<{ is: 'publish'; warnings: readonly Warning[] }>
  | Readonly<{ is: 'draft' | 'unpublish'; why: string }>
  | Readonly<{ is: 'unknown'; errors: readonly Warning[] }>

const wordsIn = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter(Boolean))
const phrasesIn = (text: string): readonly string[] => text.split(',').map(one => ` ${one.trim()} `)

// --- words, without marks and case -----------------------------------------------------------------------------------------------------

const DRAFT = wordsIn(`
  draft drafted drafting scheduled schedule planned future upcoming pending embargoed embargo queued waiting wip unfinished progress inprogress editing
  todo preview autosave unapproved unreviewed onhold hold held submitted proposed incomplete delayed
  nhap chua soan bannhap choduyet`)
const DRAFT_PHRASES = phrasesIn(`
  not published,not yet,cho duyet,cho bien tap,cho xuat ban,cho dang,cho xu ly,cho kiem duyet,cho phe duyet,dang bien tap,dang viet,dang cho,dang duyet,
  hen gio,hen dang,len lich,dat lich,luu tam,tam luu,moi tao,tra lai,tra bai,cam van`)
const UNPUBLISH = wordsIn(`
  private internal hidden unlisted restricted protected password member members subscriber subscribers registered paid premium archived trash trashed deleted
  unpublish unpublished depublished offline expired withdrawn withheld rejected killed spiked canceled cancelled inactive disabled suspended removed retired revoked retracted recalled
  invisible blocked banned confidential secret nonpublic
  xoa huy ngung`)
const UNPUBLISH_PHRASES = phrasesIn(`
  not public,non public,not visible,not for publication,no longer,taken down,luu tru,thung rac,go bo,go bai,go xuong,da go,bi go,ha bai,ha xuong,da ha,dung xuat ban,dung dang,thu hoi,
  da an,khoa bai,rieng tu,noi bo,khong cong khai,khong hien thi,khong xuat ban,khong hoat dong,bi khoa,da khoa,tu choi,het han,bao mat,thanh vien,tra phi,tam dung,tam an`)
/** Each of them alone says it; beside another word they may say that it is not so yet ("ready to publish"). */
const PUBLISH = wordsIn(
  'publish published public publicly republished updated live online active enabled visible open free all everyone everybody anyone world released posted usable corrected current passed ok success succeeded true yes on 1 200',
)
const PUBLISH_PHRASES = phrasesIn(`
  xuat ban,da xuat ban,duoc xuat ban,da dang,da dang bai,dang bai,da len bai,cong khai,hien thi,dang hien thi,hoat dong,dang hoat dong,phat hanh,da phat hanh,cong bo,da cong bo,
  xuatban,daxuatban,congkhai`)
/** What stands beside them and says nothing. */
const FILLING = wordsIn('the is now this stat status review article post story content page item version v access')
const UNPUBLISH_WHOLE = new Set(['an', '0', 'false', 'no', 'off'])
/** Of reviews, which are not publication itself, and of an audience that the article keeps (`to-input.ts`). */
const UNDOUBTED = wordsIn('approved reviewed accepted cleared passed done complete completed none duyet editorial general')

/** The words of `ready for review`, `pendingApproval` and `com.example.POST_DELETED`, without marks and case; `un-published` is one. */
export const wordsOf = (text: string): readonly string[] =>
  withoutMarks(text.slice(0, 200))
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .replace(/\b(un|de) (?=publish)/g, '$1')
    .split(' ')
    .filter(Boolean)

const isFilling = (word: string): boolean => FILLING.has(word) || /^\d+$/.test(word)

const has = (words: readonly string[], of: ReadonlySet<string>, phrases: readonly string[]): boolean => {
  const whole = ` ${words.join(' ')} `
  return words.some(word => of.has(word)) || phrases.some(phrase => whole.includes(phrase))
}

const foldedStatus = (text: string): string => text.normalize('NFC').trim().toLowerCase()

/** `null` for what is no status that anybody here knows. */
const meaningOf = (text: string, named: ReadonlyMap<string, StatusMeaning>): StatusMeaning | null => {
  const given = named.get(foldedStatus(text))
  if (given !== undefined) return given
  const words = wordsOf(text)
  const whole = words.join(' ')
  // Of what CMSs have numbers for, those below zero are the bin (Cockpit, Joomla).
  if (/^-\d+$/.test(text)) return 'unpublish'
  if (has(words, DRAFT, DRAFT_PHRASES) || /(?:^| )(?:in)?(?:review|approval)$/.test(whole)) return 'draft'
  if (has(words, UNPUBLISH, UNPUBLISH_PHRASES) || UNPUBLISH_WHOLE.has(whole)) return 'unpublish'
  if (PUBLISH.has(whole) || PUBLISH_PHRASES.includes(` ${whole} `)) return 'publish'
  const said = words.filter(word => !isFilling(word))
  return said.length > 0 && said.every(word => PUBLISH.has(word)) ? 'publish' : null
}

const namedIn = ({ statuses }: HookMapping): ReadonlyMap<string, StatusMeaning> =>
  new Map(
    Object.entries(statuses).flatMap(([meaning, words]) => words.map(word => [foldedStatus(word), meaning as StatusMeaning] as const)),
  )

// --- fields, by names without case, marks and punctuation -------------------------------------------------------------------------------

const OF_ARTICLE = 'article|post|story|news|content|entry|document|doc|page|item|node'
const OF_WORK = 'pub|publish|publishing|publication|published|editorial|workflow|moderation|lifecycle'
const STATUS = new RegExp(
  `^(?:(?:${OF_ARTICLE}|${OF_WORK})?status|(?:${OF_ARTICLE}|${OF_WORK})(?:state|stage|step))(?:name|label|text|value|slug)?$` +
    '|^(?:visibility|access|accesslevel)$|^(?:trangthai|tinhtrang)(?:bai|baiviet|tin|tinbai|xuatban|duyet|dang|bientap)?$',
)
/** Also a part of a country, a part of a review that some publish without, and whom it is written for: known words count, others do not. */
const PERHAPS_STATUS = /^(?:state|stage|audience|(?:review|approval)(?:status|state|stage))$/

/** Said by a yes, and by a no; without `is` before it. None that also says whether something is beside it (`live: false`: no live blog; `hasDraft`). */
const FLAGS = {
  draft: { yes: wordsIn('draft pending nhap bannhap'), no: wordsIn('publish published approved xuatban daxuatban dadang') },
  unpublish: {
    yes: wordsIn(`
      private protected internal restricted unlisted unpublished withdrawn retracted expired hidden disabled premium paid membersonly memberonly subscribersonly subscriberonly requireslogin requiressubscription
      paywall haspaywall paywalled deleted archived trashed an daan noibo riengtu traphi luutru xoa daxoa`),
    no: wordsIn('public active enabled visible free accessibleforfree hienthi congkhai kichhoat'),
  },
} as const
const bareOf = (letters: string): string => letters.replace(/^(?:is|la)/, '')
/** Times at which somebody took it away; as long as nobody has, they say nothing. */
const TAKEN_AWAY = /^(?:soft)?(?:deleted|archived|trashed)(?:at|on)$/
/** What databases have in place of no time. */
const NO_TIME = new Date(0).toISOString()
const isTime = (text: string): boolean => (toInstant(text) ?? NO_TIME) !== NO_TIME

const SWITCHES = ['value', 'enabled', 'active', 'status'] as const
const LANGUAGE = /^[a-z]{2}(?:[-_][a-z0-9]{2,8})*$/i

/**
 * Databases without truth values have numbers for them, and forms have words. An object is one where it is switched on or off itself (`{"enabled": true}`), or has
 * nothing but truth values in it: one for each language, of which any counts, or for each place where it is shown, which all have to say so.
 */
const isFlag = (value: unknown, words: ReadonlySet<string>): boolean => {
  if (Array.isArray(value)) return value.some(one => isObject(one) && isFlag(one, words))
  if (!isObject(value)) return words.has(withoutMarks(String(value).slice(0, 20)).trim().toLowerCase())
  const said = SWITCHES.find(name => Object.hasOwn(value, name))
  if (said !== undefined) return isFlag(value[said], words)
  const all = scalarsOf(value)
  const isMeant = (one: unknown) => isFlag(one, words)
  if (all.length === 0 || !all.every(one => typeof one === 'boolean')) return false
  return Object.keys(value).every(name => LANGUAGE.test(name)) ? all.some(isMeant) : all.every(isMeant)
}

/** What a status that is an object is called there; all that is in it, where it has none of these. */
const NAMES = ['name', 'value', 'slug', 'key', 'code', 'label', 'title', 'status', 'state', 'step', 'current', 'target_id'] as const

/** No status is called so many things. */
const MAX_TEXTS = 500

/** What a status has its words in. */
const partsOf = (value: object): readonly unknown[] => {
  if (!isObject(value)) return value as unknown[]
  const named = NAMES.filter(name => Object.hasOwn(value, name)).map(name => value[name])
  if (named.length > 0) return named
  const others = Object.values(value)
  // Several truth values say where it is shown, and not whether.
  return others.length === 1 ? others : others.filter(one => typeof one === 'string')
}

/** `{"name": "Draft"}`, `[{"value": true}]`, `{"vi": "nháp"}`. */
const textsOf = (value: unknown, found: string[] = []): readonly string[] => {
  if (typeof value === 'object' && value !== null) for (const part of partsOf(value)) textsOf(part, found)
  else if (found.length < MAX_TEXTS && ['string', 'number', 'boolean'].includes(typeof value)) found.push(String(value).trim())
  return found
}

const isWord = (text: string): boolean => /[^\d-]/.test(text)

type Said = Readonly<{ pointer: string; text: string; meaning: StatusMeaning | null }>

/** One field says one thing: of what it is called in several ways, what keeps it back counts most, and what is known counts more than what is not. */
const readPlace = ({ pointer, value }: Place, named: ReadonlyMap<string, StatusMeaning>): readonly Said[] => {
  const texts = textsOf(value)
  // A number that has a name is that name.
  const said = (texts.some(isWord) ? texts.filter(isWord) : texts)
    .filter(text => wordsOf(text).length > 0)
    .map(text => ({ pointer, text, meaning: meaningOf(text, named) }))
  const ranked = (['draft', 'unpublish', 'publish', null] as const).flatMap(meaning => said.find(one => one.meaning === meaning) ?? [])
  return ranked.slice(0, 1)
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 80))

const toUnknown = ({ pointer, text }: Said): Warning => ({
  pointer,
  detail: `${shown(text)} is no status that is known here, so nothing is released: mapping.statuses of the hook says what it means (publish, draft or unpublish: [${shown(text)}]), mapping.fields.status which field of the document is its status (none: no field is)`,
})

const toDoubt = ({ pointer, text }: Said): Warning => ({
  pointer,
  detail: `${shown(text)} is taken for no status, so it goes out; where it is one, mapping.statuses of the hook says what it means, and mapping.fields.status: none that there is no status`,
})

const isUndoubted = ({ text }: Said): boolean => wordsOf(text).some(word => UNDOUBTED.has(word))

const decide = (said: readonly Said[], doubted: readonly Said[]): Standing => {
  const all = [...said, ...doubted]
  for (const is of ['draft', 'unpublish'] as const) {
    const found = all.find(one => one.meaning === is)
    if (found !== undefined) return { is, why: `its status is ${found.text.slice(0, 80)}` }
  }
  const errors = said.filter(one => one.meaning === null).map(toUnknown)
  if (errors.length > 0) return { is: 'unknown', errors }
  return { is: 'publish', warnings: doubted.filter(one => one.meaning === null && !isUndoubted(one)).map(toDoubt) }
}

/** Whether a plan or a workflow is switched on says nothing of the article. */
const isOfArticle = ({ pointer }: Place): boolean => !/(?:schedul|workflow|moderation|lifecycle|publi)[^/]*\//i.test(pointer)

const readFlags = (all: readonly Place[]): Standing | null => {
  const places = all.filter(isOfArticle).map(place => ({ ...place, name: bareOf(place.letters ?? '') }))
  for (const is of ['draft', 'unpublish'] as const) {
    const { yes, no } = FLAGS[is]
    const flag = places.find(({ name, value }) => (yes.has(name) && isFlag(value, YES)) || (no.has(name) && isFlag(value, NO)))
    if (flag !== undefined) return { is, why: is === 'draft' ? 'it is a draft' : `${flag.pointer} says that it is not for everybody` }
  }
  const taken = places.find(({ letters = '', value }) => TAKEN_AWAY.test(letters) && textsOf(value).some(isTime))
  return taken === undefined ? null : { is: 'unpublish', why: `${taken.pointer} says when it was taken away` }
}

const isLookedAt = (letters: string): boolean =>
  STATUS.test(letters) ||
  PERHAPS_STATUS.test(letters) ||
  TAKEN_AWAY.test(letters) ||
  Object.values(FLAGS).some(({ yes, no }) => yes.has(bareOf(letters)) || no.has(bareOf(letters)))

/**
 * Statuses are looked for by their names in the document and around it, unless the mapping names a field that is there, or says that there is none. What says
 * that it is not ready counts more than what says that it is not for everybody, and either more than a word that is not known.
 */
export const readStanding = (document: unknown, around: Around, fields: Fields, mapping: HookMapping): Standing => {
  const named = namedIn(mapping)
  const { status: where } = mapping.fields
  if (where === 'none') return { is: 'publish', warnings: [] }
  const given = fields.status.flatMap(pointer => findAllAt(document, pointer).map(value => ({ pointer, value })))
  const counted = given.flatMap(place => readPlace(place, named))
  if (counted.length > 0) return decide(counted, [])
  const places = placesNamed(document, around, isLookedAt)
  const of = (pattern: RegExp) => places.filter(({ letters = '' }) => pattern.test(letters)).flatMap(place => readPlace(place, named))
  const perhaps = of(PERHAPS_STATUS)
  // No part of a country is a number.
  const isNumber = ({ text }: Said) => /^\d+$/.test(text)
  const bySaid = decide(
    [...of(STATUS), ...perhaps.filter(isNumber)],
    perhaps.filter(one => !isNumber(one)),
  )
  const byFlag = readFlags(places)
  if (bySaid.is === 'draft' || byFlag === null) return bySaid
  return byFlag.is === 'draft' || bySaid.is !== 'unpublish' ? byFlag : bySaid
}
