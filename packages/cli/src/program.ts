/** The commands with their options, as the command line has them. */
import { readFileSync } from 'node:fs'
import type { Environment, Settings } from '@newswire/runtime/settings'
import { settingHelp } from '@newswire/runtime/settings'
import { Command, InvalidArgumentError } from 'commander'
import { addArchiveCommands } from './archive-program.ts'
import { apply, deadLetters, status, topics, trace } from './commands.ts'
import { addConfigCommands } from './config-show.ts'
import { explain } from './explain.ts'
import { importArticles } from './import.ts'
import { addOutletCommands } from './outlets-program.ts'
import { addPublish } from './publish.ts'
import { addPurgeCommand } from './purge.ts'
import { addRebuildCommands } from './rebuild-program.ts'
import { addReplayCommands } from './replay-program.ts'
import { addRetract, republish } from './retract.ts'
import { run } from './run.ts'
import { isServiceName, serviceNames } from './services.ts'
import type { Terminal } from './terminal.ts'
import { createToken, listTokens, revokeToken } from './token.ts'
import { up } from './up.ts'
import { UsageError } from './usage-error.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/**
 * Commander answers `--help` before it looks whether there is such a command, so a slip of the pen would look like success: of an unknown one nothing
 * but its name is left, which is refused.
 */
export const withoutHelpOfUnknown = (program: Command, args: readonly string[]): readonly string[] => {
  let group = program
  for (const arg of args) {
    if (arg.startsWith('-') || arg === 'help' || group.commands.length === 0) return args
    const found = group.commands.find(one => one.name() === arg)
    if (found === undefined) return args.filter(one => one !== '--help' && one !== '-h')
    group = found
  }
  return args
}

export type ProgramOptions = Readonly<{
  environment: Environment
  /** Environment settings with those of the command line over them. */
  readSettings: (overrides: Environment) => Settings
  print: (line: string) => void
  say: (line: string) => void
  onStatus: (status: number) => void
}>

const collect = (value: string, all: readonly string[]): string[] => [...all, value]
const toSeconds = (value: string): number => {
  const seconds = Number(value)
  if (Number.isFinite(seconds) && seconds > 0) return seconds
  throw new InvalidArgumentError('expected a number of seconds above 0')
}
const toPort = (value: string): string => {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return value
  throw new InvalidArgumentError('expected 0 to 65535')
}
const settingsText = `\nSettings, by environment:\n${settingHelp.map(({ name, help }) => `  ${name.padEnd(24)} ${help}`).join('\n')}`

const portSettings = (options: Record<string, string | undefined>): Environment =>
  Object.fromEntries(
    Object.entries({
      NEWSWIRE_DATA: options.data,
      NEWSWIRE_HOST: options.host,
      NEWSWIRE_GATEWAY_PORT: options.gatewayPort,
      NEWSWIRE_INGEST_PORT: options.ingestPort,
      NEWSWIRE_CONSOLE_PORT: options.consolePort,
    }).filter(([, value]) => value !== undefined),
  )

