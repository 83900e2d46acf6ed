/** `newswire publish FILE…`: articles through the front door. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer as readAll } from 'node:stream/consumers'
import { parseArticleId } from '@newswire/events/ids'
import { type FileArticle, type TextOptions, toFileArticle } from './article-file.ts'
import { type Client, createClient } from './client.ts'
import { type CommandTree, collect, type WaitOptions } from './command-tree.ts'
import { splitId } from './commands.ts'
import { finish, withFinish } from './finish.ts'
import { doubtName, isRenamed, refuseClashes } from './name-clashes.ts'
import { sendArticle } from './send-article.ts'
import type { Terminal } from './terminal.ts'
import { cannotRead, UsageError } from './usage-error.ts'
import { readUtf8 } from './utf8.ts'

const readInput = async (file: string): Promise<string> => {
  if (file === '-') return readUtf8(await readAll(process.stdin), 'standard input')
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EISDIR')
      throw new UsageError(
        `${file} is a folder, and publish takes files: name them, as in \`newswire publish ${join(file, '*.json')}\`. An archive goes in whole with \`newswire import ${file}\`, which delivers it to nobody.`,
        { cause },
      )
    return cannotRead(file)(cause)
  })
  return readUtf8(bytes, file)
}

/** A whole id is taken as well as the publisher's own part of it. Where it cannot be known whose the token is, a name with a dot in it is just that. */
const withLocalId = async (using: Client, article: FileArticle): Promise<FileArticle> => {
  const publisher = parseArticleId(article.localId) === null ? null : await using.whose()
  return publisher === null ? article : { ...article, localId: splitId(article.localId, publisher).localId }
}

type PublishOptions = TextOptions & WaitOptions & Readonly<{ id?: string }>

/** All files are read and looked at before the first is sent. The first that is refused ends it. */
export const publish = async (terminal: Terminal, files: readonly string[], options: PublishOptions): Promise<boolean> => {
  if (files.length > 1 && (options.id !== undefined || options.title !== undefined))
    throw new UsageError('--id and --title are for one file')
  const using = await createClient(terminal)
  const articles: FileArticle[] = []
  for (const file of files) articles.push(await withLocalId(using, toFileArticle(file, await readInput(file), options)))
  refuseClashes(articles.map((one, index) => ({ file: files[index] ?? '', localId: one.localId })))
  let ok = true
  for (const article of articles) {
    const { namedBy, localId } = article
    if (namedBy !== undefined && isRenamed({ file: namedBy, localId })) terminal.say(`${namedBy} is ${localId}`)
    const doubts = await doubtName(using, article)
    const accepted = await sendArticle(using, article)
    const warnings = [...doubts, ...(accepted.warnings ?? [])]
    ok = (await finish(terminal, using, warnings.length === 0 ? accepted : { ...accepted, warnings }, options)) && ok
  }
  return ok
}

export const addPublish = (program: CommandTree): void => {
  withFinish(
    program.add(
      'publish <file...>',
      'publish articles: .json as the API takes it, .txt with options, - for JSON from standard input',
      'newswire publish story.txt --title "Hội chợ sách mở cửa đón bạn đọc" --category thoi-su --image a.jpg --caption "Khai mạc" --wait',
      publish,
    ),
  )
    .option('--id <id>', 'article id, yours or whole (default: "id" in the JSON, else the file name)')
    .option('--title <title>', 'of a .txt, as all that follow')
    .option('--summary <text>', 'a sentence or two')
    .option('--byline <name>', 'who wrote it')
    .option('--dateline <place>', 'where it was written')
    .option('--language <tag>', "like vi or en-GB (default: the site's)")
    .option('--category <id>', 'may be repeated', collect, [])
    .option('--tag <word>', 'may be repeated', collect, [])
    .option('--slug <slug>', 'last part of its address')
    .option('--embargo-until <instant>', 'held until then, like 2026-12-01T06:00:00+07:00; what is out stays out')
    .option('--expires-at <instant>', 'taken back then')
    .option('--correction <note>', 'it corrects what is out, and readers are told this; give everything again, pictures too')
    .option('--image <file>', 'may be repeated', collect, [])
    .option('--caption <text>', 'of the picture in the same place', collect, [])
    .option('--alt <text>', 'of the picture in the same place (default: its caption)', collect, [])
    .option('--credit <text>', 'of the picture in the same place', collect, [])
    .addHelpText(
      'after',
      '\nStandard input (-) is JSON, with an "id" in it or --id. A .json says everything itself: options for a .txt are refused beside it.' +
        '\nPublishing an id again replaces the whole article: what is not given again, like --image, --category or --byline, is gone.',
    )
}
