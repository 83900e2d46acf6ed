/** `newswire import`: an archive by the backfill lane, as fast as there is room for it, and from where it stopped. */
import { dirname, relative, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Client, createClient } from './client.ts'
import { sayWarnings, warn } from './finish.ts'
import { findAlike, findRepeated, type Overtaken, SHOWN, toIdLines } from './import-ids.ts'
import { type Journal, openJournal, toImportKey } from './import-journal.ts'
import { findPictureless, type Pictured, type Pictureless } from './import-pictures.ts'
import { findSameNames, type Imported, listFiles, readArticles, type Unreadable } from './import-source.ts'
import { isRenamed, type NamedFile, refuseClashes } from './name-clashes.ts'
import { type Accepted, withUploadsOf } from './send-article.ts'
import { printResult, type Terminal } from './terminal.ts'
import { AddressError, FailedError, UnreachableError, UsageError } from './usage-error.ts'

/** As many as may be under way at once (`services/ingest`): more would only be sent away. */
const AT_ONCE = 64
/** How long a front door that is away is waited for. */
const PATIENCE_MS = 60_000
const DRAW_EVERY_MS = 200
/** As a shell has it of what SIGINT ended. */
const INTERRUPTED = 130

type ImportOptions = Readonly<{
  deliver?: boolean
  journal?: string
  /** Of a feed: given to every article. */
  category?: readonly string[]
}>
type Refused = Readonly<{ where: string; id?: string; code?: string; reason: string }>
type Warned = Readonly<{ where: string; articleId: string; warnings: NonNullable<Accepted['warnings']> }>
/** `places`: where each id came in the source. `overtaken`: by id, what was sent before and does not stand. `undated`: where an article was sent that says no time. `pictured`: what was sent with pictures. */
type Tally = {
  sent: number
  skipped: number
  refused: Refused[]
  renamed: NamedFile[]
  warned: Warned[]
  places: Map<string, string[]>
  overtaken: Map<string, Overtaken>
  undated: string[]
  pictured: Pictured[]
}

/**
 * What concerns every article, so that going on would only say it again: nobody is named or answers, or the token is not good for it. A picture that cannot be read
 * (`UsageError`) is one article's.
 */
const isForAll = (error: unknown): boolean => {
  if (error instanceof UsageError) return error instanceof AddressError
  return !(error instanceof FailedError) || error instanceof UnreachableError || /^NEWSWIRE_AUTH_/.test(error.code ?? '')
}

/** Sends until it is taken: waits when it was told to, and for a while when nobody answers. Repeating is safe: the key says that it is the same. */
const sendPatiently = async <T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> => {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await send()
    } catch (error) {
      const waitMs = error instanceof UnreachableError ? 1_000 : error instanceof FailedError ? error.retryAfterMs : undefined
      const isFull = error instanceof FailedError && error.code === 'NEWSWIRE_BACKFILL_FULL'
      if (waitMs === undefined || (!isFull && performance.now() > until)) throw error
      await setTimeout(waitMs, undefined, { signal })
    }
  }
}

type Needs = Readonly<{
  client: Client & { to: string }
  journal: Journal
  deliver: boolean
  tally: Tally
  signal: AbortSignal
  /** A file as the journal has it: from the folder that the source lies in, so that it is the same wherever that is. */
  toName: (file: string) => string
}>

/** The id came from a name before, and from another one: the file would take the place of another story. Throws `FailedError`. */
const refuseOtherFile = ({ localId, namedBy }: Imported, { journal, toName }: Needs): void => {
  const before = journal.namedBy(localId)
  if (namedBy === undefined || before === undefined || before === toName(namedBy)) return
  throw new FailedError(
    `it would take the place of ${before}, which went in as ${localId} before; give it an "id" of its own, or "id": ${JSON.stringify(localId)} if it is the same story`,
    { code: 'NEWSWIRE_NAMES_CLASH' },
  )
}

