/** `newswire replay …`: something that happened, once more. */
import { isInstant } from '@newswire/events/article'
import type { OutletRequest } from '@newswire/events/outlet'
import { createClient } from './client.ts'
import { type CommandTree, collect, withWait } from './command-tree.ts'
import { wholeId } from './commands.ts'
import { replayOutlet } from './outlets.ts'
import { replayTopic } from './replay-topic.ts'
import { showTable } from './show.ts'
import { printResult, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/** A sequence is a number, a time is not. Throws `UsageError`. */
export const toOutletFrom = (from: string): Readonly<{ fromSequence: string }> | Readonly<{ fromTime: string }> => {
  if (/^\d{1,16}$/.test(from)) return { fromSequence: from }
  if (isInstant(from)) return { fromTime: from }
  throw new UsageError(`--from must be a sequence (a number, as x-newswire-sequence says it) or a time with an offset, got ${from}`)
}

type Resent = Readonly<{ id: string; articleId: string; version: number; action: string; outlets: readonly string[] }>

const resendArticle = async (terminal: Terminal, id: string, { outlet }: { outlet?: string }): Promise<boolean> => {
  const using = await createClient(terminal)
  const articleId = await wholeId(using, id)
  const path = `/v1/articles/${encodeURIComponent(articleId)}/resend`
  const body = JSON.stringify(outlet === undefined ? {} : { outlet })
  const sent = (await using.console('POST', path, body)) as Resent
  const whom = sent.outlets.length > 20 ? `${sent.outlets.length} outlets` : sent.outlets.join(', ')
  printResult(terminal, sent, `version ${sent.version} of ${sent.articleId} (${sent.action}) goes again to ${whom}`)
  return true
}

type Asked = OutletRequest & Readonly<{ outlet: string; kind: 'replay' }>

const toRow = (one: Asked): readonly string[] => [
  one.outlet,
  one.at,
  one.by,
  'sequence' in one.from ? `after ${one.from.sequence}` : one.from.time,
  one.state,
  String(one.articles),
  one.answer ?? '',
]

const listReplays = async (terminal: Terminal): Promise<boolean> => {
  const { replays } = (await (await createClient(terminal)).console('GET', '/v1/replays')) as { replays: readonly Asked[] }
  const head = ['outlet', 'asked', 'by', 'from', 'state', 'articles', '']
  printResult(terminal, replays, replays.length === 0 ? 'Nothing was replayed of late.' : showTable([head, ...replays.map(toRow)]))
  return true
}

export const addReplayCommands = (program: CommandTree): void => {
  const replay = program.group(
    'replay',
    'once more: what came for an outlet, an article, or what groups handled of a topic',
    'newswire replay outlet tinh-doan --from 2026-01-31T08:00:00+07:00 --wait',
  )
  withWait(
    replay
      .add(
        'outlet <id>',
        'everything that came for an outlet since, as it is now; on a running system',
        'newswire replay outlet tinh-doan --from 4711 --wait',
        (terminal, id, { from, ...options }) => replayOutlet(terminal, id, { ...options, ...toOutletFrom(from) }),
      )
      .requiredOption('--from <sequence|time>', 'after this sequence, or since this time (with an offset, at most 14 days ago)'),
    'until all of it is under way; exit 1 if it does not come to that',
    600,
  )
  replay
    .add(
      'article <id>',
      'an article as it stands once more to every outlet that has it or is owed it, a retraction too; on a running system',
      'newswire replay article my-story --outlet tinh-doan',
      resendArticle,
    )
    .option('--outlet <id>', 'to this one alone')
  replay
    .add(
      'topic <topic>',
      'groups handle a topic again: changes nothing that is as it should be, and mends what was missed; their services must stand still',
      'newswire replay topic articles --from 2026-01-31T08:00:00+07:00 --group feeds --dry-run',
      replayTopic,
    )
    .requiredOption('--from <place>', 'start, a time with an offset, or a position with --partition')
    .option('--partition <n>', 'which partition the position is of')
    .option('--group <group>', 'only this one (default: all that handle the topic); may be repeated', collect, [])
    .option('--dry-run', 'only say where they would go on')
  replay.add('list', 'replays of outlets that were asked for of late, and how far they are', 'newswire replay list', listReplays)
}
