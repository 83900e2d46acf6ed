/** What an outlet may ask for: every version, a strict order, a pace, nothing stale, nothing before its own time. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failed } from './answers.ts'
import { accepted, answered, BEGAN_MS, createOneOutlet, noAnswer, noConnection, type OneOutlet, refusedWith } from './one-outlet.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const publish = (outlet: OneOutlet, id: string, version = 1, terms: Parameters<OneOutlet['release']>[2] = {}) => {
  outlet.release(id, version, terms)
  return outlet.want(id, version, { first: version === 1 })
}
const kill = (outlet: OneOutlet, id: string, version: number, terms: Parameters<OneOutlet['release']>[2] = {}) => {
  outlet.release(id, version, { kill: true, ...terms })
  return outlet.want(id, version, { kill: true })
}
const outletWith = (target: Partial<OneOutlet['settings']['target']>) => {
  const outlet = createOneOutlet()
  outlet.settings.target = { ...outlet.settings.target, ...target }
  return outlet
}
const inOrder = (outlet: OneOutlet) => outlet.sent.map(one => `${one.subject}${one.version}`)
const sequencesOf = (outlet: OneOutlet) => outlet.sent.map(one => one.sequence)

describe('versions: all', () => {
  test('a retraction that was routed before what it takes back, and went under the intent of that, does not go again with the next version', async () => {
    const outlet = outletWith({ versions: 'all' })
    outlet.release('a', 1)
    outlet.release('a', 2, { kill: true })
    outlet.want('a', 1, { first: true })
    await outlet.pass(SECOND)
    outlet.release('a', 3)
    outlet.want('a', 3, { since: 1 })
    await outlet.pass(SECOND)
    assert.deepEqual(inOrder(outlet), ['a2', 'a3'])
  })

  test('every version is sent, one after the other, also those that were overtaken while the outlet was away', async () => {
    const outlet = outletWith({ versions: 'all' })
    outlet.answers(() => noConnection)
    for (const version of [1, 2, 3]) publish(outlet, 'a', version)
    await outlet.pass(10 * SECOND)
    outlet.answers(() => accepted)
    const before = outlet.sent.length
    await outlet.pass(10 * MINUTE)
    assert.deepEqual(inOrder(outlet).slice(before), ['a1', 'a2', 'a3'])
    assert.deepEqual(
      outlet.states('a').filter(state => state.endsWith('done')),
      ['v1 done', 'v2 done', 'v3 done'],
    )
    assert.equal(outlet.stored('a'), null)
  })

  test('the same over a restart that was not clean', async () => {
    const outlet = outletWith({ versions: 'all' })
    outlet.answers(() => answered(500))
    for (const version of [1, 2]) publish(outlet, 'a', version)
    await outlet.pass(10 * SECOND)
    assert.deepEqual(outlet.stored('a')?.open, [1, 2])
    await outlet.restart(false)
    publish(outlet, 'a', 3)
    outlet.answers(() => accepted)
    const before = outlet.sent.length
    await outlet.pass(10 * MINUTE)
    assert.deepEqual(inOrder(outlet).slice(before), ['a1', 'a2', 'a3'])
  })

  test('an older one that is asked for once more goes as the newest that got there', async () => {
    const outlet = outletWith({ versions: 'all' })
    for (const version of [1, 2]) publish(outlet, 'a', version)
    await outlet.pass(10 * SECOND)
    const again = outlet.want('a', 1, { again: true })
    await outlet.pass(10 * SECOND)
    assert.deepEqual(inOrder(outlet), ['a1', 'a2', 'a2'])
    assert.ok(again.done)
  })

  test('a version that the outlet refuses is told as rejected, and the next one goes', async () => {
    const outlet = outletWith({ versions: 'all' })
    outlet.answers(({ version }) => (version === 1 ? answered(500) : accepted))
    for (const version of [1, 2]) publish(outlet, 'a', version)
    await outlet.pass(1)
    outlet.answers(({ version }) => (version === 1 ? refusedWith(422) : accepted))
    await outlet.pass(MINUTE)
    assert.deepEqual(outlet.states('a').slice(-2), ['v1 rejected', 'v2 done'])
    assert.equal(outlet.stored('a'), null)
  })

  test('one that was refused alone is not sent again before the next', async () => {
    const outlet = outletWith({ versions: 'all' })
    outlet.answers(({ version }) => (version === 1 ? refusedWith(422) : accepted))
    publish(outlet, 'a', 1)
    await outlet.pass(MINUTE)
    publish(outlet, 'a', 2)
    await outlet.pass(MINUTE)
    assert.deepEqual(inOrder(outlet), ['a1', 'a2'])
  })

  test('a newer version does not bring forward the attempts at the one that fails', async () => {
    const outlet = outletWith({ versions: 'all' })
    outlet.answers(() => answered(500))
    publish(outlet, 'a', 1)
    await outlet.pass(10 * SECOND)
    const before = outlet.sent.length
    for (const version of [2, 3, 4]) publish(outlet, 'a', version)
    await outlet.pass(SECOND)
    assert.equal(outlet.sent.length, before)
    assert.equal(outlet.stored('a')?.attempts, 2)
  })

  test('given up after 72 h nothing of it is forgotten: the next version brings all of them', async () => {
    const outlet = outletWith({ versions: 'all' })
    outlet.answers(() => answered(500))
    for (const version of [1, 2]) publish(outlet, 'a', version)
    await outlet.pass(100 * HOUR)
    assert.equal(outlet.stored('a')?.phase, 'dead')
    outlet.answers(() => accepted)
    publish(outlet, 'a', 3)
    const before = outlet.sent.length
    await outlet.pass(2 * HOUR)
    assert.deepEqual(inOrder(outlet).slice(before), ['a1', 'a2', 'a3'])
  })

  test('a retraction takes the place of what was not sent yet', async () => {
    const outlet = outletWith({ versions: 'all' })
    outlet.answers(() => answered(500))
    for (const version of [1, 2]) publish(outlet, 'a', version)
    await outlet.pass(SECOND)
    outlet.answers(() => accepted)
    kill(outlet, 'a', 3)
    const before = outlet.sent.length
    await outlet.pass(HOUR)
    assert.deepEqual(inOrder(outlet).slice(before), ['a3'])
    assert.deepEqual(outlet.states('a').slice(-3), ['v1 superseded', 'v2 superseded', 'v3 done'])
  })
})

describe('order: strict', () => {
  test('one request at a time, in the order of intents', async () => {
    const outlet = outletWith({ order: 'strict' })
    let inFlight = 0
    let most = 0
    outlet.answers(async () => {
      most = Math.max(most, ++inFlight)
      await new Promise<void>(resolve => outlet.clock.after(100, resolve))
      inFlight -= 1
      return accepted
    })
    for (const id of ['a', 'b', 'c', 'd']) publish(outlet, id)
    await outlet.pass(SECOND)
    assert.deepEqual(inOrder(outlet), ['a1', 'b1', 'c1', 'd1'])
    assert.equal(most, 1)
  })

  test('what fails holds up what follows, whose attempts are not counted meanwhile', async () => {
    const outlet = outletWith({ order: 'strict' })
    outlet.answers((_, count) => (count <= 2 ? answered(500) : accepted))
    for (const id of ['a', 'b', 'c']) publish(outlet, id)
    await outlet.pass(10 * SECOND)
    assert.deepEqual(inOrder(outlet), ['a1', 'a1'])
    await outlet.pass(MINUTE)
    assert.deepEqual(inOrder(outlet), ['a1', 'a1', 'a1', 'b1', 'c1'])
    assert.equal(outlet.told.filter(one => one.subject === 'b').at(-1)?.attempts, 1)
  })

  test('a kill passes it, also while a request hangs', async () => {
    const outlet = outletWith({ order: 'strict' })
    outlet.answers(({ subject }) => (subject === 'a' ? new Promise(() => undefined) : accepted))
    for (const id of ['a', 'b']) publish(outlet, id)
    await outlet.pass(SECOND)
    kill(outlet, 'z', 2)
    await outlet.pass(1)
    assert.deepEqual(inOrder(outlet), ['a1', 'z2'])
  })

  test('what the outlet refuses leaves the line', async () => {
    const outlet = outletWith({ order: 'strict' })
    outlet.answers(({ subject }) => (subject === 'a' ? refusedWith(422) : accepted))
    for (const id of ['a', 'b']) publish(outlet, id)
    await outlet.pass(1)
    assert.deepEqual(inOrder(outlet), ['a1', 'b1'])
  })

  test('a newer version goes where its own intent stands, so the sequence rises', async () => {
    const outlet = outletWith({ order: 'strict' })
    outlet.answers((_, count) => (count === 1 ? answered(500) : accepted))
    for (const id of ['a', 'b']) publish(outlet, id)
    await outlet.pass(SECOND)
    publish(outlet, 'a', 2)
    await outlet.pass(MINUTE)
    assert.deepEqual(inOrder(outlet), ['a1', 'b1', 'a2'])
    const sequences = outlet.sent.map(one => one.sequence)
    assert.deepEqual(
      sequences.toSorted((a, b) => a - b),
      sequences,
    )
  })

  test('a version that is wanted while the one before it is on its way goes before what was wanted later', async () => {
    const outlet = outletWith({ order: 'strict' })
    let end = () => undefined as unknown
    outlet.answers((_, count) => (count === 1 ? new Promise(resolve => (end = () => resolve(accepted))) : accepted))
    publish(outlet, 'a')
    await outlet.pass(1)
    publish(outlet, 'a', 2)
    publish(outlet, 'b')
    end()
    await outlet.pass(1)
    assert.deepEqual(inOrder(outlet), ['a1', 'a2', 'b1'])
    assert.deepEqual(sequencesOf(outlet), [1, 2, 3])
  })

  test('of every version each has a place of its own: one that fails holds up what was wanted before the next', async () => {
    const outlet = outletWith({ order: 'strict', versions: 'all' })
    outlet.answers((_, count) => (count === 1 ? answered(500) : accepted))
    publish(outlet, 'a')
    publish(outlet, 'b')
    await outlet.pass(1)
    publish(outlet, 'a', 2)
    publish(outlet, 'c')
    await outlet.pass(MINUTE)
    assert.deepEqual(inOrder(outlet), ['a1', 'a1', 'b1', 'a2', 'c1'])
    assert.deepEqual(sequencesOf(outlet), [1, 1, 2, 3, 4])
  })

  test('the places of every version are kept over a restart', async () => {
    const outlet = outletWith({ order: 'strict', versions: 'all' })
    outlet.answers(() => answered(500))
    publish(outlet, 'a')
    publish(outlet, 'b')
    publish(outlet, 'a', 2)
    await outlet.pass(3 * SECOND)
    const before = outlet.sent.length
    await outlet.restart()
    outlet.answers(() => accepted)
    await outlet.pass(HOUR)
    assert.deepEqual(inOrder(outlet).slice(before), ['a1', 'b1', 'a2'])
    assert.deepEqual(sequencesOf(outlet).slice(before), [1, 2, 3])
  })

  test('what was given up has left the line: with a newer version it stands where that does', async () => {
    const outlet = outletWith({ order: 'strict', versions: 'all' })
    outlet.answers(({ subject }) => (subject === 'a' ? answered(500) : accepted))
    publish(outlet, 'a')
    publish(outlet, 'b')
    await outlet.pass(100 * HOUR)
    outlet.answers(() => accepted)
    publish(outlet, 'a', 2)
    const before = outlet.sent.length
    await outlet.pass(HOUR)
    assert.deepEqual(inOrder(outlet).slice(before), ['a1', 'a2'])
    assert.deepEqual(sequencesOf(outlet).slice(before), [3, 3])
  })

  test('what was to be taken back and is back passes nobody', async () => {
    const outlet = outletWith({ order: 'strict' })
    let end = () => undefined as unknown
    outlet.answers((_, count) => (count === 1 ? new Promise(resolve => (end = () => resolve(accepted))) : accepted))
    publish(outlet, 'a')
    publish(outlet, 'b')
    await outlet.pass(1)
    outlet.release('z', 2, { kill: true })
    outlet.release('z', 3)
    outlet.want('z', 2, { kill: true })
    await outlet.pass(1)
    assert.deepEqual(inOrder(outlet), ['a1'])
    end()
    await outlet.pass(1)
    assert.deepEqual(inOrder(outlet), ['a1', 'b1', 'z3'])
    assert.deepEqual(outlet.states('z'), ['v2 superseded', 'v3 done'])
  })

  test('of many that wait at once each is written down once', async () => {
    const outlet = outletWith({ order: 'strict' })
    outlet.answers(() => answered(500))
    publish(outlet, 'first')
    await outlet.pass(HOUR)
    const before = outlet.writes()
    const wanted = Array.from({ length: 50 }, (_, n) => publish(outlet, `n${n}`))
    await outlet.pass(1)
    assert.ok(wanted.every(one => one.done))
    assert.equal(outlet.writes() - before, wanted.length)
  })

  test('the store never knows a later one before an earlier one', async () => {
    const outlet = outletWith({ order: 'strict' })
    outlet.answers(({ subject }) => (subject === 'a' ? new Promise(() => undefined) : accepted))
    publish(outlet, 'a')
    await outlet.pass(SECOND)
    publish(outlet, 'b')
    await outlet.pass(SECOND)
    publish(outlet, 'c')
    // One that is written down already is written down again at once; what stands before it goes with it.
    publish(outlet, 'a', 2)
    await outlet.pass(10)
    for (const id of ['a', 'b', 'c']) assert.ok(outlet.stored(id) !== null, `${id} is not written down`)
  })

  test('nor when an attempt has failed, and it is to go again as a newer version in a later place', async () => {
    const outlet = outletWith({ order: 'strict' })
    let end = () => undefined as unknown
    outlet.answers(() => new Promise(resolve => (end = () => resolve(answered(500)))))
    publish(outlet, 'a')
    await outlet.pass(1)
    publish(outlet, 'b')
    publish(outlet, 'a', 2)
    end()
    await outlet.pass(1)
    assert.equal(outlet.stored('a')?.sequence, 3)
    assert.ok(outlet.stored('b') !== null, 'after a crash a2 would go before it')
  })

  test('when the setting changes what waits goes on in the other order', async () => {
    const outlet = outletWith({ order: 'article' })
    outlet.answers(({ subject }) => (subject === 'a' ? answered(500) : accepted))
    publish(outlet, 'a')
    await outlet.pass(1)
    outlet.settings.target = { ...outlet.settings.target, order: 'strict' }
    outlet.actor().review()
    publish(outlet, 'b')
    await outlet.pass(SECOND)
    assert.deepEqual(inOrder(outlet), ['a1'])
    outlet.settings.target = { ...outlet.settings.target, order: 'article' }
    outlet.actor().review()
    await outlet.pass(1)
    assert.deepEqual(inOrder(outlet), ['a1', 'b1'])
  })
})

describe('rate', () => {
  test('so many requests a second go out, and waiting counts as no failure', async () => {
    const outlet = outletWith({ rate: 2 })
    for (let n = 0; n < 20; n++) publish(outlet, `n${n}`)
    await outlet.pass(5 * SECOND)
    assert.ok(outlet.sent.length >= 10 && outlet.sent.length <= 11, `${outlet.sent.length} in five seconds`)
    assert.equal(outlet.actor().stats().open, false)
    await outlet.pass(6 * SECOND)
    assert.equal(outlet.sent.length, 20)
    assert.ok(outlet.told.every(one => one.state === 'done' && one.attempts === 1))
  })

  test('a fast rate comes out whole, a kill is next', async () => {
    const outlet = outletWith({ rate: 100, concurrency: 64 })
    for (let n = 0; n < 300; n++) publish(outlet, `n${n}`)
    await outlet.pass(SECOND)
    assert.ok(outlet.sent.length >= 98 && outlet.sent.length <= 112, `${outlet.sent.length} in a second`)
    kill(outlet, 'z', 2)
    const before = outlet.sent.length
    await outlet.pass(11)
    assert.equal(outlet.sent[before]?.subject, 'z')
  })
})

describe('maxAgeHours', () => {
  const stale = { staleAfterMs: BEGAN_MS + HOUR }

  test('a first publication that is older is skipped, with the reason', async () => {
    const outlet = createOneOutlet()
    outlet.answers(() => noConnection)
    publish(outlet, 'a', 1, stale)
    await outlet.pass(2 * HOUR)
    outlet.answers(() => accepted)
    const before = outlet.sent.length
    await outlet.pass(10 * HOUR)
    assert.equal(outlet.sent.length, before)
    assert.match(outlet.told.at(-1)?.reason ?? '', /maxAgeHours/)
    assert.equal(outlet.states('a').at(-1), 'v1 skipped')
    assert.equal(outlet.stored('a'), null)
  })

  test('a correction of what the outlet has goes, however old the article is', async () => {
    const outlet = createOneOutlet()
    publish(outlet, 'a', 1, stale)
    await outlet.pass(2 * HOUR)
    publish(outlet, 'a', 2, stale)
    await outlet.pass(1)
    assert.deepEqual(outlet.versions('a'), [1, 2])
  })

  test('what the outlet may have got is no first publication any more', async () => {
    const outlet = createOneOutlet()
    outlet.answers((_, count) => (count === 1 ? ({ ...noConnection, ambiguous: true } as never) : noConnection))
    publish(outlet, 'a', 1, stale)
    await outlet.pass(3 * HOUR)
    outlet.answers(() => accepted)
    await outlet.pass(3 * HOUR)
    assert.equal(outlet.states('a').at(-1), 'v1 done')
  })

  test('a kill always goes', async () => {
    const outlet = createOneOutlet()
    outlet.answers(() => noConnection)
    publish(outlet, 'a', 1, stale)
    await outlet.pass(2 * HOUR)
    outlet.answers(() => accepted)
    kill(outlet, 'a', 2, stale)
    await outlet.pass(2 * MINUTE)
    assert.equal(outlet.states('a').at(-1), 'v2 done')
  })

  test('of every version a stale first one is skipped and the next ones still go', async () => {
    const outlet = outletWith({ versions: 'all' })
    outlet.answers(() => noConnection)
    publish(outlet, 'a', 1, stale)
    await outlet.pass(SECOND)
    publish(outlet, 'a', 2, { staleAfterMs: BEGAN_MS + 100 * HOUR })
    await outlet.pass(2 * HOUR)
    outlet.answers(() => accepted)
    await outlet.pass(2 * HOUR)
    assert.deepEqual(
      outlet.states('a').filter(state => !state.endsWith('retrying')),
      ['v1 skipped', 'v2 done'],
    )
  })
})

describe('embargoOffsetHours', () => {
  const later = { notBeforeMs: BEGAN_MS + 30 * HOUR }

  test('nothing leaves before, and at its time it goes at once', async () => {
    const outlet = createOneOutlet()
    const committed = publish(outlet, 'a', 1, later)
    await outlet.pass(30 * HOUR - 2)
    assert.ok(committed.done, 'its record is done: what waits is in the store')
    assert.equal(outlet.sent.length, 0)
    assert.equal(outlet.stored('a')?.nextAtMs, later.notBeforeMs)
    assert.deepEqual(outlet.states('a'), ['v1 pending'], 'and whoever looks is told when it is due')
    await outlet.pass(SECOND)
    assert.deepEqual(outlet.versions('a'), [1])
    assert.ok(outlet.sent.every(one => one.atMs - 30 * HOUR < SECOND))
  })

  test('corrections meanwhile replace what is held', async () => {
    const outlet = createOneOutlet()
    for (const version of [1, 2, 3]) {
      publish(outlet, 'a', version, later)
      await outlet.pass(HOUR)
    }
    await outlet.pass(30 * HOUR)
    assert.deepEqual(outlet.versions('a'), [3])
    assert.deepEqual(outlet.states('a'), ['v1 pending', 'v2 pending', 'v3 pending', 'v1 superseded', 'v2 superseded', 'v3 done'])
  })

  for (const clean of [true, false])
    test(`it is held over a restart ${clean ? 'after a clean end' : 'after a crash'}, and a retraction then still sends nothing`, async () => {
      const outlet = createOneOutlet()
      publish(outlet, 'a', 1, later)
      publish(outlet, 'b', 1, later)
      await outlet.pass(HOUR)
      await outlet.restart(clean)
      outlet.release('a', 2, { kill: true, ...later })
      outlet.want('a', 2, { kill: true, maybeSent: clean ? null : 0 })
      await outlet.pass(20 * HOUR)
      assert.deepEqual(outlet.sent, [])
      await outlet.pass(10 * HOUR)
      assert.deepEqual(inOrder(outlet), ['b1'])
      assert.equal(outlet.stored('a'), null)
      assert.equal(outlet.states('a').at(-1), 'v2 skipped')
    })

  for (const before of ['nothing', 'a clean end', 'a crash'])
    test(`what came back meanwhile and is taken back again is not named to the outlet either, over ${before}`, async () => {
      const outlet = createOneOutlet()
      const wants = (version: number, isKill: boolean) => {
        outlet.release('a', version, { kill: isKill, ...later })
        outlet.want('a', version, { kill: isKill, maybeSent: before === 'a crash' ? 0 : null })
      }
      const goesOn = async () => {
        await outlet.pass(HOUR)
        if (before !== 'nothing') await outlet.restart(before === 'a clean end')
      }
      publish(outlet, 'a', 1, later)
      await goesOn()
      for (const version of [2, 4, 6]) {
        wants(version, true)
        await goesOn()
        wants(version + 1, false)
        await goesOn()
      }
      wants(8, true)
      await goesOn()
      assert.deepEqual(outlet.sent, [])
      assert.equal(outlet.states('a').at(-1), 'v8 skipped')
      await outlet.pass(30 * HOUR)
      assert.deepEqual(outlet.sent, [])
      assert.equal(outlet.stored('a'), null, 'and is remembered no longer than that')
    })

  test('what came back goes at its time, and its retraction then goes too', async () => {
    const outlet = createOneOutlet()
    publish(outlet, 'a', 1, later)
    kill(outlet, 'a', 2, later)
    await outlet.pass(HOUR)
    publish(outlet, 'a', 3, later)
    await outlet.pass(30 * HOUR)
    assert.deepEqual(outlet.versions('a'), [3])
    kill(outlet, 'a', 4, later)
    await outlet.pass(HOUR)
    assert.deepEqual(outlet.versions('a'), [3, 4])
  })

  test('a retraction that was not sent is sent later no more than at once, also when the setting is changed or lifted', async () => {
    const outlet = createOneOutlet()
    publish(outlet, 'a', 1, later)
    await outlet.pass(HOUR)
    kill(outlet, 'a', 2, later)
    await outlet.pass(HOUR)
    const [told, written] = [outlet.states('a'), outlet.writes()]
    outlet.actor().review()
    await outlet.pass(HOUR)
    await outlet.restart()
    assert.equal(outlet.writes(), written, 'looked at again without a write')
    outlet.release('a', 2, { kill: true, notBeforeMs: BEGAN_MS + 20 * HOUR })
    outlet.actor().review()
    await outlet.pass(HOUR)
    assert.deepEqual(outlet.states('a'), told, 'its end is told once')
    assert.equal(outlet.stored('a')?.nextAtMs, BEGAN_MS + 20 * HOUR)
    outlet.release('a', 2, { kill: true })
    outlet.actor().review()
    await outlet.pass(HOUR)
    assert.deepEqual(outlet.sent, [])
    assert.equal(outlet.stored('a'), null)
    assert.deepEqual(outlet.states('a'), told, 'nor is its end told again')
  })

  test('a retraction follows what may have got there when the setting was lifted for a while', async () => {
    const outlet = createOneOutlet()
    publish(outlet, 'a', 1, later)
    kill(outlet, 'a', 2, later)
    await outlet.pass(HOUR)
    outlet.answers(() => noAnswer)
    publish(outlet, 'a', 3)
    await outlet.pass(1)
    assert.deepEqual(outlet.versions('a'), [3])
    await outlet.restart(false)
    outlet.answers(() => accepted)
    kill(outlet, 'a', 4, later)
    await outlet.pass(1)
    assert.deepEqual(outlet.versions('a'), [3, 4])
  })

  test('a retraction that goes before that time, because something may have got there, is repeated a minute later as at any other', async () => {
    const outlet = createOneOutlet()
    outlet.answers(() => noAnswer)
    publish(outlet, 'a', 1)
    await outlet.pass(1)
    outlet.answers(() => accepted)
    kill(outlet, 'a', 2, later)
    await outlet.pass(5 * MINUTE)
    assert.deepEqual(
      outlet.sent.map(one => `${one.version} ${one.settling}`),
      ['1 false', '2 false', '2 true'],
    )
    assert.equal(outlet.stored('a'), null)
  })

  test('a retraction of what the outlet may have goes at once, also before that time', async () => {
    const outlet = createOneOutlet()
    publish(outlet, 'a', 1)
    await outlet.pass(1)
    kill(outlet, 'a', 2, later)
    await outlet.pass(1)
    assert.deepEqual(outlet.versions('a'), [1, 2])
  })

  test('when the setting is lifted what is held goes', async () => {
    const outlet = createOneOutlet()
    publish(outlet, 'a', 1, later)
    await outlet.pass(HOUR)
    outlet.release('a', 1, {})
    outlet.actor().review()
    await outlet.pass(1)
    assert.deepEqual(outlet.versions('a'), [1])
  })

  for (const attempted of [false, true])
    test(`what is held for longer than a day holds up no strict line after a restart either, ${attempted ? 'tried before it was held' : 'never tried'}`, async () => {
      const outlet = outletWith({ order: 'strict' })
      const terms = { notBeforeMs: BEGAN_MS + 48 * HOUR }
      if (attempted) {
        outlet.answers(() => answered(500))
        publish(outlet, 'held')
        await outlet.pass(SECOND)
        outlet.release('held', 1, terms)
      } else publish(outlet, 'held', 1, terms)
      await outlet.pass(HOUR)
      assert.equal(outlet.stored('held')?.nextAtMs, BEGAN_MS + 48 * HOUR)
      outlet.answers(() => accepted)
      await outlet.restart()
      publish(outlet, 'b')
      await outlet.pass(SECOND)
      assert.deepEqual(outlet.versions('b'), [1])
      await outlet.pass(46 * HOUR)
      assert.deepEqual(outlet.versions('held'), attempted ? [1] : [])
      await outlet.pass(2 * HOUR)
      assert.deepEqual(outlet.versions('held').length, attempted ? 2 : 1)
      assert.equal(outlet.stored('held'), null)
    })

  test('what is held holds up no strict line, and is no backlog that somebody must look at', async () => {
    const outlet = outletWith({ order: 'strict' })
    publish(outlet, 'a', 1, later)
    await outlet.pass(SECOND)
    publish(outlet, 'b')
    await outlet.pass(1)
    assert.deepEqual(inOrder(outlet), ['b1'])
    assert.equal(outlet.actor().stats().oldestSinceMs, null)
    await outlet.pass(30 * HOUR)
    assert.deepEqual(inOrder(outlet), ['b1', 'a1'])
  })

  test('what is held is let be at the end of a pause, and looked at again without a write when the configuration changes', async () => {
    const outlet = createOneOutlet()
    publish(outlet, 'a', 1, later)
    await outlet.pass(HOUR)
    const written = outlet.writes()
    const answerA = outlet.slowDown('a')
    await outlet.setPaused(true)
    await outlet.setPaused(false)
    assert.equal(outlet.actor().stats().oldestSinceMs, null, 'it is not due')
    answerA()
    outlet.actor().review()
    await outlet.pass(HOUR)
    assert.equal(outlet.writes(), written)
    assert.equal(outlet.actor().stats().oldestSinceMs, null)
    await outlet.pass(30 * HOUR)
    assert.deepEqual(inOrder(outlet), ['a1'])
  })
})

test('what is written down while it is looked for whether a newer version is there goes before that', async () => {
  const outlet = outletWith({ versions: 'all' })
  const answer = Promise.withResolvers<ReturnType<typeof answered>>()
  outlet.answers(() => answer.promise)
  outlet.release('a', 1)
  outlet.want('a', 1)
  await outlet.pass(0)
  const look = Promise.withResolvers<void>()
  outlet.looksUntil(look.promise)
  outlet.release('a', 2)
  outlet.want('a', 2)
  await outlet.pass(0)
  answer.resolve(answered(503))
  await outlet.pass(3_000)
  assert.equal(outlet.stored('a')?.want, 1)
  outlet.answers(() => accepted)
  look.resolve()
  await outlet.pass(60_000)
  assert.deepEqual(outlet.versions('a'), [1, 1, 2])
})

describe('an outlet that has left the configuration', () => {
  const notSet = failed('the environment variable SECRET with its secret is not set', { alarm: true })
  const retire = (outlet: OneOutlet) => {
    outlet.settings.target = { ...outlet.settings.target, retired: true }
  }

  /** The outlet is retired and well, and the article is taken back. */
  const retractedAfter = async (outlet: OneOutlet) => {
    retire(outlet)
    outlet.answers(() => accepted)
    kill(outlet, 'a', 2)
    await outlet.pass(10 * MINUTE)
    assert.equal(outlet.versions('a').at(-1), 2)
    assert.equal(outlet.states('a').includes('v2 done'), true)
    assert.equal(outlet.stored('a'), null)
  }

  test('is owed the retraction of what it answered badly, because it may have taken it all the same', async () => {
    const outlet = outletWith({})
    outlet.answers(() => answered(500))
    publish(outlet, 'a')
    await outlet.pass(10 * SECOND)
    assert.deepEqual(outlet.versions('a'), [1, 1])
    await retractedAfter(outlet)
  })

  test('is owed the retraction of what it got from the owner before, also where the intent that first brought it comes once more', async () => {
    const outlet = outletWith({})
    publish(outlet, 'a')
    await outlet.pass(SECOND)
    assert.equal(await outlet.restart(), true)
    outlet.release('a', 2, { kill: true })
    retire(outlet)
    outlet.want('a', 1, { first: true })
    await retractedAfter(outlet)
  })

  test('is owed every retraction for as long as that takes, red where its secret is gone', async () => {
    const outlet = outletWith({})
    outlet.answers(() => noAnswer)
    publish(outlet, 'a')
    await outlet.pass(SECOND)
    retire(outlet)
    outlet.answers(() => notSet)
    kill(outlet, 'a', 2)
    await outlet.pass(HOUR)
    assert.deepEqual(outlet.states('a').slice(-1), ['v2 retrying'])
    assert.equal(outlet.stored('a')?.kill, true)
  })

  test('is no longer waited for with what it was still to get, refused and given up or not', async () => {
    const outlet = outletWith({})
    outlet.answers(({ subject }) => (subject === 'refused' ? refusedWith(400) : answered(500)))
    for (const subject of ['refused', 'failing']) publish(outlet, subject)
    await outlet.pass(10 * SECOND)
    assert.equal(outlet.stored('refused')?.phase, 'rejected')
    retire(outlet)
    for (const subject of ['refused', 'failing']) outlet.release(subject, 1, { isDue: false })
    outlet.actor().review()
    await outlet.pass(1)
    for (const subject of ['refused', 'failing']) {
      assert.deepEqual(outlet.states(subject).slice(-1), ['v1 skipped'])
      assert.equal(outlet.told.findLast(one => one.subject === subject)?.reason, 'the outlet has left the configuration')
      assert.equal(outlet.stored(subject), null)
    }
  })
})
