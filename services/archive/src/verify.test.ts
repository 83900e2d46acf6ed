/** The verifier against whoever changes a copy. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { sha256Hex } from '@newswire/events/ids'
import { buildPack, entriesOf, parseIndex, toIndexBytes } from '@newswire/objects/archive-pack'
import fc from 'fast-check'
import { closeOnce } from './close.ts'
import { copyArchive } from './copy.ts'
import { merkleRoot } from './merkle.ts'
import { openSampleArchive, SAMPLE_DAY_MS } from './sample-archive.ts'
import { type KeysDocument, readKeys } from './signing.ts'
import { type Copy, openFolder, type Verdict, verifyCopy } from './verify-copy.ts'

type Files = ReadonlyMap<string, Uint8Array>
/** What was done to the copy, which is what a failure prints. */
type Done = Readonly<{ said: string; toString(): string; held(): Files }>
const done = (said: string, held: () => Files): Done => ({ said, toString: () => said, held })

/** Three manifests over two days, with updates and an import. */
const sample = async (): Promise<{ files: Files; keys: KeysDocument }> => {
  const archive = await openSampleArchive()
  const folder = mkdtempSync(join(tmpdir(), 'newswire-copy-'))
  try {
    for (const id of ['press.a', 'press.B', 'other.c']) await archive.add(id, 1)
    await closeOnce(archive.needs)
    archive.clock.nowMs += SAMPLE_DAY_MS
    await archive.add('press.a', 2)
    await archive.add('press.old', 1, 'Từ năm 2019', { firstReleasedAt: '2019-05-05T00:00:00.000Z' })
    await closeOnce(archive.needs)
    await archive.add('press.B', 2)
    await closeOnce(archive.needs)
    await copyArchive(archive.objects, folder)
    const copy = openFolder(folder)
    const files = new Map<string, Uint8Array>()
    for (const path of await copy.list()) files.set(path, (await copy.read(path)) ?? new Uint8Array())
    const keys = await readKeys(archive.objects)
    assert.ok(keys)
    return { files, keys: keys.value }
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await archive.close()
  }
}
const { files, keys } = await sample()
const OWN_KEYS = 'archive/keys.json'
const paths = [...files.keys()].filter(path => path !== OWN_KEYS).sort()

const inMemory = (held: Files): Copy => ({
  list: async () => [...held.keys()],
  read: async path => held.get(path) ?? null,
})
const verify = (held: Files): Promise<Verdict> => verifyCopy(inMemory(held), keys)
const bytesOf = (path: string): Uint8Array => files.get(path) ?? new Uint8Array()
const withFile = (path: string, bytes: Uint8Array): Files => new Map([...files, [path, bytes]])
const withoutFile = (path: string): Files => new Map([...files].filter(([one]) => one !== path))

const anyPath = fc.constantFrom(...paths)
const linesOf = (path: string): string[] => Buffer.from(bytesOf(path)).toString('utf8').split('\n').slice(0, -1)
const fromLines = (lines: readonly string[]): Uint8Array => Buffer.from(lines.map(line => `${line}\n`).join(''))
const linePaths = paths.filter(path => path.endsWith('.jsonl'))

const change = fc.tuple(anyPath, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([path, at, by]) =>
  done(`byte ${at % Math.max(1, bytesOf(path).length)} of ${path} changed by ${by}`, () => {
    const bytes = Uint8Array.from(bytesOf(path))
    const place = at % Math.max(1, bytes.length)
    bytes[place] = (bytes[place] ?? 0) ^ by
    return withFile(path, bytes)
  }),
)
const cut = fc.tuple(anyPath, fc.nat()).map(([path, at]) => {
  const length = at % Math.max(1, bytesOf(path).length)
  return done(`${path} cut to ${length}`, () => withFile(path, bytesOf(path).subarray(0, length)))
})
const longer = fc
  .tuple(anyPath, fc.uint8Array({ minLength: 1, maxLength: 40 }))
  .map(([path, more]) => done(`${path} made longer by ${more}`, () => withFile(path, Buffer.concat([bytesOf(path), more]))))
