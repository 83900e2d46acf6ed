/** Languages on a page: what is said in which, how it is marked up, and the words of our own. */
import { escapeMarkup } from '@newswire/events/text'

const en = {
  skip: 'Skip to content',
  sections: 'Sections',
  feeds: 'Feeds',
  newer: 'Newer articles',
  older: 'Older articles',
  olderUnknown: 'Older articles cannot be read right now.',
  pages: 'Pages',
  none: 'No articles yet.',
  timesIn: 'Times are given for the zone',
  published: 'Published',
  updated: 'Updated',
  correction: 'Correction',
  source: 'Source',
  tags: 'Tags',
  aiUse: 'Use of AI',
  related: 'Related articles',
  languages: 'Read in another language',
  translationOf: 'Translated from',
  print: 'Print view',
  live: 'Live',
  gallery: 'Pictures',
  video: 'Video',
  table: 'Table',
  unshowable: 'The text of this article cannot be shown.',
  address: 'Address',
  retrieved: 'Retrieved',
  qrCode: 'QR code of the address',
  gone: 'This article is gone',
  feedsIntro: 'Every feed is free to read. Copy an address into your reader, or take all of them at once:',
  allFeeds: 'All feeds as OPML',
  noFeeds: 'There are no public feeds.',
  language: 'Language',
  anyLanguage: 'every language',
  categories: 'Sections',
  everySection: 'all',
  summaries: 'summaries only',
  hub: 'WebSub hub',
  sitemap: 'News sitemap',
  copy: 'Copy',
  copyOf: 'Copy the address',
  copied: 'Copied:',
  selected: 'The address is selected; press Ctrl+C or ⌘C to copy it.',
  preview: 'Newest articles in this feed',
  code: 'Code',
  toHome: 'To the front page',
  badRequest: 'This address cannot be read',
  badRequestMore: 'Something in the address is not as it should be. Perhaps a part of it was lost.',
  notFound: 'There is nothing here',
  notFoundMore: 'The address may be mistyped, or what was here has another address now.',
  tooMany: 'Too many requests',
  tooManyMore: 'Please wait a moment, then try again.',
  unavailable: 'Not ready yet',
  unavailableMore: 'We are reading the news ourselves at the moment. Please try again in a few seconds.',
  failed: 'Something went wrong here',
  failedMore: 'It was noted. Please try again in a moment.',
  refused: 'This cannot be done',
  refusedMore: 'The request was not as this address expects it.',
  search: 'Search',
  searchFor: 'Search all articles',
  searchIn: 'In',
  everywhere: 'Everywhere',
  publisher: 'Publisher',
  fromDay: 'From',
  toDay: 'To',
  sort: 'Sort',
  byRelevance: 'most relevant first',
  byTime: 'newest first',
  articles: 'articles found',
  moreThan: 'More than',
  about: 'About',
  nothingFound: 'Nothing was found. Other or fewer words may help.',
  partlyFound: 'no article has all of these words, but these have some',
  narrow: 'Narrow the search',
  firstPage: 'First page',
  nextPage: 'Next page',
  searchFeed: 'This search as a feed (RSS)',
} as const

export type Words = Readonly<Record<keyof typeof en, string>>

