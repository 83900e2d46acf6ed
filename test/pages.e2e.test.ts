/** The pages in a real browser: what a reader, a partner and an operator see. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'
import { createWriter } from './support/articles.ts'
import { newFolder, startUp } from './support/newswire.ts'
import { createPublisher } from './support/publisher.ts'

const CHROMIUM = process.env['NEWSWIRE_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
const skip = existsSync(CHROMIUM) ? false : 'no Chromium at /usr/bin/chromium; install it, or name it in NEWSWIRE_TEST_CHROMIUM'
const DEADLINE_MS = 20_000

/** A page that collects what went wrong in it: refused by its policy, thrown, not found. */
const openPage = async (browser: Browser): Promise<{ page: Page; offences: string[] }> => {
  const page = await browser.newPage()
  page.setDefaultTimeout(DEADLINE_MS)
  const offences: string[] = []
  page.on('console', message => {
    if (message.type() === 'error') offences.push(message.text())
  })
  page.on('pageerror', error => offences.push(error.message))
  return { page, offences }
}

const startBrowser = async (t: TestContext): Promise<Browser> => {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  t.after(() => browser.close())
  return browser
}

const isWhole = (page: Page) =>
  page
    .locator('img')
    .evaluateAll(images =>
      (images as unknown as { complete: boolean; naturalWidth: number }[]).every(image => image.complete && image.naturalWidth > 0),
    )

test('the demo’s pages show their articles and pictures under a policy that lets no script run, and the console moves', {
  skip,
}, async t => {
  const dataDir = await newFolder(t)
  const running = await startUp(t, { dataDir, more: ['--demo'] })
  const client = JSON.parse(await readFile(join(dataDir, 'client.json'), 'utf8')) as { token: string; publisher: string }
  const browser = await startBrowser(t)
  const gateway = running.url('gateway')

  await t.test('front page and article page in Vietnamese, pictures loaded, nothing refused', async () => {
    const { page, offences } = await openPage(browser)
    await page.goto(gateway)
    await page.getByRole('link', { name: /Thư viện xã Hòa Bình/ }).click({ timeout: DEADLINE_MS })
    assert.equal(await page.locator('html').getAttribute('lang'), 'vi')
    assert.match(await page.locator('h1').innerText(), /sáng đèn đến mười giờ đêm/)
    assert.equal(await page.locator('figcaption').count(), 2)
    await page.waitForLoadState('networkidle')
    assert.ok(await isWhole(page), 'every picture is there')
    assert.deepEqual(offences, [])
  })

  await t.test('the print view holds the whole article and its address', async () => {
    const { page, offences } = await openPage(browser)
    await page.goto(`${gateway}/articles/${client.publisher}.library/print`)
    const text = await page.locator('main').innerText()
    assert.match(text, /trải chiếu ngoài hiên/)
    assert.ok(text.includes(`${client.publisher}.library`))
    assert.ok((await page.pdf()).byteLength > 10_000)
    assert.deepEqual(offences, [])
  })

  await t.test('a narrow screen needs no sideways scrolling', async () => {
    const { page } = await openPage(browser)
    await page.setViewportSize({ width: 360, height: 740 })
    for (const path of ['/', '/feeds', `/articles/${client.publisher}.ferry`]) {
      await page.goto(`${gateway}${path}`)
      const over = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      assert.ok(Number(over) <= 0, `${path} is ${String(over)} px too wide`)
    }
  })

  await t.test('an article that is published now appears on the open console, with its trace', async () => {
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
})