const deletion = fc
  .uniqueArray(anyPath, { minLength: 1, maxLength: 3 })
  .map(gone => done(`${gone} deleted`, () => new Map([...files].filter(([path]) => !gone.includes(path)))))
const insertion = fc
  .tuple(
    fc.constantFrom(
      'archive/2026/03/01/press.a/v0003.json',
      'archive/manifests/00000004.jsonl',
      'archive/manifests/00000000.jsonl',
      'archive/packs/2026/03/01/00000001-002.index.jsonl',
      'archive/packs/2026/03/03/00000003-001-0000000000000000.gz',
      'archive/purged/press.a/0001.jsonl',
      'archive/anything.json',
      'native/press/2026/03/01/planted',
    ),
    anyPath,
  )
  .map(([path, like]) => done(`${path} inserted, like ${like}`, () => withFile(path, bytesOf(like))))
const exchange = fc
  .tuple(anyPath, anyPath)
  .map(([a, b]) => done(`${a} and ${b} exchanged`, () => new Map([...files, [a, bytesOf(b)], [b, bytesOf(a)]])))
const lines = fc
  .tuple(fc.constantFrom(...linePaths), fc.nat(), fc.nat(), fc.constantFrom('swap', 'drop', 'double'))
  .map(([path, a, b, how]) =>
    done(`${how} lines ${a} and ${b} of ${path}`, () => {
      const all = linesOf(path)
      const [i, j] = [a % all.length, b % all.length]
      if (how === 'swap') [all[i], all[j]] = [all[j] ?? '', all[i] ?? '']
      if (how === 'drop') all.splice(i, 1)
      if (how === 'double') all.splice(i, 0, all[j] ?? '')
      return withFile(path, fromLines(all))
    }),
  )

const isSame = (held: Files): boolean =>
  held.size === files.size && [...held].every(([path, bytes]) => files.has(path) && Buffer.compare(bytes, bytesOf(path)) === 0)

test('an untouched copy is proved', async () => {
  const verdict = await verify(files)
  assert.deepEqual([verdict.wrong, verdict.ok, verdict.manifests, verdict.versions], [undefined, true, 3, 6])
})

test('whatever is changed, cut, added, deleted, inserted, exchanged or put in another order in a copy is found', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(change, cut, longer, deletion, insertion, exchange, lines), async ({ said, held }) => {
      const verdict = await verify(held())
      assert.equal(verdict.ok, isSame(held()), `${said}: ${JSON.stringify(verdict)}`)
      if (!verdict.ok) assert.ok(/archive|native/.test(verdict.wrong?.path ?? '') && verdict.wrong?.what !== '')
    }),
    { numRuns: 3_000 },
  )
})

test('every single file that is deleted is named', async () => {
  for (const path of paths) {
    const { ok, wrong } = await verify(withoutFile(path))
    assert.equal(ok, false, path)
    assert.equal(wrong?.path, path)
  }
})

const ownKeys = Buffer.from(bytesOf(OWN_KEYS)).toString()

test('the keys that lie in a copy say what the published ones say, to the byte', async () => {
  assert.equal((await verify(withoutFile(OWN_KEYS))).wrong?.path, OWN_KEYS)
  // All but the counter of its writers, which says nothing.
  for (let at = ownKeys.indexOf(','); at < ownKeys.length; at++) {
    const bytes = Buffer.from(ownKeys)
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at)
    const { ok, wrong } = await verify(withFile(OWN_KEYS, bytes))
    assert.deepEqual([ok, wrong?.path], [false, OWN_KEYS], `${at}: ${bytes}`)
  }
  for (const text of [`${ownKeys}\n`, ownKeys.replace('"keys":', '"keys": '), ownKeys.replace('{"n"', '{"n":1,"n"'), 'null', ''])
    assert.equal((await verify(withFile(OWN_KEYS, Buffer.from(text)))).ok, false, text)
})

