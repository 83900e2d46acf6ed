/** The options of `newswire outlets …`. */
import { type CommandTree, toSeconds, withWait } from './command-tree.ts'
import { holdOutlet, listDeliveries, listOutlets, replayOutlet, rotateSecret, showOutlet, testOutlet } from './outlets.ts'

export const addOutletCommands = (program: CommandTree): void => {
  const outlets = program.group('outlets', 'how partners stand, and what may be done with them', 'newswire outlets list')
  outlets.add('list', 'all of them, with what they have still to get', 'newswire outlets list', listOutlets)
  outlets.add('show <id>', 'one: how it stands, its secrets, what was asked of it', 'newswire outlets show tinh-doan', showOutlet)
  outlets.add(
    'pause <id>',
    'nothing goes out, retractions neither; everything is kept',
    'newswire outlets pause tinh-doan',
    (terminal, id) => holdOutlet(terminal, 'pause', id),
  )
  outlets.add('resume <id>', 'ends a pause, and a suspension after 410', 'newswire outlets resume tinh-doan', (terminal, id) =>
    holdOutlet(terminal, 'resume', id),
  )
  outlets
    .add('test <id>', 'send a signed test event; exit 1 if it is not accepted', 'newswire outlets test tinh-doan', testOutlet)
    .option('--timeout <seconds>', 'how long to wait for its end', toSeconds, 30)
  withWait(
    outlets
      .add(
        'replay <id>',
        'everything that came since, once more, as it is now',
        'newswire outlets replay tinh-doan --from-time 2026-01-31T08:00:00+07:00',
        replayOutlet,
      )
      .option('--from-sequence <n>', 'after this one')
      .option('--from-time <instant>', 'at most 14 days ago, with an offset'),
    'until all of it is under way; exit 1 if it does not come to that',
    600,
  )
  outlets
    .add(
      'deliveries <id>',
      'what came since a sequence, and how each stands',
      'newswire outlets deliveries tinh-doan --after 0',
      listDeliveries,
    )
    .option('--after <sequence>', 'of the last one that is known', '0')
    .option('--limit <n>', 'at most so many, up to 500', '100')
  outlets
    .add('rotate <id>', 'make a new signing secret; it is shown once', 'newswire outlets rotate tinh-doan', rotateSecret)
    .option('--overlap-hours <n>', 'how long the secrets before it sign too, 0 to 168 (default 24)')
}
