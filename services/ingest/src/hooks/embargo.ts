/**
 * From when on everybody may read a document. A time that is not understood is no reason to release: whoever said it meant that it is not to be read yet. Pure.
 */
import type { HookMapping } from '@newswire/events/hook-config'
import type { Warning } from '@newswire/events/warnings'
import { isAhead, toHeldByDate } from '../date-ahead.ts'
import { type Around, beginningsOf, NO, type Place, placesBelow, placesNamed, scalarsOf, withoutMarks, YES } from './places.ts'
import { findAllAt, firstText } from './pointers.ts'
import type { Fields } from './read-notice.ts'
import { isZoned, toInstant, zoneOf } from './times.ts'

const isEmbargo = (letters: string): boolean => /embargo|camvan|camdang/.test(letters)
/** Times of publication as CMSs and their plugins name them, without case, marks and punctuation. */
const PLAN = new RegExp(
  '^(?:is|utc)?(?:publish(?:at|on|from|after|date|start(?:date|time)?|scheduled?(?:at|on|for)?)|publication(?:date|scheduled(?:at)?)' +
    '|schedule|scheduled(?:at|on|for|date|time)?|(?:planned|scheduled)(?:publish|publication|release)(?:date|time|at|on|for)?|golive(?:at|on|date|time)?|startpublishing' +
    '|(?:visible|available|online)from|release(?:at|on|time)|hold(?:until|till|forrelease)|onhold|notbefore|donotpublish|donot(?:publish|release)before' +
    '|hengio(?:dang|xuatban)?|lich(?:dang|xuatban))$',
)
const isPlan = (letters = ''): boolean => PLAN.test(letters)
/** The same names are what many call the day that readers are shown. */
const DAYS = new Set(['publishdate', 'publicationdate'])
const DAY = /^\d{4}-\d\d-\d\d$/
const IS_NONE = new Set(['', ...NO, 'none', 'null', 'n/a', '-', 'inactive', 'lifted'])
/** No zone is further from UTC than this; ms. */
const DAY_MS = 86_400_000

type Read = Readonly<{ instants: readonly string[]; errors: readonly Warning[] }>
export type Release = Readonly<{ embargoUntil?: string; warnings: readonly Warning[]; errors: readonly Warning[] }>

const NOT_READ =
  'expected an ISO 8601 date and time with its zone (2027-01-01T08:00:00+07:00); nothing is released as long as nobody knows until when it is to be held. mapping.timeZone of the hook says in which zone times without one are, mapping.fields.embargoUntil which field counts (none: no field holds anything), mapping.fields.publishedAt which one is no more than the date of publication'

/** Names of the date of publication, beside those where the preset has it. What has come says nothing. */
const DATES = new Set(
  'published publishedat publishedon publishedtime publisheddate datepublished datepublish pubdate firstpublished firstpublishedat firstpublishdate postdate postdategmt publishup publishtime publishdatetime publicationtime publicationdatetime displaydate ngaydang ngayxuatban thoigiandang thoigianxuatban giodang gioxuatban'.split(
    ' ',
  ),
)
/** In these the day comes first, as everybody in Vietnam writes it. */
const DAY_FIRST = /^(?:ngay|thoigian|gio|hengio|lich)/
const toIso = (text: string, letters: string): string =>
  DAY_FIRST.test(letters)
    ? text.replace(/^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})/, (_, day: string, month: string, year: string) =>
        [year, month.padStart(2, '0'), day.padStart(2, '0')].join('-'),
      )
    : text
/** A field may have one for every language. */
const MAX_TIMES = 1_000
/** No clock on earth is further ahead of UTC; ms. */
const FURTHEST_MS = 14 * 3_600_000

type Times = Place & Readonly<{ times: readonly string[] }>

const timesAt = (place: Place, read: (value: unknown) => readonly unknown[]): Times => {
  const times = read(place.value).map(one => toIso(String(one ?? '').trim(), place.letters ?? ''))
  return { ...place, times: times.filter(one => !IS_NONE.has(withoutMarks(one.slice(0, 20)).toLowerCase())) }
}

/** What it costs to read them counts, however many fields they are in. */
const findTooMany = (places: readonly Times[]): readonly Warning[] => {
  const count = places.reduce((sum, { times }) => sum + times.length, 0)
  return count <= MAX_TIMES ? [] : [{ pointer: places[0]?.pointer ?? '', detail: `${NOT_READ}; found ${count} of them` }]
}