test('keys that are older or newer than the copy are no offence', async () => {
  const [first] = keys.keys
  assert.ok(first)
  const rotated = {
    ...keys,
    keys: [
      { ...first, untilManifest: 4 },
      { ...first, kid: '', fromManifest: 4 },
    ],
  }
  const own = (value: KeysDocument) => withFile(OWN_KEYS, Buffer.from(JSON.stringify(value)))
  assert.equal(
    (await verify(own({ ...rotated, head: { manifest: 4, sha256: 'f'.repeat(64) } }))).wrong,
    undefined,
    'rotated after they were fetched',
  )
  assert.equal((await verify(own({ ...keys, n: 99 }))).wrong, undefined)
  assert.equal((await verify(own({ ...keys, keys: [...keys.keys, { ...first, fromManifest: 3 }] }))).wrong?.path, OWN_KEYS, 'a key put in')
  assert.equal((await verify(own({ ...keys, head: null }))).wrong?.path, OWN_KEYS)
})

test('of a copy in a folder only plain files are proved: a link in the place of one is named', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-copy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), bytes)
  }
  assert.equal((await verifyCopy(openFolder(folder), keys)).wrong, undefined)
  renameSync(join(folder, indexPath), join(folder, 'elsewhere'))
  symlinkSync(join(folder, 'elsewhere'), join(folder, indexPath))
  assert.deepEqual((await verifyCopy(openFolder(folder), keys)).wrong, { path: indexPath, what: 'it is no plain file' })
})

test('nor is a folder on the way to a file a link, also where only days are asked for', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-copy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const write = (path: string, bytes: Uint8Array) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), bytes)
  }
  for (const [path, bytes] of files) {
    if (!path.startsWith('archive/packs/')) write(path, bytes)
    if (!path.endsWith('.index.jsonl')) continue
    const index = await parseIndex(bytes, path)
    for (const { key, content } of entriesOf(bytesOf(index.pack ?? ''), index)) write(key, content)
  }
  const days = ['2026-03-01']
  const { ok, versions } = await verifyCopy(openFolder(folder), keys, { days })
  assert.deepEqual([ok, versions > 0], [true, true], 'what lies loose is read as what is packed')
  renameSync(join(folder, 'archive/2026'), join(folder, 'elsewhere'))
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'archive/2026'))
  const { wrong } = await verifyCopy(openFolder(folder), keys, { days })
  assert.deepEqual(wrong, { path: 'archive/2026', what: 'it is a link and no folder' })
})

test('a day of which no manifest lists anything is not proved', async () => {
  const ofDays = (...days: string[]) => verifyCopy(inMemory(files), keys, { days })
  const { ok, versions } = await ofDays('2019-05-05')
  assert.deepEqual([ok, versions], [true, 1])
  const { wrong } = await ofDays('2019-05-05', '2019-05-06')
  assert.deepEqual(wrong, { path: 'archive/2019/05/06', what: 'no manifest lists anything of this day: nothing of it is proved' })
})

const indexPath = paths.find(path => path.startsWith('archive/packs/2026/03/01/00000001') && path.endsWith('.index.jsonl')) ?? ''
const repacked = async (edit: (key: string, content: Uint8Array) => Uint8Array | null): Promise<Files> => {
  const index = await parseIndex(bytesOf(indexPath), indexPath)
  const contents = [...entriesOf(bytesOf(index.pack ?? ''), index)].flatMap(({ key, sha256, content }) => {
    const edited = edit(key, content)
    return edited === null ? [] : [{ key, sha256, content: edited }]
  })
  const pack = await buildPack(contents)
  const packPath = indexPath.replace('.index.jsonl', `-${pack.sha256.slice(0, 16)}.gz`)
  const held = new Map([...files].filter(([path]) => path !== index.pack))
  return held.set(packPath, pack.bytes).set(indexPath, await toIndexBytes(pack, { manifest: 1, part: 1, pack: packPath }))
}

