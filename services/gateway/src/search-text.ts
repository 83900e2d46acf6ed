/** What of an article can be found, and what of it is shown with a hit. */
import { type Fact, isPublic, type LiveFact } from '@newswire/events/fact'
import { htmlToText } from '@newswire/events/markup'
import { toFactForAll } from '@newswire/events/public-article'
import { createTerms, PAIR, type Terms } from './search-terms.ts'

/**
 * An article as the index has it: terms with spaces between them. A term is a word without its marks (`hoc`), one with them (`học`), two words side by
 * side (`hoc_sinh`), or what the article is filed under (`c.giao-duc`). Phrases are looked up as pairs, which are few where single syllables are everywhere.
 */
type Findable = Readonly<{
  /** Of everything, in UTF-8; while much is read as numbers of words (`search-vocabulary.ts`). */
  terms: Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>
  /** Of the title alone. */
  titleTerms: Uint8Array<ArrayBuffer>
  /** To cut a snippet from: the summary, the body, everything else that was indexed. */
  shown: Readonly<{ title: string; summary: string; text: string; more: string }>
}>

/** Characters of a body that are searched, and those that a snippet is cut from. An article may be 2 MiB; a newspaper's longest has 60,000. */
const MAX_SEARCHED = 200_000
const MAX_SHOWN = 20_000

const INLINE = /<\/?(?:a|abbr|b|cite|code|em|i|mark|q|s|small|strong|sub|sup|time|u)(?:\s[^>]*)?>/gi
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', '#39': "'" }

/**
 * The words of a body that was cleaned at the front door, a tenth as dear as parsing it: an attribute has no `>`, a text no `<`. Whatever else comes out of
 * markup that is not clean is text, and is escaped like all text when it is shown.
 */
const bodyText = (html: string): string => {
  const text = html.replace(INLINE, '').replace(/<[^>]*>/g, '\n')
  let isStrange = false
  const decoded = text.replace(/&([a-z]+|#39);/gi, (whole, name: string) => {
    const found = ENTITIES[name]
    if (found === undefined) isStrange = true
    return found ?? whole
  })
  return isStrange || /&#/.test(text) ? htmlToText(html) : decoded
}

/** Whatever is not one space between two words: most are, and need not be written again. */
const SPACES = /[^\S ]\s*| \s+/g
export const onOneLine = (text: string): string => text.replace(SPACES, ' ')

/** As it is read: where a word may be broken is no part of it. */
const asRead = (text: string): string => text.normalize('NFC').replaceAll('\u00ad', '')

/** Between what was indexed beside the text, where it is shown: words on either side of it are no neighbours. */
export const BESIDE = ' · '
/** What stands for every article; no word has a dot. */
export const ALL = '.all'
export const categoryTerm = (id: string): string => `c.${id}`
export const publisherTerm = (id: string): string => `p.${id}`
/** A tag and the language alone: who asks for `zh` finds `zh-Hant` too. */
export const languageTerm = (tag: string): string => `l.${tag.toLowerCase()}`
export const pairTerm = (first: string, second: string): string => first + PAIR + second

const filedOf = ({ publisher, article }: LiveFact): readonly string[] => {
  const [primary = ''] = article.language.split('-', 1)
  const languages = [...new Set([languageTerm(article.language), languageTerm(primary)])]
  return [ALL, publisherTerm(publisher), ...languages, ...article.categories.map(categoryTerm)]
}

/** Only of a fact for all (`toFactForAll`): captions of other pictures are nobody's to find. */
const toFindable = (fact: LiveFact, terms: Terms, isNumbered: boolean): Findable => {
  const { article } = fact
  const [title, summary] = [asRead(article.title), asRead(article.summary)]
  const text = onOneLine(asRead(bodyText(article.body.html)).trim()).slice(0, MAX_SEARCHED)
  const pictures = article.images.filter(one => one.state === 'ready')
  const beside = [
    article.byline,
    article.dateline,
    ...article.tags,
    ...pictures.flatMap(({ caption, alt, credit }) => [caption, alt === caption ? '' : alt, credit]),
  ]
    .filter(part => part !== '')
    .map(asRead)
  const filed = filedOf(fact)
  return {
    terms: (isNumbered ? terms.number : terms.write)([title, summary, text, ...beside], filed, true),
    titleTerms: terms.write([title], filed, false),
    shown: { title, summary, text: text.slice(0, MAX_SHOWN).toWellFormed(), more: beside.join(BESIDE).slice(0, MAX_SHOWN).toWellFormed() },
  }
}

/** A version as it goes into the index; `live` is `null` for what may not be found. */
export type Prepared = Readonly<{
  articleId: string
  version: number
  firstReleasedAt: string
  live: Readonly<{
    publisher: string
    language: string
    categories: string
    publishedAt: string
    updatedAt: string
    findable: Findable
  }> | null
}>

export type Preparing = Readonly<{ prepare(told: Fact): Prepared }> & Pick<Terms, 'takeCounts' | 'takeWords' | 'isFull' | 'renew'>

/** Takes the words out of versions, one after the other. What it gives stays as it is. `isNumbered`: terms are numbers, of words that `takeWords` tells. */
export const createPreparing = ({ isNumbered }: Readonly<{ isNumbered: boolean }>): Preparing => {
  const terms = createTerms()
  const { takeCounts, takeWords, isFull, renew } = terms
  return { prepare: told => prepare(told, terms, isNumbered), takeCounts, takeWords, isFull, renew }
}

const prepare = (told: Fact, terms: Terms, isNumbered: boolean): Prepared => {
  const { articleId, version, firstReleasedAt } = told
  if (!isPublic(told)) return { articleId, version, firstReleasedAt, live: null }
  const fact = toFactForAll(told)
  const { language, categories, publishedAt = firstReleasedAt } = fact.article
  return {
    articleId,
    version,
    firstReleasedAt,
    live: {
      publisher: fact.publisher,
      language,
      categories: JSON.stringify([...new Set(categories)].sort()),
      publishedAt,
      updatedAt: fact.updatedAt,
      findable: toFindable(fact, terms, isNumbered),
    },
  }
}
