/** `newswire archive verify|copy`, which only read, also while the system runs, and `close|rotate-key`, which that system is asked for. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { copyArchive, inPlace, newestPacked } from '@newswire/archive/copy'
import { type KeysDocument, keysDocument, readKeys } from '@newswire/archive/signing'
import { isDay, openFolder, type Verdict, verifyCopy } from '@newswire/archive/verify-copy'
import type { ArchiveWanted } from '@newswire/objects/archive-wanted'
import { keys } from '@newswire/objects/keys'
import { createClient, findOtherFolder, readClientFile } from './client.ts'
import { openReader } from './open-objects.ts'
import { printResult, sayNowAndThen, sayProgress, type Terminal } from './terminal.ts'
import { cannotRead, FailedError, UsageError } from './usage-error.ts'

const MAX_KEYS_MS = 15_000

/** Keys from a file, or from the publisher's site. */
const readGivenKeys = async (from: string): Promise<KeysDocument> => {
  const text = /^https?:\/\//.test(from)
    ? await (await fetch(from, { signal: AbortSignal.timeout(MAX_KEYS_MS) })).text()
    : await readFile(from, 'utf8').catch(cannotRead(from))
  try {
    return keysDocument
      .partial({ n: true })
      .transform(({ n = 0, ...rest }) => ({ n, ...rest }))
      .parse(JSON.parse(text))
  } catch (cause) {
    throw new FailedError(`${from} holds no keys of an archive; they are served at /.well-known/newswire-keys.json`, { cause })
  }
}

const checkDays = (days: readonly string[]): void => {
  const wrong = days.find(day => !isDay(day))
  if (wrong !== undefined) throw new UsageError(`a day is yyyy-mm-dd, got ${JSON.stringify(wrong)}`)
}

const sayVerdict = (verdict: Verdict): string =>
  verdict.ok
    ? `The archive is as it was signed: ${verdict.versions} versions, ${verdict.natives} native payloads, ${verdict.ledger} lines of the ledger in ${verdict.manifests} manifests; ${verdict.purged} purged by law${verdict.pending === 0 ? '' : `; ${verdict.pending} records of purges that the next manifest lists`}${verdict.open === 0 ? '' : `; ${verdict.open} files since the newest manifest`}.`
    : `WRONG at ${verdict.wrong?.path}: ${verdict.wrong?.what}`

type VerifyOptions = Readonly<{ copy?: string; keys?: string }>

/** True when everything is as it was signed. */
export const verifyArchive = async (terminal: Terminal, days: readonly string[], options: VerifyOptions): Promise<boolean> => {
  const { settings, json, say } = terminal
  checkDays(days)
  const objects = options.copy === undefined ? await openReader(settings) : null
  try {
    const given = options.keys === undefined ? null : await readGivenKeys(options.keys)
    const own = objects === null ? null : await readKeys(objects)
    const published =
      given ?? own?.value ?? (options.copy === undefined ? null : await readGivenKeys(join(options.copy, keys.archiveKeys())))
    if (published === null)
      throw new FailedError(
        'Nothing was closed yet, so there is nothing to verify; a day is closed once it has ended. `newswire archive close` closes now.',
      )
    if (given === null && !json)
      say('With the keys that lie beside the archive; --keys takes those of the site, which nobody who changed the files could change too.')
    const tell = sayNowAndThen(terminal)
    const verdict = await verifyCopy(objects === null ? openFolder(resolve(options.copy ?? '.')) : inPlace(objects), published, {
      days,
      ...(objects === null ? {} : { isLive: true, newestPacked: await newestPacked(objects) }),
      onProgress: ({ manifest, of, entries }) => tell(() => `manifest ${manifest} of ${of}, ${entries} entries`),
    })
    printResult(terminal, verdict, sayVerdict(verdict))
    return verdict.ok
  } finally {
    await objects?.close()
  }
}

/** Commands that work where the copy was made. `site`: where the system of this archive answers; `null` when nobody knows, as in a copy of its data folder. Keys come from the site and not from the copy: whoever changed the one could have changed the other. */
const howToProve = (folder: string, site: string | null): string =>
  [
    'Prove them:',
    `  curl -o newswire-keys.json ${site ?? 'https://<your site>'}/.well-known/newswire-keys.json`,
    `  npx node ${join(folder, 'verify-copy.ts')} ${folder} newswire-keys.json   # elsewhere: node 22.18 or newer, nothing else`,
  ].join('\n')

/** Copies what is closed into a folder, again and again if wanted. */
export const copyToFolder = async (terminal: Terminal, folder: string): Promise<boolean> => {
  const { settings } = terminal
  const objects = await openReader(settings)
  try {
    let fetched = 0
    const copied = await copyArchive(objects, resolve(folder), () => {
      fetched += 1
      if (fetched % 500 === 0) sayProgress(terminal, `${fetched} files`)
    })
    const counts = `${copied.files} files of ${copied.manifests} manifests in ${folder}: ${copied.fetched} fetched (${copied.bytes} bytes), ${copied.removed} removed.`
    if (copied.manifests === 0) {
      const none =
        'Nothing was closed yet, so there is nothing to prove: a day is closed once it has ended. `newswire archive close` closes now; then copy again.'
      printResult(terminal, copied, `${counts}\n${none}`)
      return true
    }
    const left = await readClientFile(settings.dataDir)
    const site = (await findOtherFolder(left, settings.dataDir)) === null ? (left?.gateway ?? null) : null
    printResult(terminal, copied, `${counts}\n${howToProve(folder, site)}`)
    return true
  } finally {
    await objects.close()
  }
}

const POLL_MS = 250

/** Asks for something that the archive does within seconds, and waits for it. */
const askArchive = async (
  terminal: Terminal,
  { path, asked, done, timeout }: { path: string; asked: 'close' | 'rotateKey'; done: 'closed' | 'rotated'; timeout: number },
): Promise<boolean> => {
  const { json } = terminal
  const using = await createClient(terminal)
  const wanted = ((await using.console('POST', path)) as ArchiveWanted)[asked]
  const deadline = performance.now() + timeout * 1000
  for (;;) {
    const is = (await using.console('GET', '/v1/archive')) as ArchiveWanted
    const isDone = is[done] >= wanted
    if (isDone || performance.now() > deadline) {
      if (isDone) printResult(terminal, is, done)
      else if (json) printResult(terminal, { ...is, isDone }, '')
      if (!isDone)
        throw new FailedError(`not ${done} within ${timeout} s; the archive's log says why (archive.not-closed), and it goes on trying`)
      return true
    }
    await setTimeout(POLL_MS)
  }
}

/** Closes what waits now, on a running system. */
export const closeArchive = (terminal: Terminal, { timeout }: { timeout: number }): Promise<boolean> =>
  askArchive(terminal, { path: '/v1/archive/close', asked: 'close', done: 'closed', timeout })

/** Signs with a new key from the next manifest on. */
export const rotateArchiveKey = (terminal: Terminal, { timeout }: { timeout: number }): Promise<boolean> =>
  askArchive(terminal, { path: '/v1/archive/rotate-key', asked: 'rotateKey', done: 'rotated', timeout })
