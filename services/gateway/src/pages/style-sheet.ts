/**
 * The one style sheet. Fonts are the reader's own: of those that systems bring, only such as have every Vietnamese letter drawn whole (Georgia,
 * Charter and Palatino have not, and a browser would patch letters in from another font). Lines are higher than English needs, because marks
 * stand on marks (Ổ, ễ) and below letters (ị, ậ). Nothing is hyphenated: Vietnamese has no word to break.
 */

import { colorRules } from './color-classes.ts'

export const styleSheet = `:root {
  color-scheme: light dark;
  --ink: #1c1b19; --paper: #fdfcf9; --raised: #f4f1e9; --soft: #5d5a53; --line: #ddd8cc; --rule: #1c1b19; --link: #0a5288; --mark: #9a2316; --hit: #fff0b8;
  --serif: ui-serif, "Noto Serif", "Source Serif 4", Cambria, "Times New Roman", serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e9e6df; --paper: #15171b; --raised: #1f2228; --soft: #aba79d; --line: #363a42; --rule: #8b877d; --link: #93c9f1; --mark: #f3a596; --hit: #5b4b12; }
}
@media (prefers-contrast: more) {
  :root { --ink: #000; --paper: #fff; --soft: #333; --line: #555; }
}
@media (prefers-contrast: more) and (prefers-color-scheme: dark) {
  :root { --ink: #fff; --paper: #000; --soft: #ddd; --line: #aaa; }
}
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; hyphens: manual; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.125rem/1.7 var(--serif); overflow-wrap: break-word; }
body:lang(vi) { line-height: 1.75; }
a { color: var(--link); text-decoration-thickness: .06em; text-underline-offset: .2em; }
a:hover { text-decoration-thickness: .12em; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 3px; border-radius: 2px; }
main:focus { outline: none; }
h1, h2, h3, h4, h5, h6 { line-height: 1.35; text-wrap: balance; margin: 2rem 0 .5rem; }
h1 { font-size: clamp(1.7rem, 1.2rem + 2vw, 2.25rem); line-height: 1.32; margin: .5rem 0 1rem; }
main > h1:first-child, .narrow > h1:first-child, .partner > h1:first-child { margin-top: 1.75rem; }
h2 { font-size: 1.4rem; } h3 { font-size: 1.2rem; } h4, h5, h6 { font-size: 1.05rem; }
p, li, figcaption { text-wrap: pretty; }
img { display: block; max-width: 100%; height: auto; background: var(--raised); }
figure { margin: 2rem 0; }
figcaption { margin-top: .5rem; font: .9rem/1.6 var(--sans); color: var(--soft); }

.skip { position: absolute; inset-inline-start: 1rem; top: -10rem; z-index: 1; padding: .5rem 1rem; background: var(--paper); color: var(--ink); font: 1rem/1.6 var(--sans); }
.skip:focus { top: .5rem; }
.masthead, main, .colophon { width: min(100% - 2 * clamp(1rem, 4vw, 2rem), 52rem); margin-inline: auto; }
.masthead { padding-block: 1.25rem .5rem; border-bottom: 1px solid var(--rule); }
.brand { margin: 0; font: 700 1.5rem/1.4 var(--serif); }
.brand a { color: inherit; text-decoration: none; }
.front .brand { font-size: clamp(1.8rem, 1.2rem + 3vw, 2.6rem); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin: .25rem 0 0; padding: 0; }
nav a { display: inline-block; padding: .35rem 0; font: 1rem/1.6 var(--sans); color: var(--ink); text-decoration: none; }
nav a:hover, nav a[aria-current] { text-decoration: underline; text-decoration-thickness: .12em; }
nav a[aria-current] { color: var(--mark); }
.pages { display: flex; justify-content: space-between; gap: 1rem; margin-block: 2rem; font-family: var(--sans); }
.pages a { padding: .5rem 0; color: var(--link); }
.colophon { margin-top: 4rem; padding-block: 1.25rem 2.5rem; border-top: 1px solid var(--line); font: .9rem/1.7 var(--sans); color: var(--soft); }
.colophon p { margin: 0; }

.meta { margin: .25rem 0; font: .95rem/1.7 var(--sans); color: var(--soft); }
.meta b { color: var(--ink); font-weight: 600; }
.kicker { margin: 1.75rem 0 0; font: 600 .95rem/1.7 var(--sans); color: var(--mark); }
.kicker a { display: inline-block; padding: .2rem 0; color: inherit; text-decoration: none; }
.kicker a:hover { text-decoration: underline; }
.badge { display: inline-block; padding: 0 .5em; border: 1px solid currentColor; border-radius: 3px; }
.summary { font-size: 1.2rem; margin: 1rem 0; }
.note { margin: 1.5rem 0; padding: .75rem 1.25rem; border-inline-start: 4px solid var(--mark); background: var(--raised); font: 1rem/1.7 var(--sans); }
.note p { margin: 0; }

article > :not(.wide), .narrow { max-width: 41rem; margin-inline: auto; }
figure.wide img { margin-inline: auto; max-height: 85vh; width: auto; }
figure.wide figcaption { max-width: 41rem; margin-inline: auto; }
header + .body { margin-top: 1.5rem; }
.body > :first-child { margin-top: 0; }
.body p { margin: 0 0 1.15em; }
.body ul, .body ol { padding-inline-start: 1.4em; }
.body li { margin-bottom: .4em; }
.body blockquote { margin: 1.5rem 0; padding-inline-start: 1.25rem; border-inline-start: 3px solid var(--line); color: var(--soft); }
.body pre { white-space: pre-wrap; font-size: .9em; }
.body hr { border: 0; border-top: 1px solid var(--line); margin: 2rem 0; }
mark { background: var(--hit); color: inherit; }
.scroll { overflow-x: auto; margin: 1.5rem 0; }
table { border-collapse: collapse; min-width: 60%; font: .95rem/1.6 var(--sans); }
caption { text-align: start; font-weight: 600; padding-bottom: .5rem; }
th, td { text-align: start; vertical-align: top; min-width: 6em; padding: .5rem 1rem .5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: 1.5rem; margin-block: 2rem; }
.gallery figure { margin: 0; }
.gallery img { width: 100%; max-height: none; aspect-ratio: 3 / 2; object-fit: cover; }
.about { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
.related { margin-top: 3rem; padding-top: .5rem; border-top: 1px solid var(--rule); }
.related h2 { margin-top: .5rem; font-size: 1.2rem; }
.related ul, .stories, .feeds, .addresses, .preview ul { list-style: none; margin: 0; padding: 0; }
.related li { padding: .5rem 0; border-bottom: 1px solid var(--line); }
.related .meta { display: block; }

.stories li { display: grid; grid-template-columns: minmax(0, 1fr) 13rem; gap: .5rem 1.5rem; align-items: start; padding: 1.5rem 0; border-bottom: 1px solid var(--line); }
.stories li.plain { grid-template-columns: minmax(0, 1fr); }
.stories h2 { margin: 0 0 .35rem; }
.stories h2 a, .related a, .preview a { color: var(--ink); text-decoration: none; }
.stories h2 a:hover, .related a:hover, .preview a:hover { text-decoration: underline; text-decoration-thickness: .08em; }
.stories .teaser { margin: 0 0 .35rem; font-size: 1.05rem; }
.stories img { width: 100%; aspect-ratio: 3 / 2; object-fit: cover; }
.stories li.first { grid-template-columns: minmax(0, 1fr); row-gap: 1rem; }
.stories li.first picture { order: -1; }
.stories li.first img { aspect-ratio: 16 / 9; }
.stories li.first h2 { margin-bottom: .6rem; font-size: clamp(1.5rem, 1.1rem + 1.8vw, 2.1rem); }

.seen-by-none { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.search { margin: 1.25rem 0 0; font: 1rem/1.6 var(--sans); }
.search p { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .75rem; margin: 0 0 .75rem; }
.search .words { flex: 1 1 14rem; min-width: 0; }
.search input, .search select { min-height: 2.5rem; max-width: 100%; padding: .25rem .6rem; border: 1px solid var(--soft); border-radius: 4px; background: var(--paper); color: var(--ink); font: inherit; }
.search .words input { width: 100%; }
.search button { min-height: 2.5rem; }
.search .narrowing { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); align-items: end; }
.narrowing label:only-child { max-width: 14rem; }
.narrowing label { min-width: 0; color: var(--soft); font-size: .9rem; }
.narrowing input, .narrowing select { display: block; width: 100%; }
.found { margin-top: 1.25rem; }
.facets dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); align-items: baseline; gap: 0 1.25rem; margin: .25rem 0 0; font: .95rem/1.7 var(--sans); }
.facets dt { color: var(--soft); }
.facets dd, .facets ul { margin: 0; }
.facets li b { margin-inline-end: .4rem; }
.facets li span { color: var(--soft); font-variant-numeric: tabular-nums; }
.facets li a { color: var(--link); }

.feeds > li { padding: 1.5rem 0; border-bottom: 1px solid var(--line); }
.feeds h2 { margin: 0; }
.feeds p { margin: .25rem 0; }
.addresses { margin: .75rem 0; font: .95rem/1.6 var(--sans); }
.addresses li { display: grid; grid-template-columns: 9rem minmax(0, 1fr) auto; gap: 0 1rem; align-items: center; padding: .25rem 0; }
.addresses a { overflow-wrap: anywhere; padding: .15rem 0; }
button { min-height: 2.25rem; padding: .25rem .9rem; border: 1px solid var(--soft); border-radius: 4px; background: var(--paper); color: var(--ink); font: inherit; cursor: pointer; }
button:hover { border-color: var(--ink); background: var(--raised); }
button[hidden] { display: none; }
button.done::after { content: " ✓"; }
summary { min-height: 2rem; padding: .2rem 0; font: .95rem/1.6 var(--sans); cursor: pointer; width: fit-content; }
.preview li { padding: .4rem 0; }
#said { position: sticky; bottom: 0; margin: 0; padding: .5rem 1rem; background: var(--raised); font: .95rem/1.6 var(--sans); overflow-wrap: anywhere; }
#said:empty { padding: 0; }

.partner section { margin-block: 2rem; padding-top: .5rem; border-top: 1px solid var(--line); }
.partner h2 { margin-top: .5rem; }
.partner section p, .partner section li { font-family: var(--sans); font-size: 1rem; max-width: 41rem; }
.partner .state { font-size: 1.2rem; font-weight: 600; }
.partner label { display: block; }
.partner input { min-height: 2.5rem; width: min(100%, 24rem); padding: .25rem .6rem; border: 1px solid var(--soft); border-radius: 4px; background: var(--paper); color: var(--ink); font: inherit; }
.partner small { color: var(--soft); font-size: .9rem; }
.partner table { width: 100%; }
.partner td { font-variant-numeric: tabular-nums; }
.partner th[scope="row"] { font-weight: 400; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 14rem), 1fr)); gap: .5rem 1.5rem; margin: 1rem 0; font: 1rem/1.6 var(--sans); }
.facts dt { color: var(--soft); font-size: .9rem; }
.facts dd { margin: 0; }
.trouble { color: var(--mark); font-weight: 600; }
.secret { display: block; padding: .75rem 1rem; background: var(--raised); overflow-wrap: anywhere; user-select: all; font-size: 1rem; }

@media (max-width: 40rem) {
  /* Browsers balance six lines at most, and would leave one word on the last of more. */
  h1, .stories li.first h2 { text-wrap: pretty; }
  .search .narrowing { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .narrowing label:has(select) { grid-column: 1 / -1; }
  .stories li { grid-template-columns: minmax(0, 1fr) 6.5rem; gap: .5rem 1rem; }
  .stories h2 { font-size: 1.2rem; }
  .addresses li { grid-template-columns: minmax(0, 1fr) auto; }
  .addresses li > :first-child { grid-column: 1 / -1; }
}
@media (max-width: 24rem) {
  .stories li, .stories li.plain { grid-template-columns: minmax(0, 1fr); }
  .stories picture { order: -1; }
}
${colorRules}
.origin { display: flex; align-items: center; gap: 1rem; margin-top: 1rem; overflow-wrap: anywhere; }
.origin a { color: inherit; text-decoration: none; }
.qr { flex: none; width: 7rem; height: 7rem; }
.print .masthead { border: 0; padding-bottom: 0; }
.print .brand { font-size: 1.1rem; }
.print .colophon p:first-child { display: none; }
@media print {
  @page { margin: 18mm 17mm 20mm; }
  :root { color-scheme: light; --ink: #000; --paper: #fff; --raised: #fff; --soft: #333; --line: #999; --rule: #000; --link: #000; --mark: #000; }
  body { font-size: 11pt; line-height: 1.55; }
  body:lang(vi) { line-height: 1.6; }
  h1 { font-size: 20pt; } h2 { font-size: 14pt; } h3 { font-size: 12pt; }
  .masthead, main, .colophon { width: auto; }
  article > :not(.wide), figure.wide figcaption, .narrow { max-width: none; }
  .meta, .kicker, .note, .colophon, figcaption, table { font-size: 9.5pt; }
  .summary { font-size: 12pt; }
  .skip, nav, .search, .related, .pages, button, details, .onscreen { display: none; }
  .masthead { border: 0; }
  .colophon { margin-top: 1.5rem; padding-bottom: 0; }
  h1, h2, h3, h4, figcaption { break-after: avoid; }
  figure, tr, blockquote, .note, .origin { break-inside: avoid; }
  .qr { width: 26mm; height: 26mm; print-color-adjust: exact; }
  img, figure.wide img { max-height: 12cm; width: auto; }
  p { orphans: 3; widows: 3; }
  .body a[href^="http"]::after { content: " (" attr(href) ")"; font-size: .85em; overflow-wrap: anywhere; }
}
`
