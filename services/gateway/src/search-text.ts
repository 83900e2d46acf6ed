/** What of an article can be found, and what of it is shown with a hit. */
import type { LiveFact } from '@newswire/events/fact'
import { htmlToText } from '@newswire/events/markup'
import { wordsOf } from './search-words.ts'

/** An article as the index has it. */
export type Findable = Readonly<{
  /** Words by where they stand, folded, separated by spaces. */
  title: string
  /** Summary, byline, dateline, tags, captions and credits. */
  head: string
  body: string
  /** What is written with marks: every word once, and those of the title once more after a dot. */
  exact: string
  /** What it is filed under, as one word each. */
  filed: string
  /** To cut a snippet from: the summary, the body, everything else that was indexed. */
  shown: Readonly<{ title: string; summary: string; text: string; more: string }>
  /** Every folded word once. */
  words: ReadonlySet<string>
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
export const bodyText = (html: string): string => {
  const text = html.replace(INLINE, '').replace(/<[^>]*>/g, '\n')
  let isStrange = false
  const decoded = text.replace(/&([a-z]+|#39);/gi, (whole, name: string) => {
    const found = ENTITIES[name]
    if (found === undefined) isStrange = true
    return found ?? whole
  })
  return (isStrange || /&#/.test(text) ? htmlToText(html) : decoded).normalize('NFC').replace(/\s+/gu, ' ').trim()
}

export const ALL = 'all'
export const categoryTerm = (id: string): string => `c.${id}`
export const publisherTerm = (id: string): string => `p.${id}`
/** A tag and the language alone: who asks for `zh` finds `zh-Hant` too. */
export const languageTerm = (tag: string): string => `l.${tag.toLowerCase()}`

const filedOf = ({ publisher, article }: LiveFact): string => {
  const [primary = ''] = article.language.split('-', 1)
  return [
    ALL,
    publisherTerm(publisher),
    languageTerm(article.language),
    languageTerm(primary),
    ...article.categories.map(categoryTerm),
  ].join(' ')
}

/** Only of a fact for all (`toFactForAll`): captions of other pictures are nobody's to find. */
export const toFindable = (fact: LiveFact): Findable => {
  const { article } = fact
  const exact = new Set<string>()
  const words = new Set<string>()
  const fold = (text: string, isTitle = false): string => {
    let folded = ''
    for (const word of wordsOf(text)) {
      folded += `${word.folded} `
      words.add(word.folded)
      if (word.exact === null) continue
      exact.add(word.exact)
      if (isTitle) exact.add(`.${word.exact}`)
    }
    return folded
  }
  const [title, summary] = [article.title.normalize('NFC'), article.summary.normalize('NFC')]
  const text = bodyText(article.body.html).slice(0, MAX_SEARCHED)
  const pictures = article.images.filter(one => one.state === 'ready')
  const more = [
    article.byline,
    article.dateline,
    ...article.tags,
    ...pictures.flatMap(({ caption, alt, credit }) => [caption, alt === caption ? '' : alt, credit]),
  ]
    .filter(part => part !== '')
    .join(' · ')
    .normalize('NFC')
  return {
    title: fold(title, true),
    head: fold(`${summary}\n${more}`),
    body: fold(text),
    exact: [...exact].join(' '),
    filed: filedOf(fact),
    shown: { title, summary, text: text.slice(0, MAX_SHOWN).toWellFormed(), more: more.slice(0, MAX_SHOWN).toWellFormed() },
    words,
  }
}