test('a pack and its index that were made anew to fit each other are found by what was signed', async () => {
  const changed = await verify(
    await repacked((key, content) => (key.includes('v0001') ? Buffer.from(content.toString().replace('số', 'sỗ')) : content)),
  )
  assert.match(changed.wrong?.what ?? '', /not what was signed/)
  const dropped = await verify(await repacked((key, content) => (key.includes('press.a/v0001') ? null : content)))
  assert.deepEqual([dropped.wrong?.path, dropped.wrong?.what.startsWith('it is missing')], ['archive/2026/03/01/press.a/v0001.json', true])
})

/** The first pack and its index, made anew under another name, in another order or from other bytes, to fit each other. */
const remade = async ({ to = indexPath, part = 1, backwards = false, more = (bytes: Uint8Array) => bytes }): Promise<Files> => {
  const index = await parseIndex(bytesOf(indexPath), indexPath)
  const contents = [...entriesOf(bytesOf(index.pack ?? ''), index)]
  const built = await buildPack(backwards ? contents.reverse() : contents)
  const bytes = more(built.bytes)
  const frame: [number, number] = [0, bytes.byteLength]
  const pack = { bytes, sha256: sha256Hex(bytes), entries: built.entries.map(entry => ({ ...entry, frame })) }
  const packPath = to.replace('.index.jsonl', `-${pack.sha256.slice(0, 16)}.gz`)
  const held = new Map([...files].filter(([path]) => path !== index.pack && path !== indexPath))
  return held.set(packPath, bytes).set(to, await toIndexBytes(pack, { manifest: 1, part, pack: packPath }))
}

test('a pack that holds what was signed is found when it lies on another day, or in another order: nobody would look for it there', async () => {
  assert.equal((await verify(await remade({}))).wrong, undefined)
  const elsewhere = indexPath.replace('2026/03/01', '2026/03/09')
  assert.equal((await verify(await remade({ to: elsewhere }))).ok, false)
  assert.equal((await verify(await remade({ to: indexPath.replace('-001', '-002'), part: 2 }))).ok, false)
  const { wrong } = await verify(await remade({ backwards: true }))
  assert.deepEqual([wrong?.path.startsWith(indexPath), wrong?.what], [true, 'it is twice in the pack, or not in the order of the manifest'])
})

test('what zcat does not show of a pack is found: a comment, a member with nothing in it, zeros behind the last one', async () => {
  const more = (insert: (bytes: Buffer) => readonly Uint8Array[]) => (bytes: Uint8Array) => Buffer.concat(insert(Buffer.from(bytes)))
  const comment = more(bytes => [Buffer.from([31, 139, 8, 16]), bytes.subarray(4, 10), Buffer.from('planted\0'), bytes.subarray(10)])
  const dated = more(bytes => [bytes.subarray(0, 4), Buffer.from('1234'), bytes.subarray(8)])
  const empty = gzipSync('')
  for (const one of [
    comment,
    dated,
    more(bytes => [empty, bytes]),
    more(bytes => [bytes, empty]),
    more(bytes => [bytes, Buffer.alloc(9)]),
  ]) {
    const { wrong } = await verify(await remade({ more: one }))
    assert.deepEqual([/\.gz$/.test(wrong?.path ?? ''), wrong?.what], [true, 'it cannot be unpacked, or holds more than what it unpacks to'])
  }
})

test('an index without a pack is found where the manifest has none, and says nothing else where it has', async () => {
  const nothing = async (path: string, sha256 = sha256Hex('')) =>
    withFile(path, await toIndexBytes({ bytes: new Uint8Array(), sha256, entries: [] }, { manifest: 1, part: 1, pack: null }))
  const stranger = indexPath.replace('2026/03/01', '2026/03/09')
  assert.deepEqual((await verify(await nothing(stranger))).wrong, { path: stranger, what: 'no manifest lists it' })
  const { wrong } = await verify(await nothing(indexPath, 'planted'))
  assert.deepEqual(wrong, { path: indexPath, what: 'it names no pack and says what is in it' })
})