const importOne = async (one: Imported, needs: Needs): Promise<void> => {
  const { client, journal, deliver, tally, signal, toName } = needs
  const path = `/v1/articles/${encodeURIComponent(one.localId)}`
  const query = `?lane=backfill${deliver ? '&deliver=true' : ''}`
  const key = toImportKey(client.to, `${path}${query}`, JSON.stringify(one.article))
  const slot = toImportKey(client.to, `${path}${query}`, '')
  tally.overtaken.delete(one.localId)
  if (journal.has(key)) {
    tally.skipped += 1
    const last = journal.last(slot)
    if (last !== undefined && last.key !== key) tally.overtaken.set(one.localId, { id: one.localId, where: one.where, by: last.where })
    return
  }
  refuseOtherFile(one, needs)
  // Its pictures go once, however often there is no room for it yet.
  const body = JSON.stringify(await sendPatiently(() => withUploadsOf(client, one), signal))
  const put = () => client.ingest('PUT', `${path}${query}`, body, { 'idempotency-key': `import-${key}` })
  const { articleId, submissionId, warnings } = (await sendPatiently(put, signal)) as Accepted
  const { namedBy, localId, where } = one
  await journal.add(key, { articleId, submissionId, slot, where, ...(namedBy === undefined ? {} : { localId, namedBy: toName(namedBy) }) })
  if (namedBy !== undefined && isRenamed({ file: namedBy, localId })) tally.renamed.push({ file: namedBy, localId })
  if (warnings !== undefined) tally.warned.push({ where, articleId, warnings })
  if (one.article.publishedAt === undefined) tally.undated.push(where)
  if (Array.isArray(one.article.images) && one.article.images.length > 0) tally.pictured.push({ where, articleId, submissionId })
  tally.sent += 1
}

const isUnreadable = (one: Imported | Unreadable): one is Unreadable => 'reason' in one

/** Where articles come from. `toName`: a file as the journal has it. */
type Source = Readonly<{
  articles: AsyncIterable<Imported | Unreadable>
  /** What was not taken, by what it is; counted while it is read. */
  passedOver: Readonly<Record<string, number>>
  journal: string
  toName: (file: string) => string
  close(): Promise<void>
}>

/** Takes articles side by side, those of one id one after the other: their order is the order of the source. */
const importAll = async (articles: Source['articles'], needs: Needs): Promise<void> => {
  const { tally } = needs
  const running = new Map<string, Promise<void>>()
  let fatal: unknown
  const take = async (one: Imported, before: Promise<void> | undefined): Promise<void> => {
    await before
    if (fatal !== undefined) return
    try {
      await importOne(one, needs)
    } catch (error) {
      if (isForAll(error)) fatal ??= error
      else {
        const { code, message } = error as FailedError
        tally.refused.push({ where: one.where, id: one.localId, ...(code === undefined ? {} : { code }), reason: message })
      }
    }
  }
  const all = new Set<Promise<void>>()
  const takeAll = async () => {
    for await (const one of articles) {
      if (fatal !== undefined) break
      if (isUnreadable(one)) {
        tally.refused.push(one)
        continue
      }
      const places = tally.places.get(one.localId)
      if (places === undefined) tally.places.set(one.localId, [one.where])
      else places.push(one.where)
      const work = take(one, running.get(one.localId)).finally(() => {
        all.delete(work)
        if (running.get(one.localId) === work) running.delete(one.localId)
      })
      running.set(one.localId, work)
      all.add(work)
      if (all.size >= AT_ONCE) await Promise.race(all)
    }
  }
  // What was sent when the source broke off is waited for: the journal is to know of it.
  await takeAll().catch(error => {
    fatal ??= error
  })
  await Promise.all(all)
  if (fatal !== undefined) throw fatal
}

/** A line that is drawn again and again, on a terminal alone. */
const draw = (tally: Tally): (() => void) => {
  if (!process.stderr.isTTY) return () => undefined
  const begun = performance.now()
  const paint = () => {
    const perSecond = Math.round((tally.sent * 1000) / Math.max(1, performance.now() - begun))
    const refused = tally.refused.length === 0 ? '' : `, ${tally.refused.length} refused`
    process.stderr.write(`\r\u001B[2K${tally.sent} taken (${perSecond}/s), ${tally.skipped} were there already${refused}`)
  }
  const timer = setInterval(paint, DRAW_EVERY_MS)
  return () => {
    clearInterval(timer)
    paint()
    process.stderr.write('\n')
  }
}

const sayRenamed = (renamed: readonly NamedFile[], say: (line: string) => void): void => {
  for (const { file, localId } of renamed.slice(0, SHOWN)) say(`${file} is ${localId}`)
  if (renamed.length > SHOWN) say(`… and ${renamed.length - SHOWN} more whose id is not their name; the journal has all of them`)
}

const sayWarned = (warned: readonly Warned[], terminal: Terminal): void => {
  for (const { where, warnings } of warned.slice(0, SHOWN)) sayWarnings(terminal, where, warnings)
  if (warned.length > SHOWN) warn(terminal, `… and ${warned.length - SHOWN} more articles with warnings; --json has all of them`)
}

