import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseConfig, readConfigFile } from './config-file.ts'
import { readDemoConfig } from './demo.ts'
import { UsageError } from './usage-error.ts'

const messageOf = (text: string): string => {
  try {
    parseConfig(text, 'newswire.yaml')
  } catch (error) {
    assert.ok(error instanceof UsageError)
    return error.message
  }
  return ''
}
const SITE = 'site: { id: "news.example,2026", title: News, publicUrl: "https://news.example" }\n'

test('a wrong file is refused whole, every complaint with its path', () => {
  const message = messageOf(`${SITE}feeds: [{ id: Bad Id, title: x }, { id: ok, title: "" }]\nfedes: []\n`)
  for (const path of ['feeds[0].id', 'feeds[1].title', 'fedes']) assert.ok(message.includes(`  ${path}: expected`), `${path} in ${message}`)
  assert.match(messageOf(''), /newswire\.yaml is not valid/)
  assert.match(messageOf('a: [1'), /is not YAML/)
})

test('aliases that grow without end are refused', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
    .split('')
    .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghi'[index]}`).join(',')}]`)
    .join('\n')}`
  assert.notEqual(messageOf(bomb), '')
})

test('a file in another encoding is refused: its names would be damaged', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-config-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'newswire.yaml')
  await writeFile(file, Buffer.from(SITE.replace('News,', 'Bé,'), 'latin1'))
  await assert.rejects(readConfigFile(file), { name: 'UsageError', message: `${file} is not UTF-8; save it as UTF-8 and try again` })
})

test('a file that is not there is wrong use, with its name', async () => {
  await assert.rejects(
    readConfigFile('no/such/newswire.yaml'),
    (error: unknown) => error instanceof UsageError && /no\/such/.test(error.message),
  )
})

test('the demo’s own configuration is valid and sends to the address of this run', async () => {
  const config = await readDemoConfig({ partnerHook: 'http://127.0.0.1:9/hook', publicUrl: 'http://127.0.0.1:8' })
  assert.equal(config.site.publicUrl, 'http://127.0.0.1:8')
  assert.ok(config.feeds.length > 0 && config.publishers.length > 0)
  assert.deepEqual(
    config.outlets.map(outlet => outlet.deliver.kind === 'webhook' && outlet.deliver.url),
    config.outlets.map(() => 'http://127.0.0.1:9/hook'),
  )
})
