/** Takes the archive out: by time, category, publisher; as JSON lines, as ninjs, as a folder of HTML. Streams; a day in memory at a time. Reads only. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { canonicalJson } from '@newswire/events/canonical'
import { type CategoryConfig, withAncestors } from '@newswire/events/config'
import { type Fact, isLive, isPublic, type LiveFact } from '@newswire/events/fact'
import { type NinjsContext, toNinjs } from '@newswire/events/ninjs'
import { toContentHtml, toFactForAll } from '@newswire/events/public-article'
import { escapeMarkup } from '@newswire/events/text'
import { type ArchivedVersion, parseArchivedVersion } from '@newswire/objects/archived'
import { type Days, daysOf, versionsOfDay } from '@newswire/objects/archived-days'
import { keys } from '@newswire/objects/keys'
import type { Objects } from '@newswire/objects/objects'
import { notWritten, partOf, putFile, sweepParts } from './put-file.ts'
import { newestOfDay } from './read-days.ts'

export const exportFormats = ['jsonl', 'ninjs', 'html'] as const
export type ExportFormat = (typeof exportFormats)[number]
export type Wanted = Readonly<{
  days: Days
  /** With its children. */
  category?: string
  publisher?: string
  format: ExportFormat
  /** Every version (only `jsonl`); else each article as it stands. */
  allVersions: boolean
  /** In HTML, which is there to be shown, also what the public may not see (default false): the other formats have it always. */
  everything?: boolean
}>
type Exported = Readonly<{ days: number; articles: number }>
type Report = (done: Readonly<{ day: string; of: number; days: number; articles: number }>) => void

/** Whether it is asked for; `was`: it is no more, and was in the category before. */
const wantedAs = (fact: Fact, { category, publisher }: Wanted, categories: ReadonlyMap<string, CategoryConfig>): 'is' | 'was' | null => {
  if (publisher !== undefined && fact.publisher !== publisher) return null
  const holds = (ids: readonly string[]) =>
    category === undefined || ids.some(id => id === category || withAncestors(id, categories).includes(category))
  if (isLive(fact) && holds(fact.article.categories)) return 'is'
  if (!holds(fact.facetsEver.categories)) return null
  return isLive(fact) ? 'was' : 'is'
}

/** One plain file, without scripts and with nothing but what the archive holds; pictures at their public addresses. */
const toExportedHtml = ({ article, articleId, version, releasedAt }: LiveFact, publicUrl: string): string => `<!doctype html>
<html lang="${escapeMarkup(article.language)}">
<meta charset="utf-8">
<title>${escapeMarkup(article.title)}</title>
<h1>${escapeMarkup(article.title)}</h1>
${article.byline === '' ? '' : `<p>${escapeMarkup(article.byline)}</p>\n`}<p><time datetime="${escapeMarkup(releasedAt)}">${escapeMarkup(releasedAt)}</time></p>
${article.summary === '' ? '' : `<p><strong>${escapeMarkup(article.summary)}</strong></p>\n`}${toContentHtml(article, publicUrl)}
<footer><p>${escapeMarkup(articleId)}, version ${version}</p></footer>
</html>
`

/** An article's file: its day and its place in the archive. */
const htmlPath = (fact: Fact): string =>
  keys
    .archive(fact.firstReleasedAt, fact.articleId, fact.version)
    .slice('archive/'.length)
    .replace(/\/v\d+\.json$/, '.html')

async function* versionsOf(objects: Pick<Objects, 'get' | 'list'>, folder: string, wanted: Wanted): AsyncGenerator<ArchivedVersion> {
  if (wanted.allVersions) for await (const { key, content } of versionsOfDay(objects, folder)) yield parseArchivedVersion(content, key)
  else for (const { newest } of await newestOfDay(objects, folder)) yield newest
}

type Target = Readonly<{
  /** False when this format has no place for it. */
  take(version: ArchivedVersion): Promise<boolean>
  /** What an earlier export made of it goes. */
  drop(fact: Fact): Promise<void>
  endDay(folder: string): Promise<void>
  end(): Promise<void>
  /** After a failure: nothing half stays. */
  fail(): Promise<void>
}>

