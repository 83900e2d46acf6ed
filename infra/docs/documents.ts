/** The documents that are made from the code, and what each should hold now. */
import { toAsyncApi } from '@newswire/events/asyncapi'
import { toOpenApi } from '@newswire/ingest/openapi'
import { settingHelp } from '@newswire/runtime/settings'
import { stringify } from 'yaml'

const settings = (): string =>
  [
    '# Settings',
    '',
    'Made from `packages/runtime/src/settings.ts` by `npm run docs`.',
    '',
    '| Variable | Meaning |',
    '|---|---|',
    ...settingHelp.map(({ name, help }) => `| \`${name}\` | ${help} |`),
    '',
  ].join('\n')

/** Path below the root → text. */
export const documents = (): ReadonlyMap<string, string> =>
  new Map([
    ['docs/openapi.json', `${JSON.stringify(toOpenApi(), null, 2)}\n`],
    [
      'docs/asyncapi.yaml',
      `# Made from packages/events by \`npm run docs\`.\n${stringify(toAsyncApi(), { aliasDuplicateObjects: false, lineWidth: 140 })}`,
    ],
    ['docs/settings.md', settings()],
  ])
