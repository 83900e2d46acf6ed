/** The options of `newswire outlets …`. */
import type { Command } from 'commander'
import { holdOutlet, listDeliveries, listOutlets, replayOutlet, rotateSecret, showOutlet, testOutlet } from './outlets.ts'
import type { Terminal } from './terminal.ts'

type Needs = Readonly<{
  terminal: (options: { json?: boolean; data?: string }) => Terminal
  ends: (work: Promise<boolean>) => Promise<void>
  toSeconds: (value: string) => number
}>

export const addOutletCommands = (program: Command, { terminal, ends, toSeconds }: Needs): void => {
  const outlets = program
    .command('outlets')
    .description('how partners stand, and what may be done with them')
    .addHelpText('after', '\nExample:\n  newswire outlets list')
  const one = (usage: string, description: string, example: string) =>
    outlets
      .command(usage)
      .description(description)
      .option('--json', 'one JSON document on standard output')
      .option('--data <dir>', 'data folder of the system that `up` started')
      .addHelpText('after', `\nExample:\n  ${example}`)

  one('list', 'all of them, with what they have still to get', 'newswire outlets list').action(options =>
    ends(listOutlets(terminal(options))),
  )
  one('show <id>', 'one: how it stands, its secrets, what was asked of it', 'newswire outlets show tinh-doan').action(
    (id: string, options) => ends(showOutlet(terminal(options), id)),
  )
  one('pause <id>', 'nothing goes out, retractions neither; everything is kept', 'newswire outlets pause tinh-doan').action(
    (id: string, options) => ends(holdOutlet(terminal(options), 'pause', id)),
  )
  one('resume <id>', 'ends a pause, and a suspension after 410', 'newswire outlets resume tinh-doan').action((id: string, options) =>
    ends(holdOutlet(terminal(options), 'resume', id)),
  )
  one('test <id>', 'send a signed test event; exit 1 if it is not accepted', 'newswire outlets test tinh-doan')
    .option('--timeout <seconds>', 'how long to wait for its end', toSeconds, 30)
    .action((id: string, options) => ends(testOutlet(terminal(options), id, { wait: true, timeout: options.timeout })))
  one(
    'replay <id>',
    'everything that came since, once more, as it is now',
    'newswire outlets replay tinh-doan --from-time 2026-01-31T08:00:00+07:00',
  )
    .option('--from-sequence <n>', 'after this one')
    .option('--from-time <instant>', 'at most 14 days ago, with an offset')
    .option('--wait', 'until all of it is under way; exit 1 if it does not come to that')
    .option('--timeout <seconds>', 'how long --wait waits', toSeconds, 600)
    .action((id: string, options) => ends(replayOutlet(terminal(options), id, { ...options, wait: options.wait === true })))
  one('deliveries <id>', 'what came since a sequence, and how each stands', 'newswire outlets deliveries tinh-doan --after 0')
    .option('--after <sequence>', 'of the last one that is known', '0')
    .option('--limit <n>', 'at most so many, up to 500', '100')
    .action((id: string, options) => ends(listDeliveries(terminal(options), id, options)))
  one('rotate <id>', 'make a new signing secret; it is shown once', 'newswire outlets rotate tinh-doan')
    .option('--overlap-hours <n>', 'how long the secrets before it sign too, 0 to 168 (default 24)')
    .action((id: string, options) => ends(rotateSecret(terminal(options), id, options)))
}
