/**
 * Proves a copy of the archive, offline, with nothing but its files and the public keys. This one file is all that is needed: Node 22.18 or
 * newer runs it as it is, nothing is installed.
 *
 *     node verify-copy.ts COPY newswire-keys.json [DAY…]
 *
 * COPY is the folder that `newswire archive copy` made (it has a folder `archive`); newswire-keys.json is what the publisher's site serves at
 * /.well-known/newswire-keys.json. Get that from the site and not with the copy: whoever changed the copy could have changed it too. A DAY is
 * yyyy-mm-dd; without one everything is read. Exit 0: all is as it was signed; 1: it names the first thing that is wrong, a DAY of which nothing
 * is listed too.
 *
 * What is proved: the manifests are all there, in order, each signed with a key that was good for it and chained to the one before; what a
 * manifest lists is what was signed (a Merkle tree, RFC 9162 §2.1); every listed version, native payload and line of the ledger is there, byte
 * for byte, or was purged by law, which a signed record says; nothing else is there. What cannot be proved from files: that the publisher
 * archived everything, and what came after the newest manifest that the keys name.
 */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { crc32, inflateRawSync, type Zlib } from 'node:zlib'

/** A copy: paths begin with `archive/`, or with `native/` for payloads that are in no pack. */
export type Copy = Readonly<{ list(): Promise<readonly string[]>; read(path: string): Promise<Uint8Array | null> }>
type Options = Readonly<{
  /** `yyyy-mm-dd`: only what lies under these days is read; manifests always are. A day of which none lists anything is wrong. Default: everything. */
  days?: readonly string[]
  /** A running system: what was archived since the newest manifest, and what is being packed, is no offence. Default false. */
  isLive?: boolean
  /** The newest manifest whose packs are made, found before this is called: what comes after it counts as open. Default: the newest. */
  newestPacked?: number
  onProgress?: (done: Readonly<{ manifest: number; of: number; entries: number }>) => void
}>
export type Verdict = Readonly<{
  ok: boolean
  /** The first thing that is wrong: where, and what. */
  wrong?: Readonly<{ path: string; what: string }>
  manifests: number
  versions: number
  natives: number
  ledger: number
  /** Entries whose content was purged by law, as a signed record says. */
  purged: number
  /** Records of purges that no manifest lists yet; the next one does. */
  pending: number
  /** Of all content that was read. */
  bytes: number
  /** Versions that no manifest lists yet; only in a running system. */
  open: number
  /** SHA-256 of the newest manifest's first line. */
  head: string | null
}>

type Entry = { article: string; key: string; sha256: string; bytes: number }
type Removed = { key: string; sha256: string }
type Purge = { sha256: string; keyId: string; removed: string[]; replaces: string[]; isListed: boolean }
type Jwk = { kid: string; x: string; crv: string; createdAt: string; fromManifest: number; untilManifest: number | null }
type Keys = { keys: Jwk[]; head: { manifest: number; sha256: string } | null }
type Head = {
  schema: string
  number: number
  previousSha256: string | null
  merkleRoot: string
  count: number
  bytes: number
  keyId: string
}
type Placed = { key: string; sha256: string; bytes: number; frame: [number, number]; offset: number }

/** The copy itself cannot be read: no verdict. */
class Unreadable extends Error {}

class Wrong extends Error {
  readonly path: string
  constructor(path: string, what: string) {
    super(what)
    this.path = path
  }
}

const KEYS_FILE = 'newswire-keys.json'
const LEAF = Buffer.from([0])
const NODE = Buffer.from([1])
const LINE_FEED = 10
const sha256 = (bytes: Uint8Array | string): string => hash('sha256', bytes)

/** RFC 9162 §2.1.1. */
const merkleRoot = (leaves: readonly Uint8Array[]): string => {
  let level: Buffer[] = leaves.map(leaf => hash('sha256', Buffer.concat([LEAF, leaf]), 'buffer'))
  if (level.length === 0) return sha256('')
  while (level.length > 1) {
    const above: Buffer[] = []
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = [level[at], level[at + 1]] as [Buffer, Buffer | undefined]
      above.push(right === undefined ? left : hash('sha256', Buffer.concat([NODE, left, right]), 'buffer'))
    }
    level = above
  }
  return (level[0] as Buffer).toString('hex')
}

const textOf = (bytes: Uint8Array, path: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Wrong(path, 'it is not UTF-8')
  }
}

