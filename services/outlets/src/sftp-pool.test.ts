import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from './partner.ts'
import { createSftpPool } from './sftp-pool.ts'

type Fake = { name: string; open: boolean }

const startPool = (idleMs = 60_000) => {
  const opened: Fake[] = []
  const pool = createSftpPool<Fake>({
    isOpen: one => one.open,
    close: one => {
      one.open = false
    },
    idleMs,
  })
  const open = async () => {
    const one = { name: `c${opened.length}`, open: true }
    opened.push(one)
    return one
  }
  return { opened, open, pool }
}

test('what is in flight at once shares one connection, also while it is being opened', async () => {
  const { pool, open, opened } = startPool()
  await Promise.all([1, 2, 3].map(() => pool.use('a', 's', open, async one => assert.equal(one.name, 'c0'))))
  await pool.use('b', 's', open, async one => assert.equal(one.name, 'c1'))
  assert.equal(opened.length, 2)
  pool.close()
  assert.ok(opened.every(one => !one.open))
})

test('other settings get another connection, and the old one ends when nobody uses it', async () => {
  const { pool, open, opened } = startPool()
  await pool.use('a', 's', open, async () => {
    await pool.use('a', 'other', open, async one => assert.equal(one.name, 'c1'))
    assert.equal(opened[0]?.open, true)
  })
  assert.deepEqual(
    opened.map(one => one.open),
    [false, true],
  )
  pool.close()
})

test('a connection that ended, and one that could not be opened, is not given out again', async () => {
  const { pool, open, opened } = startPool()
  await assert.rejects(
    pool.use(
      'a',
      's',
      () => Promise.reject(new Error('no')),
      async () => undefined,
    ),
    /no/,
  )
  await pool.use('a', 's', open, async one => {
    one.open = false
  })
  await pool.use('a', 's', open, async one => assert.equal(one.name, 'c1'))
  assert.equal(opened.length, 2)
  pool.close()
})

test('an idle connection ends', async () => {
  const { pool, open, opened } = startPool(5)
  await pool.use('a', 's', open, async () => undefined)
  const keepsAlive = setInterval(() => undefined, 1_000)
  await until('the end', () => opened[0]?.open === false)
  clearInterval(keepsAlive)
})

test('a connection that opens after the end is closed at once', async () => {
  const { pool, open, opened } = startPool()
  const using = pool.use('a', 's', open, async one => one.open)
  pool.close()
  await using
  assert.equal(opened[0]?.open, false)
})
