/** The options of `newswire rebuild …`. */
import { type CommandTree, withWait } from './command-tree.ts'
import { rebuildAll } from './rebuild-all.ts'
import { rebuildArchiveIndex } from './rebuild-archive-index.ts'
import { rebuildArticles } from './rebuild-articles.ts'
import { rebuildFeeds } from './rebuild-feeds.ts'
import { rebuildSearch } from './rebuild-search.ts'

const WAIT_SECONDS = 600

export const addRebuildCommands = (program: CommandTree): void => {
  const rebuild = program.group('rebuild', 'make what is derived again from state', 'newswire rebuild feeds --wait')
  withWait(
    rebuild.add(
      'search',
      'the search index of every gateway; the one that is there answers until the new one is whole',
      'newswire rebuild search --from archive --wait',
      rebuildSearch,
    ),
    'follow it to the end; exit 1 if it does not come to one',
    WAIT_SECONDS,
  ).option('--from <source>', 'log, or archive: first everything that is archived, then the log', 'log')
  withWait(
    rebuild.add(
      'archive-index',
      'which pack of the archive holds what, from the manifests and what lies there; what is as it should be is left',
      'newswire rebuild archive-index --wait',
      rebuildArchiveIndex,
    ),
    'follow it to the end; exit 1 if something that was signed is lost',
    WAIT_SECONDS,
  )
  withWait(
    rebuild.add(
      'feeds [id...]',
      'these feeds, or all: files and archive pages; what is as it should be is not written',
      'newswire rebuild feeds thoi-su --wait',
      rebuildFeeds,
    ),
    'follow it to the end; exit 1 if it does not come to one',
    WAIT_SECONDS,
  )
  rebuild.add(
    'articles [id...]',
    'the store was put back older than the log, or has lost these: articles from the log, while nothing else runs (on Kafka, named ones also beside it)',
    'newswire rebuild articles --data ./data',
    rebuildArticles,
  )
  rebuild.add(
    'all',
    'the log is lost: everything from the archive alone, onto an empty log, while nothing else runs',
    'newswire rebuild all --data ./data',
    rebuildAll,
  )
}
