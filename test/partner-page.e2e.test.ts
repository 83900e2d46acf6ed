/** A partner's page in a real browser: signing in, what came, and every form, without scripts. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { createWriter } from './support/articles.ts'
import { artefactFolder, findBarriers, keepPicture, openPage, overflowOf, skipBrowser, startBrowser, visit } from './support/browser.ts'
import { isSignedWith } from './support/partner-api.ts'
import { articleIdOf, createSystem } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const write = createWriter(71)
const TOKEN = 'nw_partner_of_the_page_08fe'

test('a partner signs in and helps itself, without scripts', { skip: skipBrowser }, async t => {
  const system = await createSystem(t, { partnerTokens: { 'tinh-doan': TOKEN }, retryScale: 0.02 })
  const running = await system.start()
  const { partner } = system
  const address = new URL('/partners/tinh-doan', running.newswire.url('gateway')).href
  const browser = await startBrowser(t)
  const folder = await artefactFolder(t, 'partner-page')
  const articles = [write(), write(), write()]
  for (const [index, article] of articles.entries()) await running.publish(`bai-${index}`, article)
  await partner.setMode({ status: 503 })
  await running.settled(await running.put('bai-loi', write()))
  await waitFor('it to be refused', () => partner.requests.some(one => one.article === articleIdOf('bai-loi')))

  const signIn = async (page: Page, token = TOKEN) => {
    await page.goto(address)
    await page.getByLabel('Mã truy cập').fill(token)
    await page.getByRole('button', { name: 'Đăng nhập' }).click()
  }

  await t.test('a wrong token is refused in words; the right one opens the page until it signs out', async () => {
    const { page, context } = await openPage(browser, { javaScriptEnabled: false })
    await signIn(page, 'nw_sai')
    assert.match(await page.getByRole('alert').innerText(), /không mở được/)
    await signIn(page)
    assert.match(await page.locator('h1').innerText(), /tinh-doan/)
    const [cookie] = await context.cookies(address)
    assert.deepEqual([cookie?.path, cookie?.httpOnly, cookie?.sameSite], ['/partners/tinh-doan', true, 'Strict'])
    assert.equal((await context.cookies(new URL('/', address).href)).length, 0, 'no other page gets it')
    await page.getByRole('button', { name: 'Đăng xuất' }).click()
    assert.equal(await page.locator('h1').innerText(), 'Đăng nhập')
  })

  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [320, 1280])
      await t.test(`no barrier, nothing refused, nothing beyond the screen (${colorScheme}, ${width} px)`, async () => {
        const { page, offences } = await openPage(browser, { colorScheme, viewport: { width, height: 900 } })
        const look = async (name: string) => {
          assert.deepEqual(
            offences.filter(one => !one.includes('status of 401')),
            [],
            name,
          )
          assert.deepEqual(await findBarriers(page), [], name)
          assert.ok((await overflowOf(page)) <= 0, `${name} is too wide`)
          await keepPicture(page, join(folder, `${name}-${colorScheme}-${width}.png`))
        }
        assert.equal(await visit({ page }, address), 401)
        await look('sign-in')
        await signIn(page)
        await page.getByText(articles[0]?.title ?? '').waitFor()
        await look('page')
      })

  await t.test('a test, a pause and its end, a replay and a new secret by forms alone', async () => {
    const { page, offences } = await openPage(browser, { javaScriptEnabled: false })
    await partner.setMode('ok')
    // The more attempts have failed by now, the longer the next one waits.
    await waitFor('the failed one to arrive', () => partner.held(articleIdOf('bai-loi')), { deadlineMs: 150_000 })
    await signIn(page)
    await page.getByRole('button', { name: 'Gửi thử' }).click()
    assert.match(await page.getByRole('status').innerText(), /ghi nhận/)
    await waitFor('the outcome of the test', async () => {
      await page.goto(address)
      return /xong: đã được nhận/.test(await page.locator('main').innerText())
    })
    await page.getByRole('button', { name: 'Tạm dừng gửi tin' }).click()
    assert.match(await page.locator('.state').innerText(), /đang tạm dừng bởi bạn/)
    await keepPicture(page, join(folder, 'paused.png'))
    await page.getByRole('button', { name: 'Gửi tiếp' }).click()
    assert.match(await page.locator('.state').innerText(), /đã được gửi/)

    const before = partner.requests.length
    await page.getByLabel('Hoặc từ một thời điểm').fill('hôm qua')
    await page.getByRole('button', { name: 'Gửi lại' }).click()
    assert.match(await page.getByRole('status').innerText(), /Không thể gửi lại/)
    await page.getByLabel('Hoặc từ một thời điểm').fill(new Date(Date.now() - 3_600_000).toISOString())
    await page.getByRole('button', { name: 'Gửi lại' }).click()
    await waitFor('all four once more', () => partner.requests.length === before + 4)

    await page.getByRole('button', { name: 'Tạo khóa mới' }).click()
    const secret = await page.locator('.secret').innerText()
    await keepPicture(page, join(folder, 'secret.png'))
    await page.getByRole('link', { name: 'Về trang đối tác' }).click()
    assert.ok(!(await page.content()).includes(secret))
    await waitFor('it to sign', async () => {
      await running.publish(`sau-${partner.requests.length}`, write())
      return isSignedWith(secret, partner.requests.at(-1) ?? { headers: {}, body: '' })
    })
    assert.deepEqual(
      offences.filter(one => !one.includes('status of 401')),
      [],
    )
  })
})