/** Lines that each end with a line feed. */
const linesOf = (bytes: Uint8Array, path: string): string[] => {
  const text = textOf(bytes, path)
  if (!text.endsWith('\n')) throw new Wrong(path, 'its last line is cut off')
  return text.slice(0, -1).split('\n')
}

const jsonOf = <T>(line: string, path: string): T => {
  try {
    return JSON.parse(line) as T
  } catch {
    throw new Wrong(path, `a line is no JSON: ${line.slice(0, 80)}`)
  }
}

/** A key by its JWK; its name must be its own hash, so that no other key goes by it. */
const openKeys = ({ keys }: Keys): Map<string, Jwk & { key: KeyObject }> => {
  const path = KEYS_FILE
  if (!Array.isArray(keys) || keys.length === 0) throw new Wrong(path, 'it has no keys')
  return new Map(
    keys.map(jwk => {
      if (jwk.crv !== 'Ed25519') throw new Wrong(path, `key ${jwk.kid} is no Ed25519 key`)
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: jwk.x }, format: 'jwk' })
      const is = sha256(key.export({ format: 'der', type: 'spki' })).slice(0, 16)
      if (is !== jwk.kid) throw new Wrong(path, `the key that goes by ${jwk.kid} is ${is}`)
      return [jwk.kid, { ...jwk, key }]
    }),
  )
}

/** Checks the signature in the second line over the first. Gives the key; whether it was good at that time is for the caller to say. */
const checkSigned = (lines: readonly string[], path: string, keys: ReturnType<typeof openKeys>): Jwk => {
  const [line = '', signature = ''] = lines
  const said = jsonOf<{ algorithm: string; keyId: string; signature: string }>(signature, path)
  const { keyId } = jsonOf<{ keyId: string }>(line, path)
  const found = keys.get(keyId)
  if (found === undefined) throw new Wrong(path, `it is signed with key ${keyId}, which is not among the published ones`)
  const exact = JSON.stringify({
    algorithm: 'Ed25519',
    keyId,
    signature: Buffer.from(String(said.signature), 'base64url').toString('base64url'),
  })
  if (exact !== signature) throw new Wrong(path, 'its second line is no signature by the key that the first line names')
  if (!verify(null, Buffer.from(line), found.key, Buffer.from(said.signature, 'base64url')))
    throw new Wrong(path, 'its signature does not fit: the first line is not what was signed')
  return found
}

const lastOf = ({ untilManifest }: Jwk): number => untilManifest ?? Number.POSITIVE_INFINITY

const dayOf = (key: string): string | null => /^(?:archive|native\/[^/]+)\/(\d{4}\/\d\d\/\d\d)\//.exec(key)?.[1] ?? null

type Work = {
  copy: Copy
  keys: ReturnType<typeof openKeys>
  /** What is being looked at. */
  at: string
  /** Paths that nothing has accounted for yet. */
  left: Set<string>
  /** Everything that is there. */
  paths: ReadonlySet<string>
  /** The indexes that its packs should have. */
  packs: ReadonlySet<string>
  /** The newest manifest that is proved. */
  newestPacked: number
  /** Article, key and hash of what a signed record says was purged. */
  purged: Set<string>
  /** Those of which nothing is there any more, with the key. */
  excused: Map<string, string>
  /** The records themselves, by path. */
  purges: Map<string, Purge>
  days: ReadonlySet<string> | null
  /** Those of the days of which nothing was listed yet. */
  unlisted: Set<string>
  isLive: boolean
  /** Article → its newest version so far, and the hash of that. */
  chains: Map<string, { version: number; sha256: string }>
  total: { versions: number; natives: number; ledger: number; purged: number; bytes: number }
}

const found = (work: Work, path: string, bytes: Uint8Array | null): Uint8Array => {
  work.at = path
  if (bytes === null) throw new Wrong(path, 'it is missing')
  work.left.delete(path)
  return bytes
}
const take = async (work: Work, path: string): Promise<Uint8Array> => {
  work.at = path
  return found(work, path, await work.copy.read(path))
}

/** Tells failures to read from what is wrong in what was read. */
const guarded = ({ list, read }: Copy): Copy => {
  const guard = async <T>(reading: Promise<T>): Promise<T> => {
    try {
      return await reading
    } catch (cause) {
      if (cause instanceof Wrong) throw cause
      throw new Unreadable('the copy cannot be read', { cause })
    }
  }
  return { list: () => guard(list()), read: path => guard(read(path)) }
}