/** What goes into a folder of HTML; `null` when nothing of it does. */
const toShown = (fact: Fact, everything: boolean): LiveFact | null => {
  if (everything) return isLive(fact) ? fact : null
  return isPublic(fact) ? toFactForAll(fact) : null
}

const remove = (file: string): Promise<void> =>
  rm(file, { force: true }).catch(error => {
    throw notWritten(file, error)
  })

const openFolder = (out: string, { site }: NinjsContext, everything: boolean): Target => {
  let rows: string[] = []
  const drop = (fact: Fact): Promise<void> => remove(join(out, htmlPath(fact)))
  return {
    drop,
    take: async ({ fact }) => {
      const path = htmlPath(fact)
      const shown = toShown(fact, everything)
      if (shown === null) {
        await drop(fact)
        return false
      }
      await putFile(join(out, path), toExportedHtml(shown, site.publicUrl))
      rows.push(
        `<li><a href="${escapeMarkup(path.split('/').map(encodeURIComponent).at(-1) ?? '')}">${escapeMarkup(shown.article.title)}</a></li>`,
      )
      return true
    },
    endDay: async folder => {
      const index = join(out, folder, 'index.html')
      if (rows.length === 0) await remove(index)
      else await putFile(index, `<!doctype html>\n<meta charset="utf-8">\n<title>${folder}</title>\n<ul>\n${rows.join('\n')}\n</ul>\n`)
      rows = []
      await sweepParts(join(out, folder))
    },
    end: async () => undefined,
    fail: async () => undefined,
  }
}

const openLines = (out: string, toLine: (version: ArchivedVersion) => string): Target => {
  const part = partOf(out)
  const stream: Writable = out === '-' ? process.stdout : createWriteStream(part)
  let failure: Error | null = null
  // Also when nobody waits: what is written goes to the disk later, and an error that nobody hears ends the process.
  stream.on('error', error => {
    failure ??= error
  })
  const check = () => {
    if (failure !== null) throw notWritten(out, failure)
  }
  return {
    drop: async () => undefined,
    take: async version => {
      check()
      // An error ends the waiting, and is told below.
      if (!stream.write(`${toLine(version)}\n`)) await once(stream, 'drain').catch(() => undefined)
      check()
      return true
    },
    endDay: async () => undefined,
    end: async () => {
      if (out === '-') return
      stream.end()
      await finished(stream).catch(() => undefined) // told below
      check()
      await rename(part, out)
    },
    fail: async () => {
      if (out === '-') return
      stream.destroy()
      // A file that is still being opened would be made after it was removed.
      await finished(stream).catch(() => undefined)
      await rm(part, { force: true })
    },
  }
}

/** Where it goes: a stream for lines, a folder for HTML. */
const openTarget = async (wanted: Wanted, out: string, context: NinjsContext): Promise<Target> => {
  if (wanted.format === 'html') return openFolder(out, context, wanted.everything ?? false)
  if (out !== '-') {
    await mkdir(dirname(out), { recursive: true }).catch(error => {
      throw notWritten(out, error)
    })
    await sweepParts(dirname(out), basename(out))
  }
  return openLines(out, wanted.format === 'ninjs' ? ({ fact }) => JSON.stringify(toNinjs(fact, context)) : canonicalJson)
}

/** `out`: a file, `-` for standard output, or the folder of HTML. A file appears whole or not at all. */
export const exportArchive = async (
  objects: Pick<Objects, 'get' | 'list'>,
  wanted: Wanted,
  { out, context, report }: Readonly<{ out: string; context: NinjsContext; report: Report }>,
): Promise<Exported> => {
  const days = await daysOf(objects, wanted.days)
  const target = await openTarget(wanted, out, context)
  let articles = 0
  try {
    for (const [at, folder] of days.entries()) {
      for await (const version of versionsOf(objects, folder, wanted)) {
        const how = wantedAs(version.fact, wanted, context.categories)
        if (how === 'was') await target.drop(version.fact)
        else if (how === 'is' && (await target.take(version))) articles += 1
      }
      await target.endDay(folder)
      report({ day: folder.replaceAll('/', '-'), of: days.length, days: at + 1, articles })
    }
    await target.end()
  } catch (error) {
    await target.fail()
    throw error
  }
  return { days: days.length, articles }
}
