/**
 * The files of `golden/`: what a feed of each profile says of the same articles, byte for byte. A change of rendering is seen there before any
 * partner sees it. `npm run golden -w @newswire/feeds` writes them again; `golden.test.ts` holds them against the code.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type FeedConfig, type FeedProfile, feedProfiles } from '@newswire/events/config'
import type { Fact } from '@newswire/events/fact'
import { feedFiles, feedOutputs } from '@newswire/events/feed'
import { samplePicture } from '@newswire/events/sample-fact'
import { type Fragments, renderFragments } from './fragments.ts'
import { toFiles } from './outputs.ts'
import { createProfiles } from './profile.ts'
import { categories, makeFact, makeRetraction, site } from './sample-facts.ts'
import { toShell } from './shell.ts'

export const GOLDEN_FOLDER = join(import.meta.dirname, '..', 'golden')

const paragraph =
  'Sáng nay, tại Đà Nẵng, Bộ Tư lệnh Quân khu tổ chức hội nghị tổng kết năm; hơn ba trăm đại biểu từ các đơn vị, địa phương về dự, nghe báo cáo và thảo luận phương hướng năm tới.'

/** Everything that an article can say, corrected once. */
const whole = makeFact({
  articleId: 'baoqk.hoi-nghi-1',
  version: 3,
  supersedes: 2,
  action: 'corrected',
  firstReleasedAt: '2026-03-02T01:30:00.000Z',
  releasedAt: '2026-03-02T06:00:00.000Z',
  article: {
    sourceVersion: 7,
    title: 'Hội nghị tổng kết R&D <năm 2026>: “Đường sắt” Đà Nẵng giảm 5% & những việc còn lại',
    summary: 'Hội nghị đánh giá 5 < 6 nhiệm vụ & đề ra phương hướng;\nđường sắt, đò ngang, chữ “đ” và “ế” đều còn nguyên.',
    body: {
      html: `<p>${paragraph}</p>\n<blockquote><p>“Ký tự &lt;item&gt; và ]]&gt; ở giữa câu cũng không sao.”</p></blockquote>\n<p>Xem thêm <a href="https://baoqk.example/a?x=1&amp;y=2" rel="noopener nofollow">bài trước</a>.</p>`,
    },
    byline: 'Trần Văn Đức & Lê Thị Hường',
    dateline: 'Đà Nẵng, ngày 2 tháng 3',
    source: 'TTXVN',
    categories: ['quoc-phong', 'doi-song'],
    tags: ['tổng kết', 'R&D', 'Đà Nẵng'],
    urgency: 2,
    publishedAt: '2026-03-02T01:00:00.000Z',
    expiresAt: '2026-12-31T17:00:00.000Z',
    canonicalUrl: 'https://baoqk.example/hoi-nghi?id=1&utm_source=rss&utm_medium=feed',
    images: [
      samplePicture({
        caption: 'Đại biểu dự hội nghị <sáng 2-3>',
        alt: 'Hội trường lớn đông người, trên bục có hoa',
        credit: 'Ảnh: Ngọc Ánh & TTXVN',
        focus: { x: 0.5, y: 0.3 },
        copyright: '© Ngọc Ánh & TTXVN',
        usageTerms: 'Chỉ dùng kèm bài này.',
        digitalSourceType: 'digitalCapture',
        dataMining: 'DMI-PROHIBITED',
      }),
      samplePicture({
        sha256: 'b'.repeat(64),
        role: 'inline',
        caption: 'Đò ngang trên sông',
        renditions: [
          {
            preset: 'w320',
            key: `renditions/${'b'.repeat(64)}/w320-r1.jpg`,
            type: 'image/jpeg',
            width: 320,
            height: 180,
            bytes: 12_345,
          },
        ],
      }),
      samplePicture({ sha256: 'c'.repeat(64), role: 'gallery', caption: 'Chỉ cho một báo', rights: { outlets: ['tinh-doan'] } }),
      { ...samplePicture({ sha256: 'd'.repeat(64), role: 'gallery', caption: 'Còn chờ' }), state: 'waiting', renditions: [] },
    ],
    change: 'correction',
    correction: { note: 'Số đại biểu là 312, không phải 300 như đã đưa.' },
    rights: { copyright: '© Báo Quân khu 2026', usageTerms: 'Đăng lại phải ghi rõ nguồn.', dataMining: 'DMI-PROHIBITED' },
    storyId: 'hoi-nghi-tong-ket-2026',
    translationOf: 'baoqk.conference-1',
    related: ['baoqk.hoi-nghi-0', 'baoqk.da-nang-5'],
    aiUse: 'none',
  },
})