const readPurges = async (work: Work): Promise<void> => {
  for (const path of work.paths) {
    if (!path.startsWith('archive/purged/') || work.purges.has(path)) continue
    const bytes = await take(work, path)
    const lines = linesOf(bytes, path)
    if (lines.length !== 2) throw new Wrong(path, 'a record of a purge has two lines')
    const { kid } = checkSigned(lines, path, work.keys)
    const record = jsonOf<{ schema: string; articleId: string; part: number; removed: Removed[]; replaces?: Removed[] }>(
      lines[0] ?? '',
      path,
    )
    const { removed, articleId, part, schema, replaces = [] } = record
    if (schema !== 'newswire.archive.purge/1') throw new Wrong(path, `it is no record of a purge but ${schema}`)
    if (path !== `archive/purged/${segmentOf(articleId)}/${padded(part, 4)}.jsonl`)
      throw new Wrong(path, `it is record ${part} of ${articleId}, and lies elsewhere`)
    const gone = removed.map(one => `${articleId} ${one.key} ${one.sha256}`)
    for (const one of gone) work.purged.add(one)
    const replaced = replaces.map(one => `${one.key} ${one.sha256}`)
    work.purges.set(path, { sha256: sha256(bytes), keyId: kid, removed: gone, replaces: replaced, isListed: false })
  }
}

/**
 * What a manifest lists of records: they are there, as they were signed, by a key that was good for it. A record that was written while the manifest
 * before was being closed comes into this one, so its key may have ended with that.
 */
const checkListedPurges = (work: Work, number: number, entries: readonly Entry[]): void => {
  for (const { key, sha256 } of entries) {
    if (!key.startsWith('archive/purged/')) continue
    const record = work.purges.get(key)
    if (record === undefined) throw new Wrong(key, `it is missing; ${manifestPath(number)} lists it`)
    if (record.sha256 !== sha256) throw new Wrong(key, 'its content is not what was signed')
    const signer = work.keys.get(record.keyId) as Jwk
    if (number < signer.fromManifest || number - 1 > lastOf(signer))
      throw new Wrong(key, `key ${signer.kid} was not in use when it was signed`)
    record.isListed = true
  }
}

/**
 * Records that no manifest lists yet count only with a key that is in use: whoever came by an old one could excuse a deletion with it. One that was
 * written over a rotation is replaced by another, which names it and says again what it excused.
 */
const checkPending = (work: Work, newest: number): number => {
  const isInUse = ({ keyId }: Purge) => newest <= lastOf(work.keys.get(keyId) as Jwk)
  const counting = [...work.purges.values()].filter(one => one.isListed || isInUse(one))
  const replaced = new Set(counting.flatMap(one => one.replaces))
  for (const [path, one] of work.purges)
    if (!counting.includes(one) && !replaced.has(`${path} ${one.sha256}`))
      throw new Wrong(path, `no manifest lists it, and key ${one.keyId} is no longer in use: it was not signed in its time`)
  const removed = new Set(counting.flatMap(one => one.removed))
  for (const [gone, key] of work.excused)
    if (!removed.has(gone)) throw new Wrong(key, 'it is missing; the record that says that it was purged was replaced by one that does not')
  return counting.filter(one => !one.isListed).length
}

/** An article id as part of a path: lower case, and which letters were capitals, as a number in base 36. */
const segmentOf = (articleId: string): string => {
  let bits = 0n
  for (let at = articleId.length - 1; at >= 0; at--) bits = (bits << 1n) | (/[A-Z]/.test(articleId.charAt(at)) ? 1n : 0n)
  return bits === 0n ? articleId : `${articleId.toLowerCase()}~${bits.toString(36)}`
}

const padded = (number: number, digits: number): string => String(number).padStart(digits, '0')
const manifestPath = (number: number): string => `archive/manifests/${padded(number, 8)}.jsonl`

/** What a pack unpacks to at most, unless a single entry is larger, bytes. */
const PART_BYTES = 16 * 1024 * 1024

/** Index of a pack → what it may hold, in this order. The manifest alone says so, so that nothing is moved to a day where nobody looks for it. */
const partsOf = (number: number, entries: readonly Entry[]): Map<string, Map<string, Entry>> => {
  const parts = new Map<string, Map<string, Entry>>()
  const open = new Map<string, { part: number; bytes: number; held: Map<string, Entry> }>()
  for (const entry of entries) {
    const folder = dayOf(entry.key)
    if (folder === null) continue
    let last = open.get(folder)
    if (last === undefined || last.bytes + entry.bytes > PART_BYTES) {
      last = { part: (last?.part ?? 0) + 1, bytes: 0, held: new Map() }
      open.set(folder, last)
      parts.set(`archive/packs/${folder}/${padded(number, 8)}-${padded(last.part, 3)}.index.jsonl`, last.held)
    }
    last.held.set(entry.key, entry)
    last.bytes += entry.bytes
  }
  return parts
}

