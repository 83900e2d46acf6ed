/** `newswire archive export`. */
import { type ExportFormat, exportArchive } from '@newswire/archive/export'
import { isDay } from '@newswire/archive/verify-copy'
import type { CategoryConfig, PublisherConfig, SiteConfig } from '@newswire/events/config'
import type { NinjsContext } from '@newswire/events/ninjs'
import { readEntries } from '@newswire/runtime/config-entries'
import { openReader } from './open-objects.ts'
import { printResult, sayNowAndThen, type Terminal } from './terminal.ts'
import { FailedError, UsageError } from './usage-error.ts'

type ExportOptions = Readonly<{
  format: ExportFormat
  from?: string
  to?: string
  category?: string
  publisher?: string
  allVersions?: boolean
  everything?: boolean
  out: string
}>

/** Both days are included. Throws `UsageError` for what is no day, and for a span that ends before it begins. */
export const toDayFolders = (asked: Readonly<{ from?: string; to?: string }>): Readonly<{ from?: string; to?: string }> => {
  const given = (['from', 'to'] as const).flatMap(name => (asked[name] === undefined ? [] : [[name, asked[name]] as const]))
  for (const [name, day] of given) if (!isDay(day)) throw new UsageError(`--${name} is a day, yyyy-mm-dd, got ${JSON.stringify(day)}`)
  if (asked.from !== undefined && asked.to !== undefined && asked.from > asked.to)
    throw new UsageError(`--from ${asked.from} is after --to ${asked.to}: no day lies between them`)
  return Object.fromEntries(given.map(([name, day]) => [name, day.replaceAll('-', '/')]))
}

/** Names of categories and publishers as they are now, retired ones too. */
const readContext = async (objects: Parameters<typeof readEntries>[0]): Promise<NinjsContext> => {
  const { entries } = await readEntries(objects)
  const site = entries.find(entry => entry.kind === 'site')?.value as SiteConfig | undefined
  if (site === undefined)
    throw new FailedError('the store has no configuration: `newswire apply` one first, addresses and names come from it')
  const of = <T>(kind: 'categories' | 'publishers') =>
    new Map(entries.filter(entry => entry.kind === kind && entry.value !== undefined).map(entry => [entry.id, entry.value as T]))
  return { site, categories: of<CategoryConfig>('categories'), publishers: of<PublisherConfig>('publishers') }
}

export const exportToFile = async (terminal: Terminal, options: ExportOptions): Promise<boolean> => {
  const { settings } = terminal
  const { format, category, publisher, allVersions = false, everything = false, out } = options
  if (allVersions && format !== 'jsonl') throw new UsageError('--all-versions is for --format jsonl')
  if (everything && format !== 'html') throw new UsageError('--everything is for --format html; the others have everything')
  if (format === 'html' && out === '-') throw new UsageError('--format html needs a folder, not standard output')
  const days = toDayFolders(options)
  const objects = await openReader(settings)
  try {
    const context = await readContext(objects)
    if (category !== undefined && !context.categories.has(category)) throw new UsageError(`there is no category ${category}`)
    if (publisher !== undefined && !context.publishers.has(publisher)) throw new UsageError(`there is no publisher ${publisher}`)
    const tell = sayNowAndThen(terminal)
    const wanted = {
      days,
      ...(category === undefined ? {} : { category }),
      ...(publisher === undefined ? {} : { publisher }),
      format,
      allVersions,
      everything,
    }
    const report = ({ day, of, days, articles }: { day: string; of: number; days: number; articles: number }) =>
      tell(() => `${day}: ${days} of ${of} days, ${articles} written`, days === of)
    const exported = await exportArchive(objects, wanted, { out, context, report })
    if (out !== '-') printResult(terminal, exported, `${exported.articles} written to ${out}`)
    return true
  } finally {
    await objects.close()
  }
}
