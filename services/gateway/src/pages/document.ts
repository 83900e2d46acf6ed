/** The frame of every page: one head, one style sheet, no scripts. All values are escaped where they are put in. */
import type { SiteConfig } from '@newswire/events/config'
import { escapeMarkup } from '@newswire/events/text'

export type Document = Readonly<{
  site: SiteConfig
  language: string
  title: string
  /** Already HTML: built from escaped parts and cleaned bodies only. */
  main: string
  /** Already HTML, for the head. */
  head?: string
  bodyClass?: string
}>

/** What a page says in the reader's language. */
export const words = (language: string) =>
  language.toLowerCase().startsWith('vi')
    ? {
        home: 'Trang chủ',
        feeds: 'Nguồn tin',
        print: 'Bản in',
        published: 'Xuất bản',
        updated: 'Cập nhật',
        correction: 'Đính chính',
        gone: 'Bài viết đã được gỡ bỏ',
        source: 'Nguồn',
        none: 'Chưa có bài viết nào.',
        address: 'Địa chỉ',
        skip: 'Đến nội dung',
        retrieved: 'In lúc',
      }
    : {
        home: 'Home',
        feeds: 'Feeds',
        print: 'Print',
        published: 'Published',
        updated: 'Updated',
        correction: 'Correction',
        gone: 'This article is gone',
        source: 'Source',
        none: 'No articles yet.',
        address: 'Address',
        skip: 'Skip to content',
        retrieved: 'Retrieved',
      }

/** The first of these that the engine can write dates in: it throws for tags like `zh-yue` that BCP 47 allows. */
const toLocale = (...languages: readonly string[]): string => {
  for (const language of languages) {
    try {
      if (Intl.DateTimeFormat.supportedLocalesOf(language).length > 0) return language
    } catch {
      // Not a tag the engine reads; the next one may be.
    }
  }
  return 'en'
}

/** A moment for people: in the site's zone, with the exact one in `datetime` for machines. */
export const toTime = (instant: string, site: SiteConfig, language: string): string => {
  const locale = toLocale(language, site.language)
  const shown = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: site.timeZone }).format(
    new Date(instant),
  )
  return `<time datetime="${escapeMarkup(instant)}">${escapeMarkup(shown)}</time>`
}

export const toDocument = ({ site, language, title, main, head = '', bodyClass = '' }: Document): string => {
  const say = words(language)
  return `<!doctype html>
<html lang="${escapeMarkup(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
<link rel="stylesheet" href="/style.css">
${head}
</head>
<body class="${bodyClass}">
<a class="skip" href="#main">${say.skip}</a>
<header><nav aria-label="${escapeMarkup(site.title)}"><a class="brand" href="/">${escapeMarkup(site.title)}</a> <a href="/feeds">${say.feeds}</a></nav></header>
<main id="main">
${main}
</main>
<footer><p>${escapeMarkup(site.title)}</p></footer>
</body>
</html>
`
}

/** Light and dark, readable, and what a printer needs. */
export const styleSheet = `:root { color-scheme: light dark; --ink: light-dark(#1a1a1a, #ececec); --paper: light-dark(#fffefb, #16181c); --soft: light-dark(#5a5a5a, #a9adb5); --line: light-dark(#dddad2, #343841); --accent: light-dark(#0b5c8a, #7cc4ef); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.65 "Source Serif 4", "Noto Serif", Georgia, serif; }
header, main, footer { max-width: 44rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-block: 1rem; border-bottom: 1px solid var(--line); }
nav a { margin-right: 1rem; font-family: system-ui, sans-serif; font-size: .95rem; }
.brand { font-weight: 700; color: var(--ink); text-decoration: none; font-size: 1.15rem; }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .5rem; }
h1 { font-size: clamp(1.6rem, 4vw, 2.3rem); line-height: 1.2; margin: 1.5rem 0 .5rem; text-wrap: balance; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .25rem; }
.meta, figcaption, footer { color: var(--soft); font-family: system-ui, sans-serif; font-size: .9rem; }
.summary { font-size: 1.15rem; }
figure { margin: 1.5rem 0; }
img { max-width: 100%; height: auto; display: block; border-radius: 4px; background: var(--line); }
.list { list-style: none; padding: 0; }
.list li { display: grid; grid-template-columns: 1fr auto; gap: 1rem; padding: 1.25rem 0; border-bottom: 1px solid var(--line); }
.list img { width: 9rem; }
.note { border-left: 4px solid var(--accent); padding: .25rem 1rem; margin: 1.5rem 0; }
table { border-collapse: collapse; width: 100%; font-family: system-ui, sans-serif; font-size: .95rem; }
th, td { text-align: left; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
@media (max-width: 32rem) { .list li { grid-template-columns: 1fr; } .list img { width: 100%; } }
@media print { @page { margin: 2cm; } header, footer, .skip, .noprint { display: none; } body { background: #fff; color: #000; font-size: 11pt; } main { max-width: none; padding: 0; } a { color: inherit; } figure, h2 { break-inside: avoid; } }
.print header, .print footer { display: none; }
`
