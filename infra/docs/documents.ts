/** The documents that are made from the code, and what each should hold now. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toAsyncApi } from '@newswire/events/asyncapi'
import { toOpenApi } from '@newswire/ingest/openapi'
import { scheduleInWords } from '@newswire/outlets/schedule'
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

/** A document that people write, with one block of it made from the code: between `<!-- name: … -->` and `<!-- /name -->`. */
const withBlock = (path: string, name: string, block: string): readonly [path: string, text: string] => {
  const written = readFileSync(join(import.meta.dirname, '..', '..', path), 'utf8')
  const place = new RegExp(`(<!-- ${name}: [^>]*-->\n)[^]*?(\n<!-- /${name} -->)`)
  if (!place.test(written))
    throw new Error(`${path} has no block "${name}"; put <!-- ${name}: … --> and <!-- /${name} --> where it belongs`)
  return [path, written.replace(place, (_, before: string, after: string) => `${before}${block}${after}`)]
}

/** Path below the root → text. */
export const documents = (): ReadonlyMap<string, string> =>
  new Map([
    ['docs/openapi.json', `${JSON.stringify(toOpenApi(), null, 2)}\n`],
    [
      'docs/asyncapi.yaml',
      `# Made from packages/events by \`npm run docs\`.\n${stringify(toAsyncApi(), { aliasDuplicateObjects: false, lineWidth: 140 })}`,
    ],
    ['docs/settings.md', settings()],
    withBlock('services/outlets/README.md', 'schedule', scheduleInWords()),
  ])