/** Everything about a manifest but the contents it lists. */
const readManifest = async (work: Work, number: number, previous: string | null): Promise<{ entries: Entry[]; sha256: string }> => {
  const path = manifestPath(number)
  const lines = linesOf(await take(work, path), path)
  const [first = ''] = lines
  const head = jsonOf<Head>(first, path)
  const signer = checkSigned(lines, path, work.keys)
  if (number < signer.fromManifest || number > lastOf(signer))
    throw new Wrong(path, `key ${signer.kid} was not in use for manifest ${number}`)
  if (head.schema !== 'newswire.archive.manifest/1') throw new Wrong(path, `it is no manifest but ${head.schema}`)
  if (head.number !== number) throw new Wrong(path, `it is manifest ${head.number}, put in the place of ${number}`)
  if (head.previousSha256 !== previous) throw new Wrong(path, 'it does not follow the manifest before it')
  const leaves = lines.slice(2)
  if (leaves.length !== head.count) throw new Wrong(path, `it was signed with ${head.count} entries and has ${leaves.length}`)
  if (merkleRoot(leaves.map(line => Buffer.from(line))) !== head.merkleRoot)
    throw new Wrong(path, 'its entries are not those that were signed: the root of their tree is another')
  const entries = leaves.map(line => jsonOf<Entry>(line, path))
  for (const [at, entry] of entries.entries())
    if (at > 0 && (entries[at - 1] as Entry).key >= entry.key) throw new Wrong(path, `${entry.key} is listed twice or out of order`)
  return { entries, sha256: sha256(first) }
}

const count = (work: Work, entry: Entry, content: Uint8Array): void => {
  work.total.bytes += content.byteLength
  if (entry.key.startsWith('native/')) work.total.natives += 1
  else if (/\/ledger-\d+\.json$/.test(entry.key)) work.total.ledger += 1
  else {
    work.total.versions += 1
    checkChain(work, entry, content)
  }
}

/** The end of a version is always the same, so the whole of it need not be parsed. */
const PREVIOUS = /"previousSha256":(?:null|"([0-9a-f]{64})"),"schema":"newswire\.archive\.version\/1","time":"[^"]*"\}$/

/** Each version holds the hash of the one before: a second, independent chain for each article. */
const checkChain = ({ chains }: Work, { article, key, sha256: own }: Entry, content: Uint8Array): void => {
  const version = Number(/v(\d+)\.json$/.exec(key)?.[1])
  const end = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1', Math.max(0, content.byteLength - 250))
  const match = PREVIOUS.exec(end)
  if (match === null || !Number.isInteger(version)) throw new Wrong(key, 'it is no archived version')
  const before = chains.get(article)
  if (before !== undefined && before.version === version - 1 && match[1] !== before.sha256)
    throw new Wrong(key, `it does not follow version ${before.version} of ${article}`)
  if (before === undefined || before.version < version) chains.set(article, { version, sha256: own })
}

const checkContent = (work: Work, entry: Entry, content: Uint8Array, path: string): void => {
  if (content.byteLength !== entry.bytes || sha256(content) !== entry.sha256)
    throw new Wrong(path === entry.key ? path : `${path}: ${entry.key}`, 'its content is not what was signed')
  count(work, entry, content)
}

/** A line says what it must, and not a byte else: the fields are in the order of canonical JSON (RFC 8785). */
const checkExact = (path: string, line: string, wanted: object): void => {
  if (line !== JSON.stringify(wanted)) throw new Wrong(path, `a line is not as it was written: ${line.slice(0, 200)}`)
}

/** How often a purge may make a pack anew while it is read. */
const ROUNDS = 5

/**
 * One pack: every entry of its index is one of `listed`, in this order, lies where the index says, has the bytes that were signed, and nothing lies
 * between them. What is found is taken out of `rest`.
 */
