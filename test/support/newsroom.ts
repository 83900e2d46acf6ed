/** A newsroom's gateway with one of everything that a page may have to show, in Vietnamese with long titles. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createWriter } from './articles.ts'
import { articleIdOf, createSystem, type Running } from './system.ts'
import { waitFor } from './wait-for.ts'

export type Newsroom = Readonly<{
  gateway: string
  /** The article that has everything, and its title. */
  articlePath: string
  title: string
  running: Running
}>

const PICTURES = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'demo')

const TITLE =
  'Nghĩa trang liệt sĩ huyện Hướng Hóa đổi giờ mở cửa, thắp thêm nghìn ngọn nến cho những người lính trẻ chưa kịp ghi tên trên bia mộ giữa mùa mưa lũ'

const BODY = `
<p>Từ đầu tuần, cổng nghĩa trang mở từ bốn giờ rưỡi sáng. Người quản trang, ông Nguyễn Hữu Thuần, bảo rằng khách đường xa thường đến rất sớm, “ai cũng muốn được một mình với người thân một lúc trước khi nắng lên”.</p>
<p>Những buổi chiều có sương, các em học sinh trường làng thay nhau lau từng tấm bia, xếp lại bình hoa, nhặt lá <em>bồ đề</em> rụng trên lối gạch. Có em đọc to từng cái tên, từng quê quán: Thừa Thiên, Nghệ Tĩnh, Thái Bình, Hải Hưng.</p>
<h4>Một cuốn sổ bìa xanh</h4>
<p>Trong phòng trực có cuốn sổ bìa xanh ghi hơn ba nghìn lượt hỏi. Mỗi dòng là một gia đình: họ tên, đơn vị, ngày nhập ngũ, lần cuối có thư. Xem thêm ở <a href="https://nghiatrang.example/so-xanh">bản chép điện tử</a>.</p>
<blockquote><p>Tôi không giữ chìa khóa của ai cả. Tôi chỉ giữ cho đèn đừng tắt.</p></blockquote>
<p>Bảng dưới đây ghi giờ mở cửa mới, áp dụng đến hết tháng Chạp:</p>
<table><caption>Giờ mở cửa theo mùa</caption><thead><tr><th></th><th scope="col">Mùa nắng</th><th scope="col">Mùa mưa</th><th scope="col">Ngày lễ</th><th scope="col">Người trực</th></tr></thead><tbody><tr><th scope="row">Buổi sáng</th><td>4 giờ 30 – 11 giờ</td><td>5 giờ – 11 giờ</td><td>cả ngày</td><td>Nguyễn Hữu Thuần</td></tr><tr><th scope="row">Buổi chiều</th><td>13 giờ – 19 giờ</td><td>13 giờ – 18 giờ</td><td>cả ngày</td><td>Trần Thị Diễm Quỳnh</td></tr></tbody></table>
<h4>Những ngọn nến ở hàng cuối</h4>
<p>Hàng cuối cùng phía tây không có tên, chỉ có số. Từ nhiều năm nay, đúng rằm, các cụ trong xóm vẫn thắp ở đó đủ một nghìn ngọn.</p>
<ul><li>Xe lớn dừng ở đầu cầu Sê Pôn</li><li>Không đốt vàng mã trong khuôn viên</li></ul>
<h6>Ghi chú</h6>
<p>Một địa chỉ rất dài để thử chỗ ngắt dòng: https://nghiatrang.example/tra-cuu/danh-sach-liet-si-chua-xac-dinh-duoc-thong-tin-theo-tung-khu-va-hang-mo</p>
<p>Ỷ, Ễ, Ổ, Ậ, Ự, Ẵ: chữ hoa nhiều dấu; ượng, ễnh, ặc, ợp, ữ: chữ thường nhiều dấu.</p>
<p>Đoạn cuối nói rằng mưa đã tạnh và đường lên đồi đã khô, khách có thể đi bộ từ bến xe.</p>`

const uploads = async (running: Running): Promise<readonly string[]> =>
  await Promise.all(
    ['library', 'shelves', 'ferry'].map(async name => {
      const { body } = await running.publisher.upload('bai-dai', await readFile(join(PICTURES, `${name}.jpg`)), 'image/jpeg')
      return String(body['url'])
    }),
  )

