/** The pages in a real browser: what a reader, a partner and an operator see. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import {
  artefactFolder,
  assertWhole,
  findBarriers,
  keepPicture,
  openPage,
  overflowOf,
  skipBrowser,
  startBrowser,
  visit,
} from './support/browser.ts'
import { type Newsroom, openNewsroom, pagesOf } from './support/newsroom.ts'
import { newFolder, startUp } from './support/newswire.ts'
import { readPdf } from './support/pdf.ts'
import { makePng } from './support/pictures.ts'
import { createPublisher } from './support/publisher.ts'
import { articleIdOf } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const options = { skip: skipBrowser }

test(
  'the demo’s pages show their articles and pictures, and an article that is published now appears on the open console',
  options,
  async t => {
    const dataDir = await newFolder(t)
    const running = await startUp(t, { dataDir, more: ['--demo'] })
    const client = JSON.parse(await readFile(join(dataDir, 'client.json'), 'utf8')) as { token: string; publisher: string }
    const browser = await startBrowser(t)

    await t.test('front page and article page in Vietnamese, pictures loaded, nothing refused', async () => {
      const { page, offences } = await openPage(browser)
      const story = page.getByRole('link', { name: /Thư viện xã Hòa Bình/ })
      await page.goto(running.url('gateway'))
      // It is on its way when `up` is ready, and a page does not load itself again.
      await waitFor('the demo’s article on the front page', async () => {
        if ((await story.count()) === 0) await page.reload()
        return (await story.count()) > 0
      })
      await story.click()
      assert.equal(await page.locator('html').getAttribute('lang'), 'vi')
      assert.match(await page.locator('h1').innerText(), /sáng đèn đến mười giờ đêm/)
      assert.equal(await page.locator('figcaption').count(), 2)
      await page.waitForLoadState('networkidle')
      await assertWhole(page)
      assert.deepEqual(offences, [])
    })

    await t.test('console', async () => {
      const { page, offences } = await openPage(browser)
      await page.goto(running.url('console'))
      await page.getByRole('button', { name: /red ferry/ }).waitFor()
      const article = createWriter(3)({ language: 'en' })
      const { status } = await createPublisher(running.url('ingest'), client.token).put('just-now', article)
      assert.equal(status, 202)
      await page.getByRole('button', { name: article.title }).click()
      await page.locator('#trace').getByText('archive archive').waitFor()
      await page
        .locator('#trace')
        .getByText(/outlet partner/)
        .waitFor()
      assert.deepEqual(offences, [])
    })

    await t.test('console: what happened is told with its day', async () => {
      const { page } = await openPage(browser)
      await page.clock.setFixedTime(new Date(Date.now() + 3 * 86_400_000))
      await page.goto(running.url('console'))
      const row = page.getByRole('row').filter({ has: page.getByRole('button', { name: /red ferry/ }) })
      assert.match(await row.innerText(), new RegExp(`\\b${new Date().getFullYear()}\\b`))
    })

    await t.test('console without scripts: it says what it needs, and does not seem to be on its way', async () => {
      const { page } = await openPage(browser, { javaScriptEnabled: false })
      for (const path of ['', '/outlets']) {
        await page.goto(`${running.url('console')}${path}`)
        assert.match(await page.locator('header').innerText(), /needs a script/)
        assert.doesNotMatch(await page.locator('body').innerText(), /connecting/)
      }
    })
  },
)

test('the pages of a newsroom', options, async t => {
  const newsroom: Newsroom = await openNewsroom(t)
  const browser = await startBrowser(t)
  const folder = await artefactFolder(t, 'pages')
  const at = (path: string) => `${newsroom.gateway}${path}`

  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [320, 1280])
      await t.test(`every kind of page: no barrier, nothing refused, nothing beyond the screen (${colorScheme}, ${width} px)`, async () => {
        const { page, offences } = await openPage(browser, { colorScheme, viewport: { width, height: 900 } })
        for (const { name, path, status } of pagesOf(newsroom)) {
          assert.equal((await page.goto(at(path)))?.status(), status, name)
          await keepPicture(page, join(folder, `${name}-${colorScheme}-${width}.png`))
          assert.deepEqual(await findBarriers(page), [], name)
          assert.ok((await overflowOf(page)) <= 0, `${name} is too wide`)
          // The browser itself complains of a page that answers with a refusal.
          assert.deepEqual(
            offences.splice(0).filter(offence => !offence.includes(`status of ${status}`)),
            [],
            name,
          )
        }
      })

  await t.test('everything is read and reached without scripts', async () => {
    const { page, offences } = await openPage(browser, { javaScriptEnabled: false })
    await page.goto(at('/'))
    await page.getByRole('link', { name: 'Bài cũ hơn' }).click()
    await page.getByRole('link', { name: 'Bài mới hơn' }).click()
    await page.getByRole('link', { name: 'Thời sự', exact: true }).first().click()
    assert.equal(await page.locator('h1').innerText(), 'Thời sự')
    await page.getByRole('link', { name: newsroom.title }).first().click()
    assert.equal(await page.locator('h1').innerText(), newsroom.title)
    await page.getByRole('link', { name: 'Bản in' }).click()
    assert.match(await page.locator('main').innerText(), /Lấy về lúc/)
    await page.goto(at('/'))
    await page.getByRole('searchbox').fill('nghia trang huong hoa')
    await page.getByRole('button', { name: 'Tìm kiếm' }).click()
    assert.match(await page.getByRole('status').innerText(), /^1 bài viết/)
    await page.getByRole('link', { name: newsroom.title }).click()
    assert.equal(await page.locator('h1').innerText(), newsroom.title)
    await page.goto(at('/feeds'))
    assert.equal(await page.getByRole('button').count(), 0, 'no button that does nothing')
    assert.ok(await page.getByText('/feeds/all/rss.xml', { exact: false }).first().isVisible())
    await page.locator('summary').first().click()
    assert.ok(await page.locator('details a').first().isVisible())
    assert.deepEqual(offences, [])
  })

  await t.test('an address is copied, and that is announced; where copying is forbidden it is selected', async () => {
    const { page, context, offences } = await openPage(browser)
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.goto(at('/feeds'))
    const copy = async () => {
      await page.getByRole('button', { name: 'Chép địa chỉ: Atom 1.0, Tất cả' }).click()
      await page.waitForFunction("document.getElementById('said').textContent !== ''")
      return await page.getByRole('status').innerText()
    }
    assert.match(await copy(), /^Đã chép: https:\/\/.*\/feeds\/all\/atom\.xml$/)
    assert.match(String(await page.evaluate('navigator.clipboard.readText()')), /\/feeds\/all\/atom\.xml$/)
    await page.addInitScript("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    await page.reload()
    assert.match(await copy(), /Địa chỉ đã được chọn/)
    assert.match(String(await page.evaluate('getSelection().toString()')), /\/feeds\/all\/atom\.xml$/)
    assert.deepEqual(offences, [])
  })

  await t.test('the keyboard comes to the text at once, and to every link with a mark that is seen', async () => {
    const { page } = await openPage(browser)
    await page.goto(at(newsroom.articlePath))
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Đến nội dung chính')
    const box = await page.locator('.skip').boundingBox()
    assert.ok(box && box.y >= 0, 'it is seen while it has the focus')
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate('document.activeElement.id'), 'main')
    const links = Number(await page.locator('main a').count())
    for (let pressed = 0; pressed < Math.min(links, 20); pressed += 1) {
      await page.keyboard.press('Tab')
      const style = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
      assert.equal(style, 'solid', String(await page.evaluate('document.activeElement.outerHTML')))
    }
  })

  await t.test('nothing jumps while a page loads, and it takes two requests and its pictures', async () => {
    const weights: Record<string, unknown> = {}
    for (const width of [320, 1280])
      for (const path of ['/', newsroom.articlePath]) {
        const { page } = await openPage(browser, { viewport: { width, height: 800 } })
        await page.addInitScript(
          "globalThis.shift = 0; new PerformanceObserver(list => { for (const entry of list.getEntries()) globalThis.shift += entry.value }).observe({ type: 'layout-shift', buffered: true })",
        )
        const kinds: string[] = []
        page.on('request', request => kinds.push(request.resourceType()))
        await visit({ page }, at(path))
        assert.ok(Number(await page.evaluate('globalThis.shift')) < 0.01, `${path} jumps at ${width} px`)
        const others = kinds.filter(kind => kind !== 'image')
        assert.deepEqual(others.filter(kind => kind !== 'other').sort(), ['document', 'stylesheet'], path)
        weights[`${path} ${width}`] = await page.evaluate(
          "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).map(entry => [entry.name.replace(location.origin, ''), entry.transferSize])",
        )
      }
    await writeFile(join(folder, 'weights.json'), JSON.stringify(weights, null, 2))
  })

  await t.test('what might get through the cleaner all the same does not run: the policy is the second wall', async () => {
    const { page, offences } = await openPage(browser)
    const smuggled =
      '<script>document.title = \'ran\'</script><img src="/none" onerror="document.title = \'ran\'"><iframe src="/"></iframe><style>h1 { display: none }</style>'
    await page.route(at(newsroom.articlePath), async route => {
      const response = await route.fetch()
      await route.fulfill({ response, body: (await response.text()).replace('</main>', `${smuggled}</main>`) })
    })
    await visit({ page }, at(newsroom.articlePath))
    assert.ok(await page.locator('h1').isVisible())
    assert.notEqual(await page.title(), 'ran')
    for (const refused of ['inline script', 'inline event handler', 'inline style', 'Framing'])
      assert.ok(
        offences.some(offence => offence.includes(refused)),
        `${refused} in ${offences.join('\n')}`,
      )
  })

  await t.test('the print view fits A4 and Letter, with every picture, its credits, its address and when it was fetched', async () => {
    const { page, offences } = await openPage(browser)
    await visit({ page }, at(`${newsroom.articlePath}/print`))
    await assertWhole(page)
    const text = await page.locator('main').innerText()
    assert.ok(text.includes('https://nguon.example/doi-gio-mo-cua'))
    for (const format of ['A4', 'Letter'] as const) {
      const file = join(folder, `print-${format}.pdf`)
      const pdf = await page.pdf({ format, preferCSSPageSize: false, path: file })
      assert.ok(pdf.byteLength > 50_000)
      const { pages, width, height, text: printed } = await readPdf(pdf)
      assert.deepEqual([Math.floor(width), Math.floor(height)], format === 'A4' ? [595, 842] : [612, 792])
      assert.ok(pages >= 2 && pages <= 6, `${pages} pages`)
      for (const words of [
        'Tranh: Báo Ven Sông',
        'Kệ sách, nhìn từ cửa.',
        '© 2026 Báo Thử',
        'https://nguon.example/doi-gio-mo-cua',
        'Lấy về lúc',
        'Nguyễn Hữu Thuận',
      ])
        assert.ok(printed.includes(words.replace(/\s+/g, '')), `${words} is not on ${format}`)
      assert.ok(!printed.includes('Tìmkiếm'), 'nothing to press is printed')
    }
    await page.emulateMedia({ media: 'print' })
    const code = await page.locator('svg.qr').boundingBox()
    assert.ok(code && code.width > 90 && Math.abs(code.width - code.height) < 1, 'a phone can read it')
    await keepPicture(page, join(folder, 'print-media.png'))
    assert.deepEqual(offences, [])
  })

  await t.test('on paper a story with an upright lead picture begins on the first page', async () => {
    const { running } = newsroom
    const { body } = await running.publisher.upload('dung', makePng({ width: 900, height: 1600 }), 'image/png')
    const article = createWriter(78)({ categories: ['doi-song'] })
    const images = [{ url: String(body['url']), role: 'lead', caption: 'Cột cờ giữa sân trường.' }]
    await running.settled(await running.put('dung', { ...article, body: { text: 'Lá cờ được kéo lên từ sớm.' }, images }))
    const { page } = await openPage(browser)
    for (const path of [`/articles/${articleIdOf('dung')}`, `/articles/${articleIdOf('dung')}/print`]) {
      await visit({ page }, at(path))
      for (const format of ['A4', 'Letter'] as const) {
        const { firstPage } = await readPdf(await page.pdf({ format, path: join(folder, `print-upright-${format}.pdf`) }))
        for (const words of ['Cộtcờgiữasântrường.', 'Lácờđượckéolêntừsớm.'])
          assert.ok(firstPage.includes(words), `${words} is not on the first page of ${path} on ${format}`)
      }
    }
  })
})
