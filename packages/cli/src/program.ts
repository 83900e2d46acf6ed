/** The commands with their options, as the command line has them. */
import { readFileSync } from 'node:fs'
import type { Environment, Settings } from '@newswire/runtime/settings'
import { settingHelp } from '@newswire/runtime/settings'
import { Command, InvalidArgumentError } from 'commander'
import { addArchiveCommands } from './archive-program.ts'
import { collect, commandTree, withHelp } from './command-tree.ts'
import { apply, endDeadLetters, listDeadLetters, showDeadLetter, status, topics, trace } from './commands.ts'
import { addConfigCommands } from './config-show.ts'
import { explain } from './explain.ts'
import { importArticles } from './import.ts'
import { addOutletCommands } from './outlets-program.ts'
import { addPublish } from './publish.ts'
import { addPurgeCommand } from './purge.ts'
import { addRebuildCommands } from './rebuild-program.ts'
import { addReplayCommands } from './replay-program.ts'
import { addRetractCommands } from './retract.ts'
import { run } from './run.ts'
import { isServiceName, serviceNames } from './services.ts'
import type { Terminal } from './terminal.ts'
import { addTokenCommands } from './token.ts'
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

const READY_JSON = 'the line that it is ready as one JSON document'

type ProgramOptions = Readonly<{
  environment: Environment
  /** Environment settings with those of the command line over them. */
  readSettings: (overrides: Environment) => Settings
  print: Terminal['print']
  say: (line: string) => void
  onStatus: (status: number) => void
}>

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
    .addHelpText('after', '\nExample:\n  newswire up --demo')
    .version(version, '-v, --version')
    .exitOverride()
    .showSuggestionAfterError()
  const tree = commandTree(program, async ({ json = false, data }, work) => {
    const settings = readSettings(data === undefined ? {} : { NEWSWIRE_DATA: data })
    onStatus((await work({ settings, environment, json, print, say })) ? 0 : 1)
  })

  withHelp(program.command('up'), 'all services in one process', 'newswire up --demo')
    .option('--demo', 'a demo publisher, feeds, a partner site and two articles')
    .option('--json', READY_JSON)
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
          json: options.json === true,
          ...(options.config === undefined ? {} : { configFile: options.config }),
          print,
          say,
        }),
      ),
    )

  withHelp(program.command('run'), `one or more services on Kafka and S3: ${serviceNames.join(', ')}`, 'newswire run ingest')
    .argument('<service...>')
    .option('--json', READY_JSON)
    .option('--data <dir>', 'folder for local views')
    .addHelpText('after', settingsText)
    .action(async (names: string[], options) => {
      const known = names.filter(isServiceName)
      const unknown = names.filter(name => !isServiceName(name))
      if (unknown.length > 0) throw new UsageError(`no such service: ${unknown.join(', ')}; there are ${serviceNames.join(', ')}`)
      onStatus(
        await run({ names: known, settings: readSettings(portSettings(options)), environment, json: options.json === true, print, say }),
      )
    })

  addPublish(tree)
  tree
    .add(
      'import <source>',
      'take in an archive: a .json, .jsonl or .ndjson file, a folder of them, or the address of a feed; run again it goes on where it stopped',
      'newswire import https://news.example/feed.xml --category thoi-su',
      importArticles,
    )
    .option('--deliver', 'deliver and ping it as well, as if it were news')
    .option('--journal <file>', 'what was answered (default: <source>.import.journal; of a feed, in this folder)')
    .option('--category <id>', 'of a feed: file every article under it; may be repeated', collect, [])
  addRetractCommands(tree)

  tree.add('trace <id>', 'where is my article?', 'newswire trace my-story', trace)
  tree
    .add('explain <id> <outlet>', 'why was it sent to this outlet, or why not?', 'newswire explain my-story tinh-doan', explain)
    .option('--version <n>', 'default: the newest')
  tree.add('status', 'is everything all right? Exit 1 if not', 'newswire status', status)

  withHelp(
    program.command('doctor'),
    'what is wrong, why, and what to do: settings, services, store, log, secrets, archive; exit 1 if something failed',
    'newswire doctor',
  )
    .option('--json', 'one JSON document on standard output')
    .option('--data <dir>', 'data folder of the system')
    .action(async ({ json = false, data }) => {
      // Loaded only here: no other command needs most of what it looks with.
      const { doctor } = await import('./doctor/doctor.ts')
      const read = () => readSettings(data === undefined ? {} : { NEWSWIRE_DATA: data })
      onStatus((await doctor({ environment, readSettings: read, version, json, now: Date.now, print })) ? 0 : 1)
    })

  tree
    .add('apply <file>', 'apply a configuration; prints what changes', 'newswire apply newswire.yaml --dry-run', apply)
    .option('--prune', 'retire what the file no longer names')
    .option('--dry-run', 'only say what would change')
    .option('--force', 'let site.id change')
  addConfigCommands(tree)

  const kafka = tree.group('topics', 'the topics on Kafka', 'newswire topics apply')
  const reach = 'KAFKA_BROKERS=127.0.0.1:9092 S3_BUCKET=newswire newswire topics'
  kafka.add('check', 'compare the topics with what they should be', `${reach} check`, terminal => topics(terminal, 'check', {}))
  kafka
    .add('apply', 'make the topics that are missing', `${reach} apply`, (terminal, options) => topics(terminal, 'apply', options))
    .option('--new-epoch', 'the log was replaced: positions begin above all earlier ones')

  addTokenCommands(tree)
  addRebuildCommands(tree)
  addPurgeCommand(tree)
  addArchiveCommands(tree)
  addReplayCommands(tree)
  addOutletCommands(tree)

  const letters = tree.group('dead-letters', 'records that could not be handled', 'newswire dead-letters list')
  const letter = 'newswire dead-letters'
  letters
    .add('list', 'all of them, newest first', `${letter} list --open`, listDeadLetters)
    .option('--open', 'only those that nobody has decided on')
  letters.add('show <id>', 'one, with its bytes', `${letter} show 0198c0de-…`, showDeadLetter)
  letters.add('redrive <id...>', 'give it to the group that failed once more', `${letter} redrive 0198c0de-…`, (terminal, ids) =>
    endDeadLetters(terminal, 'redrive', ids),
  )
  letters.add('discard <id...>', 'decide that it stays as it is', `${letter} discard 0198c0de-…`, (terminal, ids) =>
    endDeadLetters(terminal, 'discard', ids),
  )
  return program
}
