/** The console's pages in a real browser: an operator finds an article, sees how each outlet stands, and does what may be done. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { artefactFolder, findBarriers, keepPicture, openPage, overflowOf, skipBrowser, startBrowser } from './support/browser.ts'
import { createSystem } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const write = createWriter(73)

test('an operator sees every outlet and pauses, resumes, tests and replays one', { skip: skipBrowser }, async t => {
  const system = await createSystem(t, { outlets: ['tinh-doan', 'so-van-hoa'], retryScale: 0.02 })
  const running = await system.start()
  const { 'tinh-doan': partner, 'so-van-hoa': failing } = system.partners
  assert.ok(partner && failing)
  await running.publish('mot', write())
  await failing.setMode({ status: 503 })
  for (const id of ['hai', 'ba', 'bon']) await running.settled(await running.put(id, write()))
  const browser = await startBrowser(t)
  const folder = await artefactFolder(t, 'console-outlets')
  const address = new URL('/outlets', running.newswire.url('console')).href

  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [320, 1280])
      await t.test(`no barrier, nothing refused, nothing beyond the screen (${colorScheme}, ${width} px)`, async () => {
        const { page, offences } = await openPage(browser, { colorScheme, viewport: { width, height: 900 } })
        await page.goto(address)
        await page.locator('#outlets').getByText('failing').waitFor()
        await page.getByRole('button', { name: 'so-van-hoa' }).click()
        await page.locator('#came').getByText('retrying').first().waitFor()
        assert.deepEqual(await findBarriers(page), [])
        assert.ok((await overflowOf(page)) <= 0, 'it is too wide')
        await keepPicture(page, join(folder, `outlets-${colorScheme}-${width}.png`))
        assert.deepEqual(offences, [])
      })

  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [320, 1280])
      await t.test(`an article is found, with who waits for it and why (${colorScheme}, ${width} px)`, async () => {
        const { page, offences } = await openPage(browser, { colorScheme, viewport: { width, height: 900 } })
        await page.goto(running.newswire.url('console'))
        await page.getByLabel('Find by id or title').fill('.hai')
        await page.getByLabel('State').selectOption('in flight')
        await waitFor('it to be found alone', async () => (await page.locator('#articles button').count()) === 1)
        await page.locator('#articles button').click()
        await page.locator('#trace').getByText('retrying').waitFor()
        await page.getByRole('button', { name: 'outlet so-van-hoa' }).click()
        await page.locator('#why p').first().waitFor()
        assert.deepEqual(await findBarriers(page), [])
        assert.ok((await overflowOf(page)) <= 0, 'it is too wide')
        await keepPicture(page, join(folder, `console-${colorScheme}-${width}.png`))
        assert.deepEqual(offences, [])
      })

  await t.test('what is done is done to the outlet whose name stands above it', async () => {
    const { page } = await openPage(browser)
    let late: (() => Promise<void>) | undefined
    await page.route('**/v1/outlets/tinh-doan', async route => {
      late ??= () => route.continue()
    })
    await page.goto(address)
    await page.getByRole('button', { name: 'tinh-doan' }).click()
    await page.getByRole('heading', { name: 'tinh-doan' }).waitFor()
    await waitFor('its answer to be on its way', () => late !== undefined)
    await page.getByRole('button', { name: 'so-van-hoa' }).click()
    await page.locator('#facts').getByText('failing').first().waitFor()
    const answered = page.waitForResponse('**/v1/outlets/tinh-doan')
    await late?.()
    await answered
    const asked = page.waitForRequest(request => request.method() === 'POST')
    await page.getByRole('button', { name: 'Send a test' }).click()
    assert.match((await asked).url(), /\/so-van-hoa\/test$/)
    await page.getByText(/so-van-hoa: A test was asked for/).waitFor()
    await page.getByRole('heading', { name: 'so-van-hoa' }).waitFor()
  })

  await t.test('what is done is said, and is done', async () => {
    const { page, offences } = await openPage(browser)
    await page.goto(running.newswire.url('console'))
    await page.getByRole('link', { name: 'Outlets' }).click()
    await page.getByRole('button', { name: 'tinh-doan' }).click()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.locator('#facts').getByText('paused by operator').waitFor()
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.locator('#facts').getByText('well').waitFor()
    await page.getByRole('button', { name: 'Send a test' }).click()
    await page.locator('#requests').getByText('it was accepted').waitFor()
    const before = partner.requests.length
    await page.getByLabel(/Replay after a sequence/).fill(new Date(Date.now() - 3_600_000).toISOString())
    await page.getByRole('button', { name: 'Replay' }).click()
    await waitFor('all four once more', () => partner.requests.length === before + 4)
    await page.getByRole('button', { name: 'Make a new secret' }).click()
    await page.getByText(/whsec_/).waitFor()
    assert.deepEqual(offences, [])
  })
})