const readPlace = ({ pointer, times, letters = '' }: Times, zone: string | undefined, nowMs: number): Read => {
  const timeZone = zoneOf([pointer], zone)
  const instants: string[] = []
  for (const text of times.filter(one => !YES.has(one.toLowerCase()))) {
    const instant = toInstant(text, timeZone)
    const isCertain = timeZone !== undefined || isZoned(text)
    if (instant !== null && DAYS.has(letters) && DAY.test(text) && Date.parse(instant) <= nowMs) continue
    if (instant === null || (!isCertain && Date.parse(instant) > nowMs - DAY_MS))
      return { instants: [], errors: [{ pointer, detail: `${NOT_READ}; found ${JSON.stringify(text.slice(0, 80))}` }] }
    if (isCertain) instants.push(instant)
  }
  return { instants, errors: [] }
}

/** A bare yes says that it is held, and not until when: that may stand in the field beside it. */
const isFlag = ({ times }: Times): boolean => times.some(one => YES.has(one.toLowerCase()))

const readAll = (all: readonly Place[], zone: string | undefined, nowMs: number): Read => {
  const places = all.map(place => timesAt(place, isPlan(place.letters) ? beginningsOf : scalarsOf))
  const tooMany = findTooMany(places)
  if (tooMany.length > 0) return { instants: [], errors: tooMany }
  const read = places.map(place => readPlace(place, zone, nowMs))
  const [instants, errors] = [read.flatMap(one => one.instants), read.flatMap(one => one.errors)]
  const flag = places.find(isFlag)
  if (flag === undefined || instants.length > 0 || errors.length > 0) return { instants, errors }
  return { instants, errors: [{ pointer: flag.pointer, detail: `${NOT_READ}; found only that it is held` }] }
}

const NOTHING: Read = { instants: [], errors: [] }

const latest = (instants: readonly string[]): string | undefined => [...instants].sort().at(-1)

type Asked = Readonly<{ document: unknown; around: Around; fields: Fields; mapping: HookMapping; nowMs: number }>

/** Where newsrooms write to each other. */
const NOTES =
  /^(?:ed|editor|editors|editorial|internal)notes?$|^notes?to(?:the)?(?:editors?|desk)$|^(?:ghichu|luuy)(?:bientap|noibo|toasoan)?$/
/** Of an embargo that is news ("the arms embargo", "lệnh cấm vận Iran") nothing of this is said. */
const HELD_IN_WORDS = new RegExp(
  String.raw`\bembargoed\b|(?:^|[.!;:\n([*-]\s*|\b(?:under|strict|press|news|media|respect|observe) )(?:embargo|cam van)\b` +
    String.raw`|\b(?:embargo|cam van)(?: (?:until|till|to|for|of|at|by|den|toi|truoc)\b|\s*[:=\d])` +
    String.raw`|\bcam dang\b|\b(?:do not|don't|not to be) (?:publish|release)|\bnot for (?:publication|release)\b|\bhold for release\b`,
  'i',
)
const LIFTED_IN_WORDS =
  /\bno (?:longer .{0,20})?embargo|\bembargo (?:is |was |has been )?(?:lifted|over|expired|ended|off)\b|\b(?:het|bo|go) cam\b/i
/** An article about an embargo has one in its title, too. */
const HELD_IN_TITLE = /^\W*(?:strictly )?embargo(?:ed)? (?:until|till)\b/i
const HELD_IN_VIETNAMESE = /^\W*cam dang (?:truoc|den|toi)\b/i
const HELD_IN_CAPITALS = /^\W*EMBARGO(?:ED)?\s*[:–—-]/

/** What is held by words alone, to which somebody would have to hold himself. */
const findHeldInWords = ({ document, around, fields }: Asked): readonly Warning[] => {
  const title = firstText(document, fields.title)
  const isTitle = HELD_IN_TITLE.test(title) || HELD_IN_CAPITALS.test(title) || HELD_IN_VIETNAMESE.test(withoutMarks(title.slice(0, 100)))
  const notes = placesNamed(document, around, letters => NOTES.test(letters)).flatMap(({ pointer, value }) => {
    const text = scalarsOf(value).slice(0, MAX_TIMES).join(' ').slice(0, 10_000)
    const plain = withoutMarks(text)
    return HELD_IN_WORDS.test(plain) && !LIFTED_IN_WORDS.test(plain) ? [{ pointer, text }] : []
  })
  return [...(isTitle ? [{ pointer: '/title', text: title }] : []), ...notes].map(({ pointer, text }) => ({
    pointer,
    detail: `it says in words that it is held, and no field says until when: ${JSON.stringify(text.slice(0, 80))}. Nothing is released; mapping.fields.embargoUntil of the hook says which field does, or none where such words hold nothing`,
  }))
}

