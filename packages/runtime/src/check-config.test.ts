import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkConfig } from './check-config.ts'

const site = { id: 'news.example,2026', title: 'News', publicUrl: 'https://news.example/' }
const token = (id: string, sha256 = 'a'.repeat(64)) => ({ id, sha256, scopes: ['publish'] })
const complaintsOf = (value: unknown): string[] => {
  const checked = checkConfig(value)
  assert.equal(checked.ok, false, 'it was taken')
  return checked.ok ? [] : checked.complaints.map(({ path, expected, found }) => `${path}: ${expected}; ${found}`)
}

test('a right file comes back with its defaults', () => {
  const checked = checkConfig({
    site,
    publishers: [{ id: 'p', name: 'P', tokens: [token('cms')] }],
    categories: [
      { id: 'a', name: 'A' },
      { id: 'b', name: 'B', parent: 'a' },
      { id: 'c', name: 'C', parent: 'b' },
    ],
    feeds: [{ id: 'all', title: 'All', match: { categories: ['c'], publishers: ['p'] } }],
    outlets: [{ id: 'o', match: {}, deliver: { kind: 'webhook', url: 'https://o.example/', secretEnv: 'O_SECRET' } }],
  })
  assert.ok(checked.ok)
  assert.equal(checked.config.site.publicUrl, 'https://news.example')
  assert.deepEqual(checked.config.network, { allow: [], allowHttp: false })
  assert.equal(checked.config.feeds[0]?.limit, 50)
})

test('every complaint comes at once: wrong values, unknown settings, and references that lead nowhere', () => {
  assert.deepEqual(
    complaintsOf({
      site: { ...site, timeZone: 'Mars/Olympus', titel: 'x' },
      publishers: [
        { id: 'p', name: 'P', tokens: [token('one')] },
        { id: 'p', name: 'P', tokens: [token('two')] },
      ],
      categories: [
        { id: 'a', name: 'A', parent: 'b' },
        { id: 'b', name: 'B', parent: 'a' },
        { id: 'c', name: 'C', parent: 'nowhere' },
      ],
      feeds: [{ id: 'all', title: 'All', limit: 0, match: { categories: ['a', 'x'], publishers: ['y'] } }, 7],
      outlets: [
        {
          id: 'o',
          zzzz: 1,
          match: { publishers: ['p', 'z'] },
          deliver: { kind: 'webhook', url: 'ftp://x', secretEnv: 'lower', maxbyte: 1 },
        },
      ],
    }),
    [
      'site.timeZone: an IANA time zone, like Asia/Ho_Chi_Minh; "Mars/Olympus"',
      'site.titel: a known setting, like "title"; "titel"',
      'feeds[0].limit: at least 1; 0',
      'feeds[1]: an object; 7',
      'outlets[0].deliver.url: an http or https address; "ftp://x"',
      'outlets[0].deliver.secretEnv: the name of an environment variable, like TINH_DOAN_SECRET; "lower"',
      'outlets[0].deliver.maxbyte: a known setting, like "maxBytes"; "maxbyte"',
      'outlets[0].zzzz: a known setting; "zzzz"',
      'publishers[1].id: an id of its own; "p"',
      `publishers[1].tokens[0].sha256: a token of its own; "${'a'.repeat(64)}"`,
      'categories[0].parent: a line of parents that ends; a circle: a → b',
      'categories[1].parent: a line of parents that ends; a circle: b → a',
      'categories[2].parent: the id of a category in this file; "nowhere"',
      'feeds[0].match.categories[1]: the id of a category in this file; "x"',
      'feeds[0].match.publishers[0]: the id of a publisher in this file; "y"',
      'outlets[0].match.publishers[1]: the id of a publisher in this file; "z"',
    ],
  )
})

test('a file of any shape is answered with complaints, never with an exception', () => {
  const shapes = [null, undefined, 7, 'text', [], {}, { site: null }, { site, feeds: 'all' }, { site, feeds: [null, [], { match: 7 }] }]
  for (const shape of [...shapes, { site, categories: [{ id: 7, parent: 7 }, { parent: 'x' }], outlets: [{ match: { publishers: [7] } }] }])
    assert.ok(complaintsOf(shape).length > 0, JSON.stringify(shape))
  assert.match(complaintsOf(null)[0] ?? '', /^the file: an object; null$/)
})

test('a line of twenty thousand categories is looked through at once', () => {
  const categories = Array.from({ length: 20_000 }, (_, at) => ({ id: `c${at}`, name: 'C', parent: at === 0 ? 'nowhere' : `c${at - 1}` }))
  const started = performance.now()
  assert.deepEqual(complaintsOf({ site, categories }), ['categories[0].parent: the id of a category in this file; "nowhere"'])
  assert.ok(performance.now() - started < 10_000)
})

test('a category that is its own parent is a circle', () => {
  assert.deepEqual(complaintsOf({ site, categories: [{ id: 'a', name: 'A', parent: 'a' }] }), [
    'categories[0].parent: a line of parents that ends; a circle: a',
  ])
})