const readPack = async (
  work: Work,
  indexPath: string,
  listed: ReadonlyMap<string, Entry>,
  rest: Map<string, Entry>,
  round = 1,
): Promise<void> => {
  const index = await take(work, indexPath)
  const [first = '', ...lines] = linesOf(index, indexPath)
  const head = jsonOf<{ pack: string | null; sha256: string; bytes: number; count: number }>(first, indexPath)
  const [, manifest, part] = /(\d+)-(\d+)\.index\.jsonl$/.exec(indexPath) ?? []
  const { bytes, count: entries, pack: named, sha256: packSha256 } = head
  checkExact(indexPath, first, {
    bytes,
    count: entries,
    manifest: Number(manifest),
    pack: named,
    part: Number(part),
    schema: 'newswire.archive.index/1',
    sha256: packSha256,
  })
  if (lines.length !== head.count) throw new Wrong(indexPath, `it says ${head.count} entries and has ${lines.length}`)
  if (head.pack === null) {
    if (lines.length > 0) throw new Wrong(indexPath, 'it has entries and names no pack')
    if (bytes !== 0 || packSha256 !== sha256('')) throw new Wrong(indexPath, 'it names no pack and says what is in it')
    return
  }
  if (head.pack !== indexPath.replace(/\.index\.jsonl$/, `-${head.sha256.slice(0, 16)}.gz`))
    throw new Wrong(indexPath, `it names ${head.pack}, which is not its own pack`)
  const held = await work.copy.read(head.pack)
  const isRemade = async () => sha256((await work.copy.read(indexPath)) ?? '') !== sha256(index)
  if (held === null && work.isLive && round < ROUNDS && (await isRemade())) return readPack(work, indexPath, listed, rest, round + 1)
  const pack = found(work, head.pack, held)
  const is = sha256(pack)
  if (pack.byteLength !== head.bytes || is !== head.sha256) {
    // A pack is named by its content, which tells which of the two was changed.
    if (head.pack.endsWith(`-${is.slice(0, 16)}.gz`))
      throw new Wrong(indexPath, `its first line does not fit ${head.pack}, which is as its name says`)
    throw new Wrong(head.pack, 'it is not the pack that its index names')
  }
  const order = [...listed.keys()]
  let place = -1
  let end = 0
  let raw: Uint8Array = new Uint8Array()
  let at = 0
  for (const line of lines) {
    const placed = jsonOf<Placed>(line, indexPath)
    const [offset, length] = placed.frame
    const entry = listed.get(placed.key)
    if (entry === undefined) throw new Wrong(`${indexPath}: ${placed.key}`, 'no manifest lists it here')
    const next = order.indexOf(placed.key, place + 1)
    if (next === -1) throw new Wrong(`${indexPath}: ${placed.key}`, 'it is twice in the pack, or not in the order of the manifest')
    place = next
    checkExact(indexPath, line, {
      bytes: entry.bytes,
      frame: [offset, length],
      key: entry.key,
      offset: placed.offset,
      sha256: entry.sha256,
    })
    if (offset + length !== end) {
      if (offset !== end || at !== raw.byteLength)
        throw new Wrong(head.pack, `there is something between its entries, before ${placed.key}`)
      raw = unpack(pack.subarray(offset, offset + length), head.pack)
      end = offset + length
      at = 0
    }
    if (placed.offset !== at) throw new Wrong(head.pack, `there is something before ${placed.key}`)
    checkContent(work, entry, raw.subarray(at, at + entry.bytes), head.pack)
    at += entry.bytes + 1
    if (raw[at - 1] !== LINE_FEED) throw new Wrong(head.pack, `there is something behind ${placed.key}`)
    rest.delete(placed.key)
    await checkLoose(work, entry)
  }
  if (end !== pack.byteLength || at !== raw.byteLength) throw new Wrong(head.pack, 'there is something behind its last entry')
}

/** Unpacked into one buffer, where the member says truly how much it is: pieces would have to be put together. */
const MOST_AT_ONCE = 1024 * 1024
const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0])

/** One gzip member (RFC 1952 §2.3) without a name, a comment or a date, and nothing but it: what `zcat` does not show may be somebody's own. */
const unpack = (member: Uint8Array, path: string): Uint8Array => {
  const view = Buffer.from(member.buffer, member.byteOffset, member.byteLength)
  try {
    const stream = view.subarray(10, -8)
    const chunkSize = Math.min(Math.max(view.readUInt32LE(view.length - 4) + 64, 1_024), MOST_AT_ONCE)
    const { buffer, engine } = inflateRawSync(stream, { info: true, chunkSize }) as unknown as {
      buffer: Buffer
      engine: Zlib & { bytesWritten: number }
    }
    const isWhole = engine.bytesWritten === stream.length && view.readUInt32LE(view.length - 8) === crc32(buffer)
    if (isWhole && view.readUInt32LE(view.length - 4) === buffer.length && view.indexOf(GZIP_HEAD) === 0) return buffer
  } catch {
    // Said below.
  }
  throw new Wrong(path, 'it cannot be unpacked, or holds more than what it unpacks to')
}