const vi: Words = {
  skip: 'Đến nội dung chính',
  sections: 'Chuyên mục',
  feeds: 'Nguồn cấp tin',
  newer: 'Bài mới hơn',
  older: 'Bài cũ hơn',
  olderUnknown: 'Hiện chưa đọc được các bài cũ hơn.',
  pages: 'Các trang',
  none: 'Chưa có bài viết nào.',
  timesIn: 'Giờ ghi theo múi giờ',
  published: 'Xuất bản',
  updated: 'Cập nhật',
  correction: 'Đính chính',
  source: 'Nguồn',
  tags: 'Từ khóa',
  aiUse: 'Sử dụng AI',
  related: 'Bài liên quan',
  languages: 'Đọc bằng ngôn ngữ khác',
  translationOf: 'Dịch từ bài',
  print: 'Bản in',
  live: 'Trực tiếp',
  gallery: 'Chùm ảnh',
  video: 'Video',
  table: 'Bảng',
  unshowable: 'Không thể hiển thị nội dung bài viết này.',
  address: 'Địa chỉ',
  retrieved: 'Lấy về lúc',
  qrCode: 'Mã QR của địa chỉ',
  gone: 'Bài viết đã được gỡ bỏ',
  feedsIntro: 'Mọi nguồn cấp tin đều được đọc tự do. Chép một địa chỉ vào trình đọc tin, hoặc lấy tất cả cùng lúc:',
  allFeeds: 'Tất cả nguồn cấp tin dưới dạng OPML',
  noFeeds: 'Chưa có nguồn cấp tin công khai nào.',
  language: 'Ngôn ngữ',
  anyLanguage: 'mọi ngôn ngữ',
  categories: 'Chuyên mục',
  everySection: 'tất cả',
  summaries: 'chỉ có tóm tắt',
  hub: 'Trung tâm WebSub',
  sitemap: 'Sơ đồ trang tin tức',
  copy: 'Chép',
  copyOf: 'Chép địa chỉ',
  copied: 'Đã chép:',
  selected: 'Địa chỉ đã được chọn; nhấn Ctrl+C hoặc ⌘C để chép.',
  preview: 'Bài mới nhất trong nguồn này',
  code: 'Mã',
  toHome: 'Về trang chủ',
  badRequest: 'Không đọc được địa chỉ này',
  badRequestMore: 'Có phần nào đó trong địa chỉ không đúng. Có thể một phần đã bị mất khi chép.',
  notFound: 'Không có gì ở đây',
  notFoundMore: 'Địa chỉ có thể bị gõ nhầm, hoặc nội dung đã chuyển sang địa chỉ khác.',
  tooMany: 'Quá nhiều yêu cầu',
  tooManyMore: 'Xin chờ một lát rồi thử lại.',
  unavailable: 'Chưa sẵn sàng',
  unavailableMore: 'Hệ thống đang đọc lại tin bài. Xin thử lại sau vài giây.',
  failed: 'Đã có lỗi xảy ra',
  failedMore: 'Lỗi đã được ghi nhận. Xin thử lại sau ít phút.',
  refused: 'Không thực hiện được',
  refusedMore: 'Yêu cầu không đúng với điều địa chỉ này chờ đợi.',
  search: 'Tìm kiếm',
  searchFor: 'Tìm trong mọi bài viết',
  searchIn: 'Trong',
  everywhere: 'Tất cả',
  publisher: 'Cơ quan báo chí',
  fromDay: 'Từ ngày',
  toDay: 'Đến ngày',
  sort: 'Sắp xếp',
  byRelevance: 'phù hợp nhất trước',
  byTime: 'mới nhất trước',
  articles: 'bài viết được tìm thấy',
  moreThan: 'Hơn',
  about: 'Khoảng',
  nothingFound: 'Không tìm thấy bài nào. Thử dùng từ khác hoặc ít từ hơn.',
  partlyFound: 'không bài nào có đủ các từ này, nhưng những bài sau có một phần',
  narrow: 'Thu hẹp tìm kiếm',
  firstPage: 'Trang đầu',
  nextPage: 'Trang sau',
  searchFeed: 'Theo dõi tìm kiếm này (RSS)',
}

/** Every language that our own words are in. */
const table: Readonly<Record<string, Words>> = { en, vi }

const primaryOf = (tag: string): string => tag.toLowerCase().split('-', 1)[0] ?? ''

/** The first of these that the engine can write dates in: it throws for tags like `zh-yue` that BCP 47 allows. */
export const toLocale = (...languages: readonly string[]): string => {
  for (const language of languages) {
    try {
      if (Intl.DateTimeFormat.supportedLocalesOf(language).length > 0) return language
    } catch {
      // Not a tag the engine reads; the next one may be.
    }
  }
  return 'en'
}

const RIGHT_TO_LEFT = new Set('ar arc ckb dv fa he ku-arab nqo ps sd syr ug ur yi'.split(' '))
const isRightToLeft = (tag: string): boolean => RIGHT_TO_LEFT.has(primaryOf(tag)) || RIGHT_TO_LEFT.has(tag.toLowerCase())

/** `lang`, and `dir` where it matters, with a space before them: for every element whose words are in another language than its parent's. */
export const langAttributes = (language: string, around?: string): string => {
  if (language === around) return ''
  const direction = isRightToLeft(language) ? ' dir="rtl"' : around !== undefined && isRightToLeft(around) ? ' dir="ltr"' : ''
  return ` lang="${escapeMarkup(language)}"${direction}`
}

/** How a language is called in another one; its tag when the engine has no name for it. */
export const toLanguageName = (language: string, reader: string): string => {
  try {
    return new Intl.DisplayNames([toLocale(reader)], { type: 'language' }).of(language) ?? language
  } catch {
    return language
  }
}

/** `vi_VN`, as Open Graph wants it; `null` for what the engine cannot read. */
export const toOgLocale = (tag: string): string | null => {
  try {
    const { language, region } = new Intl.Locale(tag).maximize()
    return region === undefined ? null : `${language}_${region}`
  } catch {
    return null
  }
}

/** Our own words on a page in some language: in that one where we have them, else in the site's, else in English. */
export type Speech = Readonly<{
  /** The language our words are in. */
  tag: string
  /** For attributes and titles: not escaped. */
  words: Words
  /** As HTML, marked when it is in another language than what is around it. */
  say(word: keyof Words): string
}>

export const speak = (language: string, siteLanguage: string): Speech => {
  const tag = [language, siteLanguage].find(one => Object.hasOwn(table, primaryOf(one))) ?? 'en'
  const words = table[primaryOf(tag)] ?? en
  const mark = primaryOf(tag) === primaryOf(language) ? '' : langAttributes(tag, language)
  return {
    tag,
    words,
    say: word => (mark === '' ? escapeMarkup(words[word]) : `<span${mark}>${escapeMarkup(words[word])}</span>`),
  }
}