test('an address that no delivery could ever reach, and a network that is none, are refused when they are saved', () => {
  const outlets = (network: object, ...urls: readonly string[]) => ({
    site,
    network,
    outlets: urls.map((url, index) => ({ id: `o${index}`, match: {}, deliver: { kind: 'webhook', url, secretEnv: 'O_SECRET' } })),
  })
  const urls = [
    'http://o.example/',
    'https://10.0.0.1/x?key=1',
    'https://o.example:22/',
    'https://[::7f00:1]/',
    'https://u:secret@o.example/',
  ]
  const complaints = complaintsOf(outlets({}, ...urls))
  assert.deepEqual(
    complaints.map(one => one.slice(0, one.indexOf(':'))),
    urls.map((_, index) => `outlets[${index}].deliver.url`),
  )
  const drop = { kind: 's3', endpoint: 'https://169.254.169.254', bucket: 'drop', accessKeyIdEnv: 'A', secretAccessKeyEnv: 'B' }
  assert.match(complaintsOf({ site, outlets: [{ id: 'o', deliver: drop }] })[0] ?? '', /^outlets\[0\]\.deliver\.endpoint: .*linkLocal/)
  assert.match(complaints[0] ?? '', /an address that deliveries may reach; http:\/\/o\.example: .*allowHttp/)
  assert.doesNotMatch(complaints.join(), /secret|key=/)
  assert.deepEqual(complaintsOf(outlets({ allow: ['10.0.0.0/8', '999.0.0.0/8', '127.0.0.0/33', '1.2/8', 'fd00::/8'] })), [
    'network.allow[1]: a network in CIDR form, like 127.0.0.0/8 or fd00::/8; "999.0.0.0/8"',
    'network.allow[2]: a network in CIDR form, like 127.0.0.0/8 or fd00::/8; "127.0.0.0/33"',
    'network.allow[3]: a network in CIDR form, like 127.0.0.0/8 or fd00::/8; "1.2/8"',
  ])
  assert.ok(checkConfig(outlets({ allow: ['127.0.0.0/8'], allowHttp: true }, 'http://127.0.0.1:9000/', 'https://o.example/')).ok)
})

test('what could never be reached is told beside what is wrong elsewhere', () => {
  const url = 'https://10.0.0.1/'
  const file = {
    site: { ...site, timeZone: 'Mars/Olympus' },
    publishers: [{ id: 'P', name: 'Press', callbackUrl: url, callbackSecretEnv: 'PRESS_SECRET' }],
    outlets: [{ match: {}, deliver: { kind: 'webhook', url, secretEnv: 'O' } }],
  }
  const paths = (value: object) => complaintsOf({ ...file, ...value }).map(one => one.slice(0, one.indexOf(':')))
  const wrong = ['site.timeZone', 'publishers[0].id', 'outlets[0].id']
  assert.deepEqual(paths({}), [...wrong, 'publishers[0].callbackUrl', 'outlets[0].deliver.url'])
  // Which addresses are allowed is not known then; which networks are none is.
  assert.deepEqual(paths({ network: { allow: ['300.0.0.0/8'], allowHttp: 'maybe' } }), [
    wrong[0],
    'network.allowHttp',
    ...wrong.slice(1),
    'network.allow[0]',
  ])
})

test('a callback that could never be reached, or would go out unsigned, is refused when it is saved', () => {
  const publisher = (callbackUrl: string, rest: object = {}) => ({
    site,
    publishers: [{ id: 'press', name: 'Press', callbackUrl, ...rest }],
  })
  const named = { callbackSecretEnv: 'PRESS_SECRET' }
  for (const url of [
    'https://10.0.0.1/x?key=1',
    'https://[::ffff:127.0.0.1]/',
    'https://169.254.169.254/latest',
    'http://press.example/',
  ]) {
    const [complaint = '', ...more] = complaintsOf(publisher(url, named))
    assert.match(complaint, /^publishers\[0\]\.callbackUrl: an address that callbacks may reach/)
    assert.doesNotMatch(complaint, /key=|latest/)
    assert.equal(more.length, 0)
  }
  assert.match(
    complaintsOf(publisher('https://press.example/told'))[0] ?? '',
    /^publishers\[0\]\.callbackSecretEnv: the name of the environment variable/,
  )
  assert.ok(checkConfig(publisher('https://press.example/told', named)).ok)
})

test('a publisher’s hooks have ids of their own, and file only under categories of the file', () => {
  const hook = (id: string, mapping: object = {}) => ({ id, preset: 'ghost', secretEnv: 'GHOST', mapping })
  const file = (hooks: object[]) => ({ site, publishers: [{ id: 'p', name: 'P', hooks }], categories: [{ id: 'a', name: 'A' }] })
  assert.equal(checkConfig(file([hook('one', { categories: { News: 'a' } }), hook('two')])).ok, true)
  assert.deepEqual(complaintsOf(file([hook('one', { categories: { News: 'x' }, everyCategory: ['a', 'y'] }), hook('one')])), [
    'publishers[0].hooks[1].id: an id of its own; "one"',
    'publishers[0].hooks[0].mapping.categories.News: the id of a category in this file; "x"',
    'publishers[0].hooks[0].mapping.everyCategory[1]: the id of a category in this file; "y"',
  ])
  assert.match(complaintsOf(file([hook('one', { fields: { title: 'headline' } })])).join(), /mapping\.fields\.title: .*JSON pointer/)
  assert.match(complaintsOf(file([{ ...hook('one'), preset: 'drupal' }])).join(), /preset/)
})