/** Beside its pack nothing may lie loose but, in a running system, the same bytes once more, which the next closing removes. */
const checkLoose = async (work: Work, { key, sha256: signed }: Entry): Promise<void> => {
  if (!work.isLive || !work.paths.has(key)) return
  const loose = await work.copy.read(key)
  if (loose !== null && sha256(loose) !== signed)
    throw new Wrong(key, 'conflict: it lies loose beside its pack, and is not what was signed')
  work.left.delete(key)
}

/** A purge that is not done for good yet may still find something. */
const isUnderWay = ({ isLive, paths }: Work, { article }: Entry): boolean =>
  isLive && paths.has(`archive/purging/${segmentOf(article)}.json`)

/** What is in no pack: what is still loose, or was purged. */
const readRest = async (work: Work, entry: Entry, path: string): Promise<void> => {
  const name = `${entry.article} ${entry.key} ${entry.sha256}`
  const isPurged = () => work.purged.has(name)
  let isGone = isPurged()
  const content = await work.copy.read(entry.key)
  if (content === null && !isGone && work.isLive) {
    // It may have been purged since the records were read.
    work.paths = await pathsOf(work.copy)
    await readPurges(work)
    isGone = isPurged()
  }
  work.left.delete(entry.key)
  if (content !== null) {
    if (isGone && !isUnderWay(work, entry)) throw new Wrong(entry.key, 'it was purged by law, and is still there')
    checkContent(work, entry, content, entry.key)
  } else if (isGone) {
    work.excused.set(name, entry.key)
    work.total.purged += 1
  } else throw new Wrong(entry.key, `it is missing; ${path} lists it`)
}

const readContents = async (work: Work, number: number, entries: readonly Entry[]): Promise<void> => {
  const isWanted = (folder: string | null) => work.days === null || (folder !== null && work.days.has(folder))
  const isRecord = ({ key }: Entry) => key.startsWith('archive/purged/')
  const rest = new Map(entries.filter(entry => !isRecord(entry) && isWanted(dayOf(entry.key))).map(entry => [entry.key, entry]))
  for (const key of rest.keys()) work.unlisted.delete(dayOf(key) ?? '')
  for (const [path, listed] of partsOf(number, entries)) {
    if (!isWanted(dayOf(path.replace('archive/packs/', 'archive/')))) continue
    if (work.paths.has(path)) await readPack(work, path, listed, rest)
    else if (work.packs.has(path)) throw new Wrong(path, 'it is missing; the pack that it is the index of is there')
  }
  for (const entry of rest.values()) await readRest(work, entry, manifestPath(number))
}

/** What may lie beside what is signed: the keys, and in a running system what is not yet closed. */
const isOpen = (path: string, newest: number): boolean =>
  Number(/^archive\/packs\/\d{4}\/\d\d\/\d\d\/(\d+)-/.exec(path)?.[1] ?? 0) > newest ||
  path === 'archive/wanted.json' ||
  /^(archive\/\d{4}|native)\//.test(path) ||
  /^archive\/(staged|purging)\//.test(path) ||
  Number(/^archive\/manifests\/(\d+)\.jsonl$/.exec(path)?.[1] ?? 0) > newest

/** The indexes of the packs that are there. */
const indexesOf = (paths: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...paths].filter(path => path.endsWith('.gz')).map(path => path.replace(/-[^-]*$/, '.index.jsonl')))

const newestOf = (paths: ReadonlySet<string>): number =>
  Math.max(0, ...[...paths].map(path => Number(/^archive\/manifests\/(\d+)\.jsonl$/.exec(path)?.[1] ?? 0)))

const OWN_KEYS = 'archive/keys.json'

/**
 * The keys that lie in the archive prove nothing, but who restores it, or has no others, goes by them. As far as they and the given ones are of the
 * same time they must say the same: `newest` is the newest manifest that was proved, `heads` the hashes of all. Their counter `n` says nothing.
 */
