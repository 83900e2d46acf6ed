import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findOffences } from './boundaries.ts'

const manifest = (name: string, dependencies: Record<string, string> = {}) => JSON.stringify({ name, dependencies })

/** A small tree in which every rule holds. */
const SOUND: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ name: 'newswire', devDependencies: { turbo: '2.11.9' } }),
  'test/first.e2e.test.ts':
    "import assert from 'node:assert/strict'\nimport { test } from 'node:test'\nimport { a } from '@newswire/events/article'\ntest('a rule', () => assert.equal(a, 1))\n",
  'packages/events/package.json': manifest('@newswire/events'),
  'packages/events/src/article.ts': '/** What import { a } from "kafkajs" would do. */\nexport const a = 1\n',
  'packages/log/package.json': manifest('@newswire/log', { kafkajs: '2.2.4' }),
  'packages/log/src/kafka-client.ts': "import kafkajs from 'kafkajs'\nexport const client = kafkajs\n",
  'packages/log/src/kafka-reader.ts': "import type { Cluster } from 'kafkajs'\nexport type C = Cluster\n",
  'packages/runtime/package.json': manifest('@newswire/runtime'),
  'packages/runtime/src/settings.ts': 'export const all = () => process.env\n',
  'services/desk/package.json': manifest('@newswire/desk', { '@newswire/events': '*' }),
  'services/desk/src/main.ts': "import { a } from '@newswire/events/article'\nimport { b } from './decide.ts'\nexport const c = a + b\n",
  'services/desk/src/decide.ts': 'export const b = 2\n',
  'services/feeds/package.json': manifest('@newswire/feeds', { feed: '6.0.0' }),
  'services/feeds/src/feed.ts': "import { Feed } from 'feed'\nexport const f = Feed\n",
  'services/images/package.json': manifest('@newswire/images', { sharp: '0.35.5' }),
  'services/images/src/sharp.ts': "import sharp from 'sharp'\nexport const s = sharp\n",
  'services/images/src/sharp.test.ts':
    "import assert from 'node:assert/strict'\nimport { test } from 'node:test'\nimport sharp from 'sharp'\ntest('a rule', { skip: process.env['X'] ? 'no X here' : false }, () => assert.ok(sharp))\n",
}

const plant = async (t: TestContext, files: Readonly<Record<string, string>>): Promise<string> => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-boundaries-'))
  t.after(() => rm(root, { recursive: true }))
  for (const [path, text] of Object.entries({ ...SOUND, ...files })) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return root
}

test('a tree that keeps the rules has no offences', async t => {
  assert.deepEqual(findOffences(await plant(t, {})), [])
})

const TEST_HEAD = "import assert from 'node:assert/strict'\nimport { test } from 'node:test'\n"

