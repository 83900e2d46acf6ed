/** What moves the logs of views beside the event loop: it keeps a process alive exactly as long as somebody waits for it, and ends none by being unable to start. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'

const PATH = JSON.stringify(new URL('./projection-checkpoint.ts', import.meta.url).href)

const newFolder = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), 'moving-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Rejects unless the program ends well by itself. */
const runs = async (dir: string, code: string, flags: readonly string[] = []): Promise<string> => {
  const program = join(dir, 'program.mjs')
  writeFileSync(program, code)
  return (await promisify(execFile)(process.execPath, [...flags, program], { timeout: 120_000 })).stdout
}

test('a process whose views stop at once lives until the last of them is closed', async t => {
  const dir = newFolder(t)
  const code = `
    import { DatabaseSync } from 'node:sqlite'
    import { createMoving } from ${PATH}
    const views = [1, 2, 3].map(n => {
      const file = ${JSON.stringify(dir)} + '/' + n + '.db'
      const db = new DatabaseSync(file)
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 100000; CREATE TABLE t (a BLOB)')
      db.exec('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000) INSERT INTO t SELECT zeroblob(4000) FROM n')
      return { db, moving: createMoving(file) }
    })
    for (const { moving } of views) moving.wrote(1000)
    await Promise.all(views.map(async ({ db, moving }) => {
      await moving.close()
      db.close()
    }))
    console.log('all closed')`
  assert.equal(await runs(dir, code), 'all closed\n')
})

test('a process that may have no further thread goes on without it', async t => {
  const code = `
    import { createMoving } from ${PATH}
    const moving = createMoving('nowhere.db')
    for (let n = 0; n < 3; n++) {
      moving.wrote(1000)
      await moving.close()
    }
    console.log('went on')`
  assert.equal(await runs(newFolder(t), code, ['--permission', '--allow-fs-read=*']), 'went on\n')
})