const checkOwnKeys = async (work: Work, given: Keys, heads: readonly string[]): Promise<void> => {
  const text = textOf(await take(work, OWN_KEYS), OWN_KEYS)
  const { n, keys, head } = jsonOf<Keys & { n: number }>(text, OWN_KEYS)
  checkExact(OWN_KEYS, text, {
    n: Number(n),
    keys: keys.map(({ kid, x, createdAt, fromManifest, untilManifest }) => {
      return { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid, x, createdAt, fromManifest, untilManifest }
    }),
    head: head === null ? null : { manifest: head.manifest, sha256: head.sha256 },
  })
  const newest = heads.length
  const isLater = (until: number | null) => until === null || until > newest
  for (let at = 0; at < Math.max(keys.length, given.keys.length); at++) {
    const [own, other] = [keys[at], given.keys[at]]
    if (own === undefined || other === undefined) {
      const { kid, fromManifest } = (own ?? other) as Jwk
      if (fromManifest <= newest) throw new Wrong(OWN_KEYS, `key ${kid} is ${own ? 'not among the published ones' : 'not in it'}`)
      continue
    }
    const isSame =
      own.kid === other.kid && own.x === other.x && own.fromManifest === other.fromManifest && own.createdAt === other.createdAt
    const isEnded = own.untilManifest === other.untilManifest || (isLater(own.untilManifest) && isLater(other.untilManifest))
    if (!isSame || !isEnded) throw new Wrong(OWN_KEYS, `what it says of key ${own.kid} is not what is published`)
  }
  // A manifest is published once its packs are made, at the latest when the next one is closed.
  if ((head?.manifest ?? 0) < newest - 1) throw new Wrong(OWN_KEYS, `it is older than manifest ${newest}`)
  if (head === null) return
  // One that came while this was copied is known to nobody here, but it is none of those that are.
  const is = heads.indexOf(head.sha256) + 1
  const known = heads[head.manifest - 1] ?? (given.head?.manifest === head.manifest ? given.head.sha256 : head.sha256)
  if (known !== head.sha256 || (is > 0 && is !== head.manifest)) throw new Wrong(OWN_KEYS, `it names another manifest ${head.manifest}`)
}

const run = async (
  work: Work,
  keys: Keys,
  onProgress: Options['onProgress'],
): Promise<{ manifests: number; pending: number; head: string | null }> => {
  if (keys.head === undefined) throw new Wrong(KEYS_FILE, 'it does not say which manifest is the newest (head)')
  await readPurges(work)
  const there = newestOf(work.paths)
  const newest = Math.min(there, work.newestPacked)
  if (keys.head !== null && there < keys.head.manifest)
    throw new Wrong(manifestPath(there + 1), `it is missing; the keys say that manifest ${keys.head.manifest} is there`)
  let previous: string | null = null
  const heads: string[] = []
  let entriesRead = 0
  for (let number = 1; number <= newest; number++) {
    const manifest = await readManifest(work, number, previous)
    previous = manifest.sha256
    heads.push(previous)
    if (keys.head?.manifest === number && keys.head.sha256 !== previous)
      throw new Wrong(manifestPath(number), 'it is not the manifest that the keys name: the publisher signed two of this number')
    checkListedPurges(work, number, manifest.entries)
    await readContents(work, number, manifest.entries)
    entriesRead += manifest.entries.length
    onProgress?.({ manifest: number, of: newest, entries: entriesRead })
  }
  const pending = checkPending(work, newest)
  await checkOwnKeys(work, keys, heads)
  return { manifests: newest, pending, head: previous }
}

/** What is wrong, from whatever was thrown: lines that are JSON and not what they should be make for errors of every kind. */
const toWrong = (error: unknown, at: string): { path: string; what: string } => {
  if (error instanceof Wrong) return { path: error.path, what: error.message }
  if (error instanceof Unreadable) throw error.cause
  return { path: at, what: `it is not written as it should be (${error instanceof Error ? error.message : String(error)})` }
}

