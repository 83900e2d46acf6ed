import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RejectError } from '@newswire/events/errors'
import type { Cause } from './cause.ts'
import { SEEN_LIMIT } from './state.ts'
import { at, createWorld, due, publish, retract } from './stories.world.ts'

const open = () => {
  const world = createWorld({ lagging: false })
  return { world, handle: world.openDesk(() => undefined) }
}

describe('handle', () => {
  it('a hold fired by a clock that is a little ahead counts, one that is far ahead does not', async () => {
    const { world, handle } = open()
    await handle(publish(10, { content: 'A', embargo: 10 }))
    await handle({ ...due(0), at: at(10) })
    assert.equal(world.current().released, null)
    world.advance(new Date(Date.parse(at(10)) - 4_000).toISOString())
    await handle({ ...due(0), id: 'second', at: at(10) })
    assert.equal(world.current().released?.fact.releasedAt, at(10))
  })

  it('only so many causes are remembered, and older ones are refused by their position', async () => {
    const { world, handle } = open()
    const first = publish(1, { content: 'first' })
    await handle(first)
    for (let index = 0; index <= SEEN_LIMIT; index += 1) await handle(publish(10 + index, { content: `c${index}` }))
    assert.equal(world.current().seen.length, SEEN_LIMIT)
    const landed = world.landed.length
    await handle(first)
    assert.equal(world.landed.length, landed)
    const outcomes = world.milestones.filter(one => one.kind === 'submission' && one.submissionId === 'first')
    assert.deepEqual(
      outcomes.map(one => one.kind === 'submission' && one.state),
      ['released', 'superseded'],
    )
  })

  it('an article that the log could not take is refused before anything is swapped', async () => {
    const { world, handle } = open()
    const cause = publish(10, { content: 'A' })
    assert.ok(cause.kind === 'publish')
    const large: Cause = { ...cause, article: { ...cause.article, summary: 'x'.repeat(4 * 1024 * 1024) } }
    await assert.rejects(handle(large), (error: unknown) => error instanceof RejectError && error.code === 'NEWSWIRE_DESK_TOO_LARGE')
    const held: Cause = { ...large, article: { ...large.article, embargoUntil: at(10) } }
    await assert.rejects(handle(held), RejectError)
    assert.equal(world.swaps.length, 0)
    assert.ok(world.milestones.some(one => one.kind === 'submission' && one.state === 'refused'))
  })

  it('a retraction of what is out, but lost in the store, is no retraction of what was never released', async () => {
    const { world, handle } = open()
    await handle(publish(10, { content: 'A' }))
    world.loseStore()
    for (const cause of [retract(20), publish(30, { content: 'B' })])
      await assert.rejects(handle(cause), {
        code: 'NEWSWIRE_DESK_STATE_LOST',
        message: /version 1 is in the log, 0 in the store/,
      })
    assert.equal(world.landed.length, 1)
  })

  it('a hold of a state that was put back older than the log makes no dead letter each round', async () => {
    const { world, handle } = open()
    await handle(publish(10, { content: 'A', embargo: 10 }))
    const backup = world.saveStore()
    world.advance(at(10))
    await handle(due(10))
    assert.equal(world.landed.length, 1)
    world.loseStore(backup)
    await handle({ ...due(10), id: 'again' })
    assert.deepEqual([world.landed.length, world.current().released], [1, null])
  })

  it('the counter rises with every swap', async () => {
    const { world, handle } = open()
    for (const cause of [
      publish(10, { content: 'A' }),
      publish(20, { content: 'B' }),
      publish(30, { content: 'A', id: 'again' }),
      retract(40),
    ])
      await handle(cause)
    assert.deepEqual(
      world.swaps.map(one => one.n),
      [1, 2, 3, 4],
    )
  })
})
