import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Imported, readArticles, type Unreadable } from './import-source.ts'

test('what is not UTF-8 is told with where, and never taken damaged; what stands beside it is taken', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-import-'))
  t.after(() => rm(folder, { recursive: true }))
  const [whole, lines] = [join(folder, 'cu.json'), join(folder, 'all.jsonl')]
  const article = (id: string, title: string) => JSON.stringify({ id, title })
  await writeFile(whole, Buffer.from(article('cu', 'B\u00e9'), 'latin1'))
  const good = article('hai', 'Bến đò\u2028Mỹ Lợi')
  await writeFile(
    lines,
    Buffer.concat([
      Buffer.from(`\ufeff\r\n\u00a0\n\ufeff${article('mot', 'Một')}\r\n`),
      Buffer.from(`${article('x', '\u00e9')}\n`, 'latin1'),
      Buffer.from(good),
    ]),
  )
  const found: (Imported | Unreadable)[] = []
  for await (const one of readArticles([whole, lines])) found.push(one)
  const reason = 'it is not UTF-8; save it as UTF-8 and try again'
  assert.deepEqual(
    found.map(one => ('reason' in one ? one : one.article['title'])),
    [{ where: whole, reason }, 'Một', { where: `${lines}:4`, reason }, 'Bến đò\u2028Mỹ Lợi'],
  )
})