const pathsOf = async (copy: Copy): Promise<ReadonlySet<string>> =>
  new Set((await copy.list()).filter(path => /^(archive|native)\//.test(path)))

/** What nothing accounts for. In a running system not what is open, nor what was removed meanwhile, as the pack that a purge made anew. */
const strangersIn = async ({ left, isLive, copy }: Work, newest: number): Promise<readonly string[]> => {
  if (!isLive) return [...left]
  const found: string[] = []
  for (const path of left) if (!isOpen(path, newest) && (await copy.read(path)) !== null) found.push(path)
  return found
}

/** Verifies a copy. Reads one pack at a time. Throws only what `copy` throws. */
export const verifyCopy = async (given: Copy, keys: Keys, options: Options = {}): Promise<Verdict> => {
  const { days, isLive = false, newestPacked = Number.POSITIVE_INFINITY, onProgress } = options
  const copy = guarded(given)
  const total = { versions: 0, natives: 0, ledger: 0, purged: 0, bytes: 0 }
  let work: Work | null = null
  try {
    const paths = await pathsOf(copy)
    const left = new Set(paths)
    const folders = days === undefined || days.length === 0 ? null : new Set(days.map(day => day.replaceAll('-', '/')))
    const chains = new Map()
    work = {
      copy,
      keys: openKeys(keys),
      at: 'archive',
      left,
      paths,
      packs: indexesOf(paths),
      newestPacked,
      purged: new Set(),
      excused: new Map(),
      purges: new Map(),
      days: folders,
      unlisted: new Set(folders),
      isLive,
      chains,
      total,
    }
    const { manifests, pending, head } = await run(work, keys, onProgress)
    const [unlisted] = work.unlisted
    if (unlisted !== undefined) throw new Wrong(`archive/${unlisted}`, 'no manifest lists anything of this day: nothing of it is proved')
    const [stranger] = folders === null ? [...(await strangersIn(work, manifests))].sort() : []
    if (stranger !== undefined) throw new Wrong(stranger, 'no manifest lists it')
    const open = folders === null ? [...left].filter(path => /^archive\/\d/.test(path)).length : 0
    return { ok: true, manifests, ...total, pending, open, head }
  } catch (error) {
    return { ok: false, wrong: toWrong(error, work?.at ?? KEYS_FILE), manifests: 0, ...total, pending: 0, open: 0, head: null }
  }
}

/** Throws when one of the folders on the way to a file is a link. `passed`: those that are none. */
const checkFolders = async (folder: string, path: string, passed: Set<string>): Promise<void> => {
  const parent = dirname(path)
  if (parent === '.' || parent === path || passed.has(parent)) return
  await checkFolders(folder, parent, passed)
  if ((await lstat(join(folder, parent))).isSymbolicLink()) throw new Wrong(parent, 'it is a link and no folder')
  passed.add(parent)
}

/** A copy in a folder. Of it are plain files in plain folders alone: a link could show one thing to the verifier and another to the next reader. */
export const openFolder = (folder: string): Copy => {
  const passed = new Set<string>()
  return {
    list: async () => {
      const native = await readdir(join(folder, 'native'), { recursive: true, withFileTypes: true }).catch(error => {
        if (error.code === 'ENOENT') return []
        throw error
      })
      return [...(await readdir(join(folder, 'archive'), { recursive: true, withFileTypes: true })), ...native]
        .filter(file => !file.isDirectory())
        .map(file => relative(folder, join(file.parentPath, file.name)).replaceAll('\\', '/'))
    },
    read: async path => {
      try {
        await checkFolders(folder, path, passed)
        if (!(await lstat(join(folder, path))).isFile()) throw new Wrong(path, 'it is no plain file')
        return await readFile(join(folder, path))
      } catch (error) {
        if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
        throw error
      }
    },
  }
}

/** A day of the calendar: 2026-02-31 is none, whatever `Date` makes of it. */
export const isDay = (text: string): boolean => {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

/** A file, or why there is none, in words. */
const readKeysFile = async (file: string): Promise<Keys> => {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Keys
  } catch (cause) {
    throw new Error(
      `${file} holds no keys that can be read (${(cause as Error).message}); the site serves them at /.well-known/newswire-keys.json`,
    )
  }
}

const main = async ([folder, keysFile, ...days]: readonly string[]): Promise<number> => {
  const noDay = days.find(day => !isDay(day))
  if (folder === undefined || keysFile === undefined || noDay !== undefined) {
    if (noDay !== undefined) console.error(`a day is yyyy-mm-dd, got ${JSON.stringify(noDay)}`)
    console.error('usage: node verify-copy.ts COPY newswire-keys.json [yyyy-mm-dd …]')
    return 2
  }
  try {
    const verdict = await verifyCopy(openFolder(folder), await readKeysFile(keysFile), { days })
    console.log(JSON.stringify(verdict, null, 2))
    return verdict.ok ? 0 : 1
  } catch (error) {
    console.error(`nothing is proved: ${(error as Error).message}`)
    return 1
  }
}

// Not `import.meta.main`, which came with Node 24.2.
if (process.argv[1] === import.meta.filename) process.exit(await main(process.argv.slice(2)))
