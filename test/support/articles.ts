/** Articles in words of our own, Vietnamese and English, with the letters and characters that break careless pipelines. */
import { createRandom, type Random } from './random.ts'

/** Contract §4, as far as tests send it. */
export type TestArticle = {
  sourceVersion?: number
  language: string
  title: string
  summary: string
  body: { html: string } | { text: string }
  byline: string
  categories: string[]
  tags: string[]
  publishedAt?: string
  embargoUntil?: string
  expiresAt?: string
  expiryMode?: 'withdraw' | 'gone'
  audience?: 'public' | 'editorial'
  change?: 'minor' | 'major' | 'correction'
  correction?: { note: string }
  images?: { url: string; role?: 'lead' | 'inline' | 'gallery'; caption?: string; alt?: string; credit?: string }[]
  [more: string]: unknown
}

const VIETNAMESE = {
  language: 'vi',
  bylines: ['Lê Thị Hường', 'Ngô Quốc Bảo', 'Đỗ Ngọc Ánh'],
  places: ['bến đò Mỹ Lợi', 'chợ nổi Phụng Hiệp', 'xã Thạnh Hưng', 'đèo Ngang', 'phường Vĩ Dạ'],
  subjects: ['Tổ hợp tác trồng sen', 'Đội bóng chuyền nữ', 'Thư viện lưu động', 'Lớp học buổi tối', 'Trạm quan trắc thủy văn'],
  deeds: ['mở cửa trở lại', 'nhận thêm mười hai thành viên', 'hoàn thành đợt kiểm tra', 'đón học viên khóa mới', 'đổi giờ hoạt động'],
  sentences: [
    'Buổi sáng trời có sương, nhưng ai cũng đến đúng giờ.',
    'Theo những người ở đây, việc chuẩn bị kéo dài gần ba tuần.',
    '“Chúng tôi chỉ mong giữ được nếp cũ”, một người phụ trách nói.',
    'Chi phí do các hộ tự góp, mỗi hộ một ít tùy khả năng.',
    'Đường vào còn hẹp nên xe lớn phải dừng ở đầu cầu.',
    'Kết quả sẽ được công bố vào thứ Sáu tuần tới.',
  ],
} as const

const ENGLISH = {
  language: 'en',
  bylines: ['Ada Marsh', 'Tom Quill', 'Ines Varga'],
  places: ['Harrow Quay', 'Upper Fenwick', 'the old tram depot', 'St Ebbe’s Square', 'Larkspur Road'],
  subjects: ['The lending shed', 'A choir of bus drivers', 'The tide gauge', 'The night bakery', 'A borrowed lighthouse'],
  deeds: ['opens again', 'takes on a dozen apprentices', 'passes its yearly test', 'moves its hours', 'finds a second home'],
  sentences: [
    'Rain had been forecast, yet the queue began before eight.',
    'Nobody could say who had first suggested it.',
    '“We kept the receipts & the keys,” the treasurer said, “and that was <em>enough</em>.”',
    'The repairs cost less than 3 % of what had been feared.',
    'Visitors are asked to leave bicycles by the north wall.',
    'A longer report is due on Friday.',
  ],
} as const

const escapeText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Ends of CDATA, markup, emoji beyond 16 bits, quotes: to be found again letter for letter. */
const HARD = 'Ghi chú: a < b && c ]]> d, “ngoặc kép”, 5 € – 👩‍🌾 ờ ỡ ợ'

type Writing = Readonly<{ language?: 'vi' | 'en'; paragraphs?: number; categories?: readonly string[] }>

/** Writes one article after another; equal seeds write equal articles. `n` in the title tells them apart. */
export const createWriter = (seed: number): ((writing?: Writing) => TestArticle) => {
  const random: Random = createRandom(seed)
  let written = 0
  return ({ language = 'vi', paragraphs = 4, categories = [] } = {}) => {
    const words = language === 'vi' ? VIETNAMESE : ENGLISH
    written += 1
    const sentence = () => random.pick<string>(words.sentences)
    const body = Array.from({ length: paragraphs }, () => `<p>${escapeText(`${sentence()} ${sentence()}`)}</p>`)
    return {
      language: words.language,
      title: `${random.pick<string>(words.subjects)} ${random.pick<string>(words.deeds)} – ${random.pick<string>(words.places)} (${seed}/${written})`,
      summary: sentence(),
      body: { html: [...body, `<p>${escapeText(HARD)}</p>`].join('') },
      byline: random.pick<string>(words.bylines),
      categories: [...categories],
      tags: [`seed-${seed}`],
    }
  }
}