/** Released again with a slight change: no date moved. */
const minor = makeFact({
  articleId: 'baoqk.minor-1',
  version: 2,
  supersedes: 1,
  action: 'updated',
  firstReleasedAt: '2026-03-02T02:00:00.000Z',
  releasedAt: '2026-03-02T05:00:00.000Z',
  updatedAt: '2026-03-02T02:00:00.000Z',
  article: {
    title: 'Người lái đò kể chuyện mùa nước nổi',
    summary: '',
    body: { html: `<p>${paragraph}</p>` },
    images: [samplePicture({ sha256: 'e'.repeat(64) })],
  },
})

/** Released again with a great one: `updated` moved, and nothing else. */
const major = makeFact({
  articleId: 'baoqk.major-1',
  version: 2,
  supersedes: 1,
  action: 'updated',
  firstReleasedAt: '2026-03-02T03:00:00.000Z',
  releasedAt: '2026-03-02T04:00:00.000Z',
  article: {
    title: 'Lũ trên sông Thu Bồn xuống chậm, đường về nhà còn ngập',
    images: [samplePicture({ sha256: 'f'.repeat(64), caption: 'Nước ngập đường' })],
  },
})

const english = makeFact({
  articleId: 'baoqk.english-1',
  firstReleasedAt: '2026-03-01T20:00:00.000Z',
  releasedAt: '2026-03-01T20:00:00.000Z',
  article: {
    language: 'en-GB',
    title: 'Conference closes with a look at the year ahead',
    summary: 'More than three hundred delegates met in Da Nang.',
    images: [samplePicture({ sha256: '1'.repeat(64), caption: 'The hall' })],
  },
})

/** What partners would refuse: a short title, no picture. */
const bare = makeFact({
  articleId: 'baoqk.bare-1',
  firstReleasedAt: '2026-02-27T20:00:00.000Z',
  releasedAt: '2026-02-27T20:00:00.000Z',
  article: { title: 'Tin vắn', summary: '', body: { html: '<p>Một dòng.</p>' } },
})

const takenBack = makeRetraction({
  articleId: 'baoqk.gone-1',
  version: 2,
  firstReleasedAt: '2026-03-01T09:00:00.000Z',
  releasedAt: '2026-03-02T05:30:00.000Z',
})

const facts: readonly Fact[] = [major, minor, whole, english, takenBack, bare]

const feedOf = (profile: FeedProfile): FeedConfig => ({
  id: profile,
  title: 'Quốc phòng & an ninh',
  description: 'Tin đã duyệt của Báo Quân khu, từ Đà Nẵng và các đơn vị',
  match: {},
  limit: 50,
  content: 'full',
  profile,
})

/** Path below the folder → what is in it, for every profile and output, and what each profile sets aside. */
export const makeGolden = (): Map<string, string> => {
  const profileOf = createProfiles()
  const made = new Map<string, string>()
  for (const name of feedProfiles) {
    const feed = feedOf(name)
    const snapshot = {
      site,
      categories,
      network: { allow: [], allowHttp: false },
      publishers: new Map([
        ['baoqk', { id: 'baoqk', name: 'Báo Quân khu', tokens: [], pages: { canonical: 'self' as const, index: true } }],
      ]),
      feeds: new Map([[feed.id, feed]]),
      outlets: new Map(),
    }
    const profile = profileOf(snapshot, feed)
    const shown: Fragments[] = []
    const setAside: string[] = []
    for (const fact of facts) {
      const rendered = renderFragments(fact, profile)
      if (rendered.ok) shown.push(rendered)
      else setAside.push(`${fact.articleId} ${rendered.code}: ${rendered.reason}\n`)
    }
    const files = toFiles(toShell(feed, site, '2026-03-02T06:00:00.000Z'), shown, { asOf: '2026-03-02T06:00:00.000Z' })
    for (const output of feedOutputs) made.set(`${name}/${feedFiles[output].name}`, Buffer.from(files[output].bytes()).toString())
    made.set(`${name}/set-aside.txt`, setAside.join(''))
  }
  return made
}

if (import.meta.main) {
  if (process.argv[2] !== '--write') throw new Error('usage: node src/golden.ts --write')
  await rm(GOLDEN_FOLDER, { recursive: true, force: true })
  for (const [path, content] of makeGolden()) {
    await mkdir(dirname(join(GOLDEN_FOLDER, path)), { recursive: true })
    await writeFile(join(GOLDEN_FOLDER, path), content)
  }
}