/** All of it released and to be seen at the gateway. */
export const openNewsroom = async (t: TestContext): Promise<Newsroom> => {
  const system = await createSystem(t)
  const running = await system.start()
  const [library, shelves, ferry] = await uploads(running)
  const write = createWriter(77)
  const release = async (localId: string, article: Record<string, unknown>) => await running.settled(await running.put(localId, article))

  for (let first = 0; first < 36; first += 6)
    await Promise.all(
      [0, 1, 2, 3, 4, 5].map(async next =>
        release(`cu-${first + next}`, {
          ...write({ categories: next % 3 === 0 ? ['the-thao'] : ['doi-song'] }),
          ...(next % 4 === 0 ? { images: [{ url: shelves }] } : {}),
        }),
      ),
    )
  await release('lien-quan', {
    ...write({ categories: ['doi-song'] }),
    title: 'Ba thế hệ một nhà cùng giữ nghề làm hương trầm bên phá Tam Giang',
  })
  await release('english', {
    ...write({ language: 'en', categories: ['doi-song'] }),
    title: 'A cemetery keeper lights a thousand candles for those whose names were never found',
    translationOf: 'bai-dai',
    images: [
      { url: ferry, role: 'lead', caption: 'The ferry that brings visitors.', alt: 'A red ferry', credit: 'Drawing: Riverside Daily' },
    ],
  })
  await release('truc-tiep', { ...write({ categories: ['thoi-su'] }), type: 'live', images: [{ url: ferry, alt: 'Phà đỏ trên sông' }] })
  await release('arabic', {
    ...write(),
    language: 'ar',
    title: 'حارس المقبرة يضيء ألف شمعة',
    summary: 'تفتح المقبرة أبوابها قبل الفجر.',
    body: { text: 'يقول الحارس إن الزوار يأتون باكرا.\n\nوالطريق مبلل بعد المطر.' },
    type: 'gallery',
    images: [ferry, shelves].map(url => ({ url, role: 'gallery', caption: 'العبّارة الحمراء', alt: 'عبّارة' })),
  })
  const article = {
    language: 'vi',
    title: TITLE,
    summary:
      'Từ tuần này khách viếng có thể vào từ bốn giờ rưỡi sáng; hàng bia không tên ở phía tây được thắp đủ một nghìn ngọn nến mỗi đêm rằm.',
    body: { html: BODY },
    byline: 'Phạm Thị Diễm Thúy',
    dateline: 'Quảng Trị',
    source: 'Báo Thử',
    canonicalUrl: 'https://nguon.example/doi-gio-mo-cua',
    categories: ['doi-song', 'thoi-su'],
    tags: ['nghĩa trang', 'liệt sĩ', 'Hướng Hóa'],
    related: ['lien-quan', 'truc-tiep', 'khong-co'],
    rights: { copyright: '© 2026 Báo Thử', usageTerms: 'Dùng lại nguyên văn, ghi rõ nguồn.' },
    images: [
      {
        url: library,
        role: 'lead',
        caption: 'Nhà đón khách lúc chập tối, khi những ngọn nến đầu tiên đã được thắp ở hàng bia phía tây.',
        alt: 'Ngôi nhà mái ngói sáng đèn dưới trời đêm',
        credit: 'Tranh: Báo Thử',
      },
      {
        url: shelves,
        role: 'inline',
        caption: 'Kệ để sổ sách của người quản trang.',
        alt: 'Ba kệ gỗ xếp đầy sách nhiều màu',
        credit: 'Tranh: Báo Thử',
      },
      { url: ferry, role: 'inline', caption: 'Bến đò sang nghĩa trang.', alt: 'Phà đỏ trên sông rộng', credit: 'Tranh: Báo Ven Sông' },
      { url: shelves, role: 'gallery', caption: 'Kệ sách, nhìn từ cửa.', alt: 'Kệ sách', credit: 'Tranh: Báo Thử' },
      { url: ferry, role: 'gallery', caption: 'Phà buổi sớm.', alt: 'Phà', credit: 'Tranh: Báo Thử' },
      { url: library, role: 'gallery', caption: 'Nhà đón khách.', alt: 'Nhà mái ngói', credit: 'Tranh: Báo Thử' },
    ],
  }
  await release('bai-dai', article)
  await release('bai-dai', {
    ...article,
    change: 'correction',
    correction: {
      note: 'Bản tin đầu ghi nhầm tên người quản trang là Nguyễn Hữu Thuận. Tên đúng là Nguyễn Hữu Thuần; Báo Thử thành thật xin lỗi ông và bạn đọc.',
    },
  })
  await release('bi-go', write())
  await running.publisher.retract('bi-go', {
    mode: 'withdraw',
    reason: 'test',
    notice: 'Bài viết đã được gỡ theo đề nghị của gia đình nhân vật. Mong bạn đọc thông cảm.',
  })
  await running.publisher.retract('cu-1', { mode: 'withdraw', reason: 'test' })
  await waitFor('the retractions to be seen', async () => (await running.get(`/articles/${articleIdOf('cu-1')}`)).status === 410)
  await waitFor('the retractions to be seen', async () => (await running.get(`/articles/${articleIdOf('bi-go')}`)).status === 410)
  await waitFor('the search index', async () => (await running.get('/v1/search?q=nghia+trang')).status === 200)
  return { gateway: running.newswire.url('gateway'), articlePath: `/articles/${articleIdOf('bai-dai')}`, title: TITLE, running }
}

type PageKind = Readonly<{ name: string; path: string; status: number }>

/** One page of every kind. */
export const pagesOf = ({ articlePath }: Newsroom): readonly PageKind[] => [
  { name: 'front', path: '/', status: 200 },
  { name: 'older', path: `/?before=2100-01-01T00:00:00.000Z,${articleIdOf('cu-9')}`, status: 200 },
  { name: 'section', path: '/?category=doi-song', status: 200 },
  { name: 'no-section', path: '/?category=tin-rong', status: 404 },
  { name: 'feeds', path: '/feeds', status: 200 },
  { name: 'search', path: `/search?q=${encodeURIComponent('nghĩa trang')}`, status: 200 },
  { name: 'search-narrowed', path: '/search?category=doi-song&from=2020-01-01&sort=time', status: 200 },
  { name: 'search-nothing', path: `/search?q=${encodeURIComponent('"không có đâu" <b>')}`, status: 200 },
  { name: 'search-refused', path: '/search?page=0', status: 400 },
  { name: 'article', path: articlePath, status: 200 },
  { name: 'article-english', path: `/articles/${articleIdOf('english')}`, status: 200 },
  { name: 'article-live', path: `/articles/${articleIdOf('truc-tiep')}`, status: 200 },
  { name: 'article-arabic', path: `/articles/${articleIdOf('arabic')}`, status: 200 },
  { name: 'print', path: `${articlePath}/print`, status: 200 },
  { name: 'gone', path: `/articles/${articleIdOf('bi-go')}`, status: 410 },
  { name: 'gone-plain', path: `/articles/${articleIdOf('cu-1')}`, status: 410 },
  { name: 'not-found', path: '/khong-co', status: 404 },
  { name: 'bad-address', path: '/?before=hom-qua', status: 400 },
]
