/** The words written into a picture's files: from the article first, and what it does not say from the file. Pure. */
import type { Article, Picture } from '@newswire/events/article'

/** Empty strings say nothing. The last three only a file tells: who made it, and where to ask for more than the terms allow. */
export type Words = Readonly<{
  caption: string
  credit: string
  copyright: string
  usageTerms: string
  /** Term of the IPTC Digital Source Type list. */
  digitalSourceType: string
  /** Code of PLUS's Data Mining list. */
  dataMining: string
}>
export type FileWords = Words & Readonly<{ creator: string; webStatement: string; licensorUrl: string }>

export const noWords: FileWords = {
  caption: '',
  credit: '',
  copyright: '',
  usageTerms: '',
  digitalSourceType: '',
  dataMining: '',
  creator: '',
  webStatement: '',
  licensorUrl: '',
}

/** What the article says of a picture: the picture's own words before those of the whole article. */
export const wordsOf = (picture: Picture, rights: Article['rights']): Words => ({
  caption: picture.caption,
  credit: picture.credit,
  copyright: picture.copyright ?? rights?.copyright ?? '',
  usageTerms: picture.usageTerms ?? rights?.usageTerms ?? '',
  digitalSourceType: picture.digitalSourceType ?? '',
  dataMining: picture.dataMining ?? rights?.dataMining ?? '',
})

/** The article's words where it has some, else the file's. */
export const mergeWords = (said: Words, file: FileWords): FileWords => {
  const own = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== ''))
  return { ...file, ...own }
}