const findHolds = (
  { document, around, fields, mapping: { timeZone }, nowMs }: Asked,
  dates: ReadonlySet<string>,
): readonly [Read, Read] => {
  const given = fields.embargoUntil.flatMap(pointer => findAllAt(document, pointer).map(value => ({ pointer, value })))
  if (given.length > 0) return [readAll(given, timeZone, nowMs), NOTHING]
  const planned = placesNamed(document, around, isPlan).filter(({ pointer }) => !dates.has(pointer))
  return [readAll(placesBelow(document, around, isEmbargo), timeZone, nowMs), readAll(planned, timeZone, nowMs)]
}

/**
 * Dates of publication that are ahead, wherever they stand; where the mapping names the date, no other counts. One without a zone is ahead when it is so
 * everywhere: in a newsroom that is ahead of UTC each article would be otherwise.
 */
const findDatesAhead = ({ document, around, fields, mapping, nowMs }: Asked, isDated: boolean): Read => {
  if (fields.publishedAt.length === 0 || mapping.fields.publishedAt !== undefined) return NOTHING
  // A plain `date` is that of an article only in the article itself, and in what is said of its publication; and of no other where it says when it was published.
  const isPlain = ({ letters, pointer }: Place) => letters === 'date' && !isDated && /^(?:\/publi[a-z]*)?\/date$/i.test(pointer)
  const places = placesNamed(document, around, letters => DATES.has(letters) || letters === 'date')
    .filter(place => DATES.has(place.letters ?? '') || isPlain(place))
    .map(place => timesAt(place, beginningsOf))
  const errors = findTooMany(places)
  if (errors.length > 0) return { instants: [], errors }
  const instants = places.flatMap(({ pointer, times }) => {
    const zone = zoneOf([pointer], mapping.timeZone)
    return times.flatMap(text => {
      const instant = toInstant(text, zone)
      const isCertain = zone !== undefined || isZoned(text)
      return instant !== null && isAhead(instant, isCertain ? nowMs : nowMs + FURTHEST_MS) ? [instant] : []
    })
  })
  return { instants, errors: [] }
}

/**
 * `embargoUntil`: until when it is held, by the latest time that is said. Embargoes and planned publications are looked for by their names in the document and in
 * what it lies in (`around`), unless the mapping names a field that is there, or says that there is none; a `publishedAt` that is ahead holds it too, and a
 * warning says so. `errors`: what looks like one and cannot be read, so that nothing may be released.
 */
export const findRelease = (document: unknown, around: Around, fields: Fields, mapping: HookMapping, nowMs: number): Release => {
  const date = firstText(document, fields.publishedAt)
  const publishedAt = toInstant(date, zoneOf(fields.publishedAt, mapping.timeZone))
  const unread = `${JSON.stringify(date.slice(0, 80))} is no date and time that can be read, so it goes out now and is dated now; expected ISO 8601, RFC 822 or time since 1970`
  const dates = new Set(publishedAt === null ? [] : fields.publishedAt.map(pointer => pointer.replace(/(?:\/\*)+$/, '')))
  const isOff = mapping.fields.embargoUntil === 'none'
  const isSaid = isOff || fields.embargoUntil.some(pointer => findAllAt(document, pointer).length > 0)
  const asked = { document, around, fields, mapping, nowMs }
  const [embargo, plan] = isOff ? [NOTHING, NOTHING] : findHolds(asked, dates)
  const dated = findDatesAhead(asked, publishedAt !== null)
  const ahead = [...new Set([...(publishedAt !== null && isAhead(publishedAt, nowMs) ? [publishedAt] : []), ...dated.instants])]
  const said = [...embargo.instants, ...plan.instants.filter(one => Date.parse(one) > nowMs)]
  const embargoUntil = latest([...said, ...ahead])
  const byDate = ahead.filter(one => one === embargoUntil && !said.includes(one))
  return {
    ...(embargoUntil === undefined ? {} : { embargoUntil }),
    warnings: [...byDate.map(toHeldByDate), ...(date !== '' && publishedAt === null ? [{ pointer: '/publishedAt', detail: unread }] : [])],
    errors: [...embargo.errors, ...plan.errors, ...dated.errors, ...(isSaid || embargoUntil !== undefined ? [] : findHeldInWords(asked))],
  }
}
