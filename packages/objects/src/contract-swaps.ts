/** The part of the contract that everything else stands on: one winner, and no update lost. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, type Make, opened, textAt } from './contract-store.ts'
import type { Objects, PutResult } from './objects.ts'

const times = <T>(count: number, make: (index: number) => T): readonly T[] => Array.from({ length: count }, (_, index) => make(index))

const onlyWinner = (results: readonly PutResult[], reason: 'exists' | 'stale'): number => {
  const winners = results.flatMap((result, index) => (result.ok ? [index] : []))
  assert.equal(winners.length, 1, `winners: ${winners.join(', ')}`)
  for (const result of results) if (!result.ok) assert.equal(result.reason, reason)
  return winners[0] ?? -1
}

const created = async (objects: Objects, key: string, text: string): Promise<string> => {
  const result = await objects.put(key, bytesOf(text), { ifNoneMatch: '*' })
  assert.ok(result.ok)
  return result.etag
}

const addOne = async (objects: Objects, key: string): Promise<void> => {
  for (;;) {
    const found = await objects.get(key)
    assert.ok(found)
    const { n } = JSON.parse(Buffer.from(found.bytes).toString()) as { n: number }
    // The writer's own mark: two writers that write the same bytes would both be told that they won.
    const next = bytesOf(JSON.stringify({ n: n + 1, by: Math.random() }))
    if ((await objects.put(key, next, { ifMatch: found.etag })).ok) return
  }
}

export const swapsContract = (make: Make): void => {
  for (const writers of [16, 200]) {
    test(`of ${writers} writers that create one key, one wins and its bytes stay`, async t => {
      const objects = await opened(t, make)
      const results = await Promise.all(times(writers, n => objects.put('race', bytesOf(`writer ${n}`), { ifNoneMatch: '*' })))
      assert.equal(await textAt(objects, 'race'), `writer ${onlyWinner(results, 'exists')}`)
    })
  }

  test('of 16 writers that swap one state, one wins and its bytes stay', async t => {
    const objects = await opened(t, make)
    const ifMatch = await created(objects, 'race', 'first')
    const results = await Promise.all(times(16, n => objects.put('race', bytesOf(`writer ${n}`), { ifMatch })))
    assert.equal(await textAt(objects, 'race'), `writer ${onlyWinner(results, 'stale')}`)
  })

  test('a counter that 8 writers raise 25 times each ends at 200', async t => {
    const objects = await opened(t, make)
    await created(objects, 'counter.json', '{"n":0}')
    await Promise.all(
      times(8, async () => {
        for (let swap = 0; swap < 25; swap++) await addOne(objects, 'counter.json')
      }),
    )
    assert.equal(JSON.parse((await textAt(objects, 'counter.json')) ?? '').n, 200)
  })

  test('a swap with an outdated tag is refused and leaves the object alone', async t => {
    const objects = await opened(t, make)
    const ifMatch = await created(objects, 'a', 'one')
    assert.ok((await objects.put('a', bytesOf('two'), { ifMatch })).ok)
    assert.deepEqual(await objects.put('a', bytesOf('three'), { ifMatch }), { ok: false, reason: 'stale' })
    assert.equal(await textAt(objects, 'a'), 'two')
  })

  test('a swap of what is not there, or not any more, is refused and makes nothing', async t => {
    const objects = await opened(t, make)
    const ifMatch = await created(objects, 'a', 'one')
    await objects.delete('a')
    for (const key of ['a', 'never']) {
      assert.deepEqual(await objects.put(key, bytesOf('two'), { ifMatch }), { ok: false, reason: 'stale' })
      assert.equal(await objects.get(key), null)
    }
  })

  test('a conditional put that is repeated after a lost answer succeeds with the same tag', async t => {
    const objects = await opened(t, make)
    const first = await created(objects, 'a', 'one')
    assert.equal(await created(objects, 'a', 'one'), first)
    const swap = () => objects.put('a', bytesOf('two'), { ifMatch: first })
    assert.deepEqual(await swap(), await swap())
    assert.deepEqual(await objects.put('a', bytesOf('other'), { ifNoneMatch: '*' }), { ok: false, reason: 'exists' })
  })

  test('after A, B and A again the tag of B is outdated', async t => {
    const objects = await opened(t, make)
    const a = await created(objects, 'a', 'A')
    const b = await objects.put('a', bytesOf('B'), { ifMatch: a })
    assert.ok(b.ok)
    const again = await objects.put('a', bytesOf('A'), { ifMatch: b.etag })
    assert.ok(again.ok)
    assert.deepEqual(await objects.put('a', bytesOf('C'), { ifMatch: b.etag }), { ok: false, reason: 'stale' })
    assert.ok((await objects.put('a', bytesOf('C'), { ifMatch: again.etag })).ok)
  })

  test('a put without a condition replaces what is there', async t => {
    const objects = await opened(t, make)
    await created(objects, 'a', 'one')
    assert.ok((await objects.put('a', bytesOf('two'))).ok)
    assert.equal(await textAt(objects, 'a'), 'two')
  })

  test('a put that need not be durable is seen and compared like any other', async t => {
    const objects = await opened(t, make)
    const first = await objects.put('a', bytesOf('one'), { durable: false })
    assert.ok(first.ok)
    assert.equal(await textAt(objects, 'a'), 'one')
    assert.ok((await objects.put('a', bytesOf('two'), { durable: false, ifMatch: first.etag })).ok)
    assert.deepEqual(await objects.put('a', bytesOf('three'), { ifMatch: first.etag }), { ok: false, reason: 'stale' })
  })
}
