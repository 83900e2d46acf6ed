import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { keys } from '@newswire/objects/keys'
import { readSettings } from '@newswire/runtime/settings'
import { compose } from './compose.ts'
import { readConfigFile } from './config-file.ts'

test('the store knows its log before anything can be sent to it: a kill right after the start leaves no log with articles beside a store that knows none', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-compose-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const environment = { NEWSWIRE_DATA: folder, NEWSWIRE_LOG_LEVEL: 'silent' }
  const { context, close } = await compose({
    settings: readSettings(environment),
    environment,
    clientId: 'test',
    config: await readConfigFile(fileURLToPath(new URL('../demo/newswire.yaml', import.meta.url))),
    createTopics: true,
    onCrash: error => assert.fail(error),
  })
  t.after(close)
  assert.notEqual(await context.objects.head(keys.logMark()), null)
})