export const createProgram = ({ environment, readSettings, print, say, onStatus }: ProgramOptions): Command => {
  const program = new Command('newswire')
    .description('Open news syndication: one publish event to feeds, archive and partners, and back out of all of them.')
    .version(version, '-v, --version')
    .exitOverride()
    .showSuggestionAfterError()
  const terminal = (options: { json?: boolean; data?: string }): Terminal => ({
    settings: readSettings(options.data === undefined ? {} : { NEWSWIRE_DATA: options.data }),
    environment,
    json: options.json === true,
    print,
    say,
  })
  const ends = async (work: Promise<boolean>) => onStatus((await work) ? 0 : 1)
  const command = (name: string, description: string, example: string) =>
    program.command(name).description(description).addHelpText('after', `\nExample:\n  ${example}`)
  const client = (name: string, description: string, example: string) =>
    command(name, description, example)
      .option('--json', 'one JSON document on standard output')
      .option('--data <dir>', 'data folder of the system that `up` started')
  const waits = (one: Command) =>
    one
      .option('--wait', 'follow it until every feed, archive and outlet has it; exit 1 if one has not')
      .option('--timeout <seconds>', 'how long --wait waits', toSeconds, 60)

  command('up', 'all services in one process', 'newswire up --demo')
    .option('--demo', 'a demo publisher, feeds, a partner site and two articles')
    .option('--data <dir>', 'data folder (default ./data)')
    .option('--config <file>', 'configuration to apply first')
    .option('--host <host>', 'address to listen on')
    .option('--gateway-port <n>', '0 picks a free one', toPort)
    .option('--ingest-port <n>', '0 picks a free one', toPort)
    .option('--console-port <n>', '0 picks a free one', toPort)
    .addHelpText('after', settingsText)
    .action(async options =>
      onStatus(
        await up({
          settings: readSettings(portSettings(options)),
          environment,
          demo: options.demo === true,
          ...(options.config === undefined ? {} : { configFile: options.config }),
          print,
          say,
        }),
      ),
    )

  command('run', `one or more services on Kafka and S3: ${serviceNames.join(', ')}`, 'newswire run ingest')
    .argument('<service...>')
    .option('--data <dir>', 'folder for local views')
    .addHelpText('after', settingsText)
    .action(async (names: string[], options) => {
      const known = names.filter(isServiceName)
      const unknown = names.filter(name => !isServiceName(name))
      if (unknown.length > 0) throw new UsageError(`no such service: ${unknown.join(', ')}; there are ${serviceNames.join(', ')}`)
      onStatus(await run({ names: known, settings: readSettings(portSettings(options)), environment, print, say }))
    })

  addPublish(
    waits(
      client(
        'publish',
        'publish articles: .json as the API takes it, .txt with options, - for JSON from standard input',
        'newswire publish story.txt --title "Hội chợ sách" --category thoi-su --image a.jpg --caption "Khai mạc" --wait',
      ),
    ),
    terminal,
    ends,
  )

  client(
    'import',
    'take in an archive: a .json, .jsonl or .ndjson file, a folder of them, or the address of a feed; run again it goes on where it stopped',
    'newswire import https://news.example/feed.xml --category thoi-su',
  )
    .argument('<source>')
    .option('--deliver', 'deliver and ping it as well, as if it were news')
    .option('--journal <file>', 'what was answered (default: <source>.import.journal; of a feed, in this folder)')
    .option('--category <id>', 'of a feed: file every article under it; may be repeated', collect, [])
    .action((source: string, options) => ends(importArticles(terminal(options), source, { ...options, deliver: options.deliver === true })))

  addRetract(
    waits(client('retract', 'take an article back from everywhere', 'newswire retract my-story --mode withdraw --reason "wrong names"')),
    terminal,
    ends,
  )

  waits(client('republish', 'bring a retracted article back', 'newswire republish my-story'))
    .argument('<id>')
    .action((id: string, options) => ends(republish(terminal(options), id, { ...options, wait: options.wait === true })))

  client('trace', 'where is my article?', 'newswire trace my-story')
    .argument('<id>')
    .action((id: string, options) => ends(trace(terminal(options), id)))
  client('explain', 'why was it sent to this outlet, or why not?', 'newswire explain my-story tinh-doan')
    .argument('<id>')
    .argument('<outlet>')
    .option('--version <n>', 'default: the newest')
    .action((id: string, outlet: string, options) => ends(explain(terminal(options), id, outlet, options.version)))
  client('status', 'is everything all right? Exit 1 if not', 'newswire status').action(options => ends(status(terminal(options))))

  client(
    'doctor',
    'what is wrong, why, and what to do: settings, services, store, log, secrets, archive; exit 1 if something failed',
    'newswire doctor',
  ).action(async options => {
    // Loaded only here: no other command needs most of what it looks with.
    const { doctor } = await import('./doctor/doctor.ts')
    const read = () => readSettings(options.data === undefined ? {} : { NEWSWIRE_DATA: options.data })
    await ends(doctor({ environment, readSettings: read, version, json: options.json === true, now: Date.now, print }))
  })

  client('apply', 'apply a configuration; prints what changes', 'newswire apply newswire.yaml --dry-run')
    .argument('<file>')
    .option('--prune', 'retire what the file no longer names')
    .option('--dry-run', 'only say what would change')
    .option('--force', 'let site.id change')
    .action((file: string, options) =>
      ends(
        apply(terminal(options), file, { prune: options.prune === true, dryRun: options.dryRun === true, force: options.force === true }),
      ),
    )

  addConfigCommands(program, terminal, ends)

  const topicCommand = program
    .command('topics')
    .description('the topics on Kafka')
    .addHelpText('after', '\nExample:\n  newswire topics apply')
  for (const action of ['check', 'apply'] as const) {
    const one = topicCommand
      .command(action)
      .description(action === 'check' ? 'compare the topics with what they should be' : 'make the topics that are missing')
      .option('--json', 'one JSON document on standard output')
      .addHelpText('after', `\nExample:\n  KAFKA_BROKERS=127.0.0.1:9092 S3_BUCKET=newswire newswire topics ${action}`)
    if (action === 'apply') one.option('--new-epoch', 'the log was replaced: positions begin above all earlier ones')
    one.action(options => ends(topics(terminal(options), action, { newEpoch: options.newEpoch === true })))
  }

  const tokens = program
    .command('token')
    .description('who may publish, beside those whom the configuration file names')
    .addHelpText('after', '\nExample:\n  newswire token create vensong cms')
  const tokenCommand = (usage: string, description: string, example: string) =>
    tokens
      .command(usage)
      .description(description)
      .option('--json', 'one JSON document on standard output')
      .option('--data <dir>', 'data folder of the system that `up` started')
      .addHelpText('after', `\nExample:\n  ${example}`)
  tokenCommand(
    'create <publisher> <id>',
    'make a token; it is shown once',
    'newswire token create vensong cms --scope publish --scope retract',
  )
    .option('--scope <scope>', 'what it may do: publish, retract, republish, read (default all); may be repeated', collect, [])
    .action((publisher: string, id: string, options) => ends(createToken(terminal(options), publisher, id, options.scope)))
  tokenCommand('list', 'all tokens, never their values', 'newswire token list').action(options => ends(listTokens(terminal(options))))
  tokenCommand('revoke <publisher> <id>', 'end a token that was made here', 'newswire token revoke vensong cms').action(
    (publisher: string, id: string, options) => ends(revokeToken(terminal(options), publisher, id)),
  )

  addRebuildCommands(program, { terminal, ends, toSeconds })
  addPurgeCommand(program, { terminal, ends, toSeconds })
  addArchiveCommands(program, { terminal, ends, toSeconds })
  addReplayCommands(program, { terminal, ends, toSeconds })
  addOutletCommands(program, { terminal, ends, toSeconds })

  const letters = program
    .command('dead-letters')
    .description('records that could not be handled')
    .addHelpText('after', '\nExample:\n  newswire dead-letters list')
  for (const action of ['list', 'show', 'redrive', 'discard'] as const)
    letters
      .command(action === 'list' ? 'list' : `${action} <id>`)
      .description(
        {
          list: 'all of them, newest first',
          show: 'one, with its bytes',
          redrive: 'give it to the group that failed once more',
          discard: 'decide that it stays as it is',
        }[action],
      )
      .option('--json', 'one JSON document on standard output')
      .option('--data <dir>', 'data folder of the system that `up` started')
      .addHelpText('after', `\nExample:\n  newswire dead-letters ${action}${action === 'list' ? '' : ' 0198c0de-…'}`)
      .action(function (this: Command) {
        return ends(deadLetters(terminal(this.opts()), action, this.args[0]))
      })
  return program
}
