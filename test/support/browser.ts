/** A real browser that looks at pages: what it refuses or complains about is collected, what it sees is kept as pictures. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type axe from 'axe-core'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const CHROMIUM = process.env['NEWSWIRE_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
/** Why tests in a browser are skipped; `false` when they are not. */
export const skipBrowser = existsSync(CHROMIUM)
  ? false
  : 'no Chromium at /usr/bin/chromium; install it, or name it in NEWSWIRE_TEST_CHROMIUM'
const DEADLINE_MS = 60_000

export const startBrowser = async (t: TestContext): Promise<Browser> => {
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

/** Where what tests show is kept: `NEWSWIRE_TEST_ARTEFACTS`, else a new folder that stays. Told once, by the test's diagnostics. */
export const artefactFolder = async (t: TestContext, name: string): Promise<string> => {
  const given = process.env['NEWSWIRE_TEST_ARTEFACTS']
  const folder = given === undefined ? await mkdtemp(join(tmpdir(), `newswire-${name}-`)) : join(given, name)
  await mkdir(folder, { recursive: true })
  t.diagnostic(`screenshots are in ${folder}`)
  return folder
}

type Opened = Readonly<{
  page: Page
  context: BrowserContext
  /** What the page's policy refused, what it threw, what was not found, in the order of time. */
  offences: string[]
}>

/** One page in a context of its own; the browser's `close` closes it. */
export const openPage = async (browser: Browser, options: BrowserContextOptions = {}): Promise<Opened> => {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  page.setDefaultTimeout(DEADLINE_MS)
  const offences: string[] = []
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') offences.push(message.text())
  })
  page.on('pageerror', error => offences.push(error.message))
  return { page, context, offences }
}

/** Goes there and waits until nothing is loading any more. Resolves with the status. */
export const visit = async ({ page }: Pick<Opened, 'page'>, url: string): Promise<number> => {
  const response = await page.goto(url, { waitUntil: 'networkidle' })
  return response?.status() ?? 0
}

const axeSource = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Every rule of axe, best practices among them. Each violation as one line: rule, element, what is wrong. */
export const findBarriers = async (page: Page): Promise<string[]> => {
  await page.evaluate(await axeSource)
  const run = "axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } })"
  const { violations } = (await page.evaluate(run)) as axe.AxeResults
  return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html.slice(0, 200)}: ${node.failureSummary ?? ''}`))
}

/** How far the page's content reaches beyond the screen, CSS pixels. */
export const overflowOf = async (page: Page): Promise<number> =>
  Number(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'))

/** All of the page, as the reader would scroll through it. */
export const keepPicture = async (page: Page, file: string): Promise<void> => {
  await assertWhole(page)
  await page.screenshot({ path: file, fullPage: true })
}

/** Every picture of the page comes, also those that a reader has to scroll to. */
export const assertWhole = async (page: Page): Promise<void> => {
  await page.evaluate(
    "Promise.all([...document.images].map(image => { image.loading = 'eager'; return image.complete || new Promise(done => { image.onload = image.onerror = done }) }))",
  )
  assert.deepEqual(await page.evaluate('[...document.images].filter(image => image.naturalWidth === 0).map(image => image.src)'), [])
}