/** Each case plants one violation: the files, where it must be seen, and a word of what must be said. */
const CASES: readonly (readonly [rule: string, files: Record<string, string>, at: string, says: RegExp])[] = [
  [
    'a service that imports a service',
    {
      'services/desk/package.json': manifest('@newswire/desk', { '@newswire/events': '*', '@newswire/feeds': '*' }),
      'services/desk/src/more.ts': "import { f } from '@newswire/feeds/feed'\nexport const g = f\n",
    },
    'services/desk/src/more.ts:1',
    /services never import each other/,
  ],
  [
    'a package that imports a service',
    {
      'packages/log/package.json': manifest('@newswire/log', { kafkajs: '2.2.4', '@newswire/feeds': '*' }),
      'packages/log/src/x.ts': "import { f } from '@newswire/feeds/feed'\nexport const g = f\n",
    },
    'packages/log/src/x.ts:1',
    /packages do not know services/,
  ],
  [
    'an import that leaves its package by path',
    { 'services/desk/src/more.ts': "export { f } from '../../feeds/src/feed.ts'\n" },
    'services/desk/src/more.ts:1',
    /leaves its package/,
  ],
  [
    'kafkajs outside of its client',
    { 'packages/log/src/kafka-reader.ts': "import kafkajs from 'kafkajs'\nexport const k = kafkajs\n" },
    'packages/log/src/kafka-reader.ts:1',
    /kafkajs may only/,
  ],
  [
    'types of kafkajs outside of its files',
    { 'packages/log/src/log.ts': "import type { Admin } from 'kafkajs'\nexport type A = Admin\n" },
    'packages/log/src/log.ts:1',
    /kafkajs may only/,
  ],
  [
    'a library loaded while running',
    { 'services/images/src/main.ts': "export const load = async () => await import('sharp')\n" },
    'services/images/src/main.ts:1',
    /sharp may only/,
  ],
  [
    'a library in a second file',
    { 'services/feeds/src/rss.ts': "import {\n  Feed,\n} from 'feed'\nexport const g = Feed\n" },
    'services/feeds/src/rss.ts:1',
    /feed may only/,
  ],
  [
    'an import that is not declared',
    { 'services/desk/src/more.ts': "import { z } from 'zod'\nexport const y = z\n" },
    'services/desk/src/more.ts:1',
    /imports zod, which services\/desk\/package\.json does not declare/,
  ],
  [
    'a dependency that nobody imports',
    { 'packages/events/package.json': manifest('@newswire/events', { zod: '4.6.7' }) },
    'packages/events/package.json:1',
    /declares zod/,
  ],
  [
    'a package of ours at the root',
    { 'package.json': JSON.stringify({ name: 'newswire', devDependencies: { turbo: '2.11.9', '@newswire/log': '*' } }) },
    'package.json:1',
    /must not be a dependency of the root/,
  ],
  [
    'a version that may move',
    { 'services/feeds/package.json': manifest('@newswire/feeds', { feed: '^6.0.0' }) },
    'services/feeds/package.json:1',
    /one exact version/,
  ],
  [
    'a lock file that names a registry',
    { 'package-lock.json': '{\n"resolved": "https://packages.example/a.tgz"\n}' },
    'package-lock.json:2',
    /names a registry/,
  ],
  [
    'a second reader of the environment',
    { 'services/desk/src/main.ts': `${SOUND['services/desk/src/main.ts']}export const e = process.env.HOME\n` },
    'services/desk/src/main.ts:4',
    /process\.env/,
  ],
  [
    'unfinished work',
    { 'services/desk/src/decide.ts': '// TODO: think\nexport const b = 2\n' },
    'services/desk/src/decide.ts:1',
    /unfinished/,
  ],
  [
    'unfinished words',
    { 'services/desk/src/decide.ts': 'export const b = 2 // good enough for now\n' },
    'services/desk/src/decide.ts:1',
    /unfinished/,
  ],
  [
    'a test that leaves others out',
    { 'services/desk/src/decide.test.ts': `${TEST_HEAD}test.only('x', () => assert.ok(1))\n` },
    'services/desk/src/decide.test.ts:3',
    /leaves all other tests out/,
  ],
  [
    'a test skipped for no reason',
    { 'services/desk/src/decide.test.ts': `${TEST_HEAD}test('x', { skip: true }, () => assert.ok(1))\n` },
    'services/desk/src/decide.test.ts:3',
    /without saying why/,
  ],
  [
    'a test that cannot fail',
    { 'services/desk/src/decide.test.ts': `${TEST_HEAD}test('x', () => assert.ok(true))\n` },
    'services/desk/src/decide.test.ts:3',
    /cannot fail/,
  ],
  [
    'a test that asserts nothing',
    { 'services/desk/src/decide.test.ts': "import { test } from 'node:test'\ntest('x', () => undefined)\n" },
    'services/desk/src/decide.test.ts:1',
    /asserts nothing/,
  ],
  ['a barrel', { 'packages/events/src/all.ts': "export * from './article.ts'\n" }, 'packages/events/src/all.ts:1', /barrel/],
  [
    'a folder for anything',
    { 'packages/events/src/utils/a.ts': 'export const a = 1\n' },
    'packages/events/src/utils/a.ts:1',
    /could hold anything/,
  ],
  ['a path of one machine', { 'README.md': 'Look into /home/mai/newswire/.\n' }, 'README.md:1', /path of one machine/],
  ['the address of a registry', { 'infra/get.sh': 'curl https://registry.npmjs.org/feed\n' }, 'infra/get.sh:1', /registry/],
]

for (const [rule, files, at, says] of CASES) {
  test(`${rule} is an offence`, async t => {
    const offences = findOffences(await plant(t, files))
    assert.deepEqual(
      offences.map(({ path, line }) => `${path}:${line}`),
      [at],
      JSON.stringify(offences),
    )
    assert.match(offences[0]?.message ?? '', says)
  })
}