test('of an index and its pack the one that was changed is named', async () => {
  const [first = '', ...rest] = linesOf(indexPath)
  const head = JSON.parse(first)
  const other = JSON.stringify({ ...head, sha256: head.sha256.replace(/.$/, (last: string) => (last === '0' ? '1' : '0')) })
  assert.equal((await verify(withFile(indexPath, fromLines([other, ...rest])))).wrong?.path, indexPath)
  assert.equal((await verify(withFile(head.pack, Buffer.from('other')))).wrong?.path, head.pack)
})

test('keys that do not say how far the archive goes are refused by name', async () => {
  const { head: _, ...without } = keys
  const { wrong } = await verifyCopy(inMemory(files), without as KeysDocument)
  assert.deepEqual(wrong?.path, 'newswire-keys.json')
})

test('a manifest whose entries, count and root were made to fit is found by its signature', async () => {
  const path = 'archive/manifests/00000002.jsonl'
  const [head = '', signature = '', ...entries] = linesOf(path)
  const kept = entries.slice(1)
  const forged = { ...JSON.parse(head), count: kept.length, merkleRoot: await merkleRoot(kept.map(line => Buffer.from(line))) }
  const { wrong } = await verify(withFile(path, fromLines([JSON.stringify(forged), signature, ...kept])))
  assert.deepEqual([wrong?.path, wrong?.what.startsWith('its signature does not fit')], [path, true])
})

test('the newest manifests cannot be cut off unseen: the published keys say how far the archive goes', async () => {
  const held = new Map([...files].filter(([path]) => !/\/00000003[-.]/.test(path)))
  const { wrong } = await verify(held)
  assert.deepEqual([wrong?.path, wrong?.what], ['archive/manifests/00000003.jsonl', 'it is missing; the keys say that manifest 3 is there'])
})

test('run as a partner runs it, what is no day, no key file or no copy is said in a line, and proves nothing', () => {
  const run = (...args: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'verify-copy.ts'), ...args], { encoding: 'utf8' })
    return [status, stderr.split('\n')[0]]
  }
  assert.deepEqual(run('.', 'keys.json', '2026/03/01'), [2, 'a day is yyyy-mm-dd, got "2026/03/01"'])
  assert.deepEqual(run('.', 'keys.json', '2026-02-31'), [2, 'a day is yyyy-mm-dd, got "2026-02-31"'])
  assert.match(run('.', 'no-such-file').join(), /^1,nothing is proved: no-such-file holds no keys that can be read \(ENOENT/)
  assert.match(run('no-such-copy', join(import.meta.dirname, '../package.json')).join(), /^1,nothing is proved: ENOENT.*no-such-copy/)
})

test('a key under another key’s name is refused', async () => {
  const [key] = keys.keys
  assert.ok(key)
  const { ok, wrong } = await verifyCopy(inMemory(files), { ...keys, keys: [{ ...key, x: Buffer.alloc(32, 7).toString('base64url') }] })
  assert.deepEqual([ok, wrong?.path], [false, 'newswire-keys.json'])
})

test('the tree is RFC 9162’s: known roots, and no node passes for a leaf', async () => {
  // Certificate Transparency's own test vectors (RFC 6962 §2.1.3's leaves, as in its reference implementation).
  const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(hex =>
    Buffer.from(hex, 'hex'),
  )
  assert.equal(await merkleRoot([]), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  assert.equal(await merkleRoot(leaves.slice(0, 1)), '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  assert.equal(await merkleRoot(leaves.slice(0, 7)), 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c')
  assert.equal(await merkleRoot(leaves), '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328')
})
