/** Where a CMS says what is of an article as a whole: in its document, in what users and plugins add to that, and in what the document is sent in. Pure. */

/** `letters`: of its name, where that is why it is looked at. */
export type Place = Readonly<{ pointer: string; value: unknown; letters?: string }>
/** What a document lies in, from the outside to the inside. Pointers of what is there begin in what was sent, those of the document in itself. */
export type Around = readonly Readonly<{ pointer: string; value: unknown }>[]

/** Without the marks of Vietnamese and of others: a field is named, and a word written, with them or without. */
export const withoutMarks = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[đĐ]/g, letter => (letter === 'đ' ? 'd' : 'D'))

/** A name without case, marks and punctuation: `_isDraft`, `Trạng thái`. */
export const lettersOf = (name: string): string =>
  withoutMarks(name.slice(0, 80))
    .toLowerCase()
    .replace(/[^a-z]/g, '')

/** What forms and databases have for truth values, without marks and case. */
export const YES: ReadonlySet<string> = new Set(['1', 'true', 'yes', 'y', 'on', 'co'])
export const NO: ReadonlySet<string> = new Set(['0', 'false', 'no', 'n', 'off', 'khong'])

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** All that is said below a value: a field may have one for every language. */
export const scalarsOf = (value: unknown): readonly unknown[] =>
  typeof value === 'object' && value !== null ? Object.values(value).flatMap(scalarsOf) : [value]

/** The same without when it ends. */
export const beginningsOf = (value: unknown): readonly unknown[] =>
  isObject(value)
    ? Object.entries(value).flatMap(([name, one]) =>
        /^(?:to|until|till|end|expir|un|off|den$|ketthuc)/.test(lettersOf(name)) ? [] : beginningsOf(one),
      )
    : Array.isArray(value)
      ? value.flatMap(beginningsOf)
      : [value]

type Entry = Readonly<{ name: string; value: unknown; at: string }>

const escaped = (key: string): string => key.slice(0, 80).replaceAll('~', '~0').replaceAll('/', '~1')

/** No list of fields is longer; one of paragraphs may be. */
const MAX_LISTED = 1_000

/** Fields of their users are an object in most CMSs, and a list of names and values in some (`[{"key": "embargo", "value": "…"}]`). */
const entriesOf = (owner: unknown): readonly Entry[] => {
  if (isObject(owner)) return Object.entries(owner).map(([name, value]) => ({ name, value, at: escaped(name) }))
  if (!Array.isArray(owner)) return []
  return owner.slice(0, MAX_LISTED).flatMap((one, index): Entry[] => {
    const name = isObject(one) ? (one['key'] ?? one['name'] ?? one['field']) : undefined
    return isObject(one) && typeof name === 'string' && Object.hasOwn(one, 'value')
      ? [{ name, value: one['value'], at: `${index}/value` }]
      : []
  })
}

/** By names without case and punctuation: what is below these is of the article itself. */
const HOMES = new Set(
  'fields fielddata meta metadata acf extra schedulesettings attributes custom customfields properties system workflow moderation editorial lifecycle revision publish publishing publication publishsettings publishoptions scheduling dates timestamps data content'.split(
    ' ',
  ),
)
/** Below these is the article, as long as nothing around them is one: else another, a post to a network, a file. */
const ARTICLES = new Set('document article post story entry item node record'.split(' '))
/** What is below these is of somebody or something else. */
const OTHERS =
  /^(?:links?|embedded|associations?|relationships?|related\w*|parent|children|previous|next|before|after|old|changes|authors?|users?|(?:created|updated|published)by|publishers?|sources?|series|(?:lead|main|hero|cover|feature|featured)?(?:images?|pictures?|photos?|media|cover|thumbnails?|galler(?:y|ies)|videos?|audio)|categor(?:y|ies)|tags?|topics?|sections?|seo)$/

type Look = Readonly<{ isMeant: (letters: string) => boolean; isEntered: (letters: string) => boolean; depth: number }>

const walk = (owner: unknown, pointer: string, look: Look, path: readonly unknown[] = []): readonly Place[] =>
  entriesOf(owner).flatMap(({ name, value, at }): readonly Place[] => {
    const [letters, here] = [lettersOf(name), `${pointer}/${at}`]
    const found = look.isMeant(letters) ? [{ pointer: here, value, letters }] : []
    const isEntered = look.depth > 0 && look.isEntered(letters) && !path.includes(value)
    return isEntered ? [...found, ...walk(value, here, { ...look, depth: look.depth - 1 }, path)] : found
  })

const isHome = (letters: string): boolean => HOMES.has(letters) || ARTICLES.has(letters)
const isArticle = (document: unknown): boolean => isObject(document) && (document['title'] ?? document['headline'] ?? null) !== null

const placesAround = (document: unknown, around: Around, isMeant: Look['isMeant']): readonly Place[] => {
  const path = [document, ...around.map(one => one.value)]
  return around.flatMap(({ pointer, value }) => walk(value, pointer, { isMeant, isEntered: isHome, depth: 1 }, path))
}

/** The fields so named of the document, of what it lies in, and of what either has for the fields of users and plugins. */
export const placesNamed = (document: unknown, around: Around, isMeant: (letters: string) => boolean): readonly Place[] => [
  ...walk(document, '', { isMeant, isEntered: isArticle(document) ? letters => HOMES.has(letters) : isHome, depth: 2 }),
  ...placesAround(document, around, isMeant),
]

/** The same, and wherever else below the document they are, but for what is of its author, its pictures or other articles. */
export const placesBelow = (document: unknown, around: Around, isMeant: (letters: string) => boolean): readonly Place[] => [
  ...walk(document, '', { isMeant, isEntered: letters => !isMeant(letters) && !OTHERS.test(letters), depth: 4 }),
  ...placesAround(document, around, isMeant),
]