const sayPictureless = (missing: readonly Pictureless[], unknown: readonly Pictured[], terminal: Terminal): void => {
  for (const { where, articleId, detail } of missing.slice(0, SHOWN)) warn(terminal, `${where}: ${articleId} went on with ${detail}`)
  if (missing.length > SHOWN)
    warn(terminal, `… and ${missing.length - SHOWN} more articles without all of their pictures; --json has all of them`)
  if (unknown.length === 0) return
  const ids = unknown.slice(0, SHOWN).map(one => one.articleId)
  const others = unknown.length > SHOWN ? ` and ${unknown.length - SHOWN} more` : ''
  warn(terminal, `not known yet whether their pictures came: ${ids.join(', ')}${others}; \`newswire trace ${ids[0]}\` says so`)
}

const sayUndated = (undated: readonly string[], terminal: Terminal): void => {
  if (undated.length === 0) return
  const others = undated.length > SHOWN ? ` and ${undated.length - SHOWN} more` : ''
  warn(terminal, `without a "publishedAt", so dated now, above older news: ${undated.slice(0, SHOWN).join(', ')}${others}`)
}

const showPassedOver = (passedOver: Readonly<Record<string, number>>): string => {
  const kinds = Object.entries(passedOver)
  return kinds.length === 0 ? '' : `; not taken: ${kinds.map(([kind, count]) => `${count} × ${kind}`).join(', ')}`
}

const openFiles = async (source: string): Promise<Source> => {
  const { files, passedOver } = await listFiles(source)
  refuseClashes(await findSameNames(files))
  const base = dirname(resolve(source))
  return {
    articles: readArticles(files),
    passedOver,
    journal: `${source.replace(/[/\\]+$/, '')}.import.journal`,
    toName: one => relative(base, resolve(one)),
    close: async () => undefined,
  }
}

const isAddress = (source: string): boolean => /^https?:\/\//i.test(source)

/** Loaded only for feeds: no other import needs to read XML. */
const openFeed = async (terminal: Terminal, client: Client, source: string, categories: readonly string[]): Promise<Source> => {
  const { openFeedSource } = await import('./feed-import/open-feed.ts')
  return { ...(await openFeedSource(terminal, client, source, categories)), toName: one => one }
}

/** False when something was refused. Run again it goes on where it stopped, and tries what was refused once more. */
export const importArticles = async (terminal: Terminal, source: string, options: ImportOptions): Promise<boolean> => {
  const { json, say } = terminal
  const { category = [], deliver = false } = options
  if (category.length > 0 && !isAddress(source)) throw new UsageError('--category is for feeds; an article in a file says its own')
  const client = await createClient(terminal)
  const opened = isAddress(source) ? await openFeed(terminal, client, source, category) : await openFiles(source)
  const { articles, passedOver, toName } = opened
  const file = options.journal ?? opened.journal
  const journal = await openJournal(file)
  const tally: Tally = {
    sent: 0,
    skipped: 0,
    refused: [],
    renamed: [],
    warned: [],
    places: new Map(),
    overtaken: new Map(),
    undated: [],
    pictured: [],
  }
  const stopped = new AbortController()
  const sayStopped = () => say(`stopped after ${tally.sent} articles; run it again and it goes on from there (${file})`)
  const interrupt = () => {
    sayStopped()
    process.exit(INTERRUPTED)
  }
  process.once('SIGINT', interrupt)
  const end = json ? () => undefined : draw(tally)
  let pictures: Awaited<ReturnType<typeof findPictureless>> = { missing: [], unknown: [] }
  try {
    await importAll(articles, { client, journal, deliver, tally, signal: stopped.signal, toName })
    const onWaiting = (articles: number) =>
      say(`all are taken; waiting for the pictures of ${articles} of them, until nothing is told of any for 45 s`)
    pictures = await findPictureless(client, tally.pictured, { onWaiting })
  } catch (error) {
    sayStopped()
    throw error
  } finally {
    process.off('SIGINT', interrupt)
    stopped.abort()
    end()
    await journal.close()
    await opened.close()
  }
  const { sent, skipped, refused, renamed, warned, places, undated } = tally
  const ids = { repeated: findRepeated(places), overtaken: [...tally.overtaken.values()], alike: findAlike(places.keys()) }
  sayRenamed(renamed, say)
  if (!json) {
    sayWarned(warned, terminal)
    for (const line of toIdLines(ids, places)) warn(terminal, line)
    sayUndated(undated, terminal)
    sayPictureless(pictures.missing, pictures.unknown, terminal)
  }
  for (const one of refused) say(`${one.where}: ${one.reason}`)
  const words = `${sent} taken, ${skipped} were there already, ${refused.length} refused${warned.length === 0 ? '' : `, ${warned.length} with warnings`}${pictures.missing.length === 0 ? '' : `, ${pictures.missing.length} without all of their pictures`}${showPassedOver(passedOver)}`
  printResult(terminal, { sent, skipped, refused, warned, renamed, ...ids, undated, pictures, passedOver, journal: file }, words)
  return refused.length === 0
}
