/** A partner helps itself: it asks what it missed, has it sent again, changes its secret while deliveries flow, and pauses over a restart. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWriter } from './support/articles.ts'
import { runCommand } from './support/newswire.ts'
import { createPartnerApi, isSignedWith } from './support/partner-api.ts'
import { articleIdOf, createSystem } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const write = createWriter(57)
const TOKEN = 'nw_partner_of_the_test_91c2'
const OTHER_TOKEN = 'nw_another_partner_44d0'

test('a partner that was away asks what it missed, has it sent again, changes its secret and pauses over a restart', async t => {
  const system = await createSystem(t, {
    outlets: ['tinh-doan', 'so-van-hoa'],
    partnerTokens: { 'tinh-doan': TOKEN, 'so-van-hoa': OTHER_TOKEN },
    retryScale: 0.02,
  })
  let running = await system.start()
  let api = createPartnerApi(running.newswire.url('gateway'), 'tinh-doan', TOKEN)
  const { 'tinh-doan': partner, 'so-van-hoa': other } = system.partners
  assert.ok(partner && other)
  const known = () => partner.requests.length

  await t.test('what it missed is listed by sequence, page by page, with how each stands', async () => {
    // Two, because the first sequence of a new log is 0, after which everything is listed.
    await running.publish('dau-tien', write())
    await running.publish('truoc', write())
    const last = partner.requests.at(-1)?.sequence ?? -1
    await partner.setMode('down')
    for (const id of ['mot', 'hai', 'ba']) await running.settled(await running.put(id, write()))
    await waitFor('all three to be tried', async () => {
      const states = (await api.since(last, 2)).map(one => one.state)
      return (states.length === 3 && states.every(state => state === 'retrying')) || Promise.reject(states)
    })
    for (const one of await api.since(last)) assert.equal(one.lastError, 'no answer came from its address', 'no code of ours is told')
    await waitFor('it to be said to fail', async () => (await api.get('')).body['state'] === 'failing')
    await partner.setMode('ok')
    await waitFor('all to be delivered', async () => (await api.since(last)).every(one => one.state === 'done'))
    await waitFor('it to be well', async () => (await api.get('')).body['state'] === 'well')
    assert.deepEqual(
      (await api.since(last)).map(one => one.articleId),
      ['mot', 'hai', 'ba'].map(articleIdOf),
    )
  })

  await t.test('it lost what it had: a replay sends each article once more as it is now, and a repeat of the request nothing', async () => {
    const after = (await api.since(0)).find(one => one.articleId === articleIdOf('truoc'))?.sequence ?? 0
    await running.publish('hai', write())
    await running.settled(String((await running.publisher.retract('ba', { mode: 'withdraw', reason: 'sai tên' })).body['submissionId']))
    await waitFor('the retraction', () => partner.taken(articleIdOf('ba')).includes(2))
    const before = known()
    const from = { fromSequence: after }
    const id = 'mat-du-lieu'
    for (let time = 0; time < 2; time += 1) assert.equal((await api.post('/replay', { id, ...from })).status, 202)
    const ended = await api.ended(id)
    assert.equal(ended['state'], 'done')
    await waitFor('the replay', () => known() >= before + Number(ended['articles']))
    const again = partner.requests.slice(before).map(one => `${one.article} v${one.version} ${one.action}`)
    for (const wanted of ['mot v1 published', 'hai v2 updated', 'ba v2 retracted'])
      assert.ok(
        again.includes(`${articleIdOf(wanted.split(' ')[0] ?? '')} ${wanted.split(' ').slice(1).join(' ')}`),
        `${wanted} in ${again}`,
      )
    const firstIds = new Set(partner.requests.slice(0, before).map(one => one.id))
    for (const one of partner.requests.slice(before)) assert.ok(firstIds.has(one.id), 'the same webhook-id as before')
    assert.equal((await api.post('/replay', { id, ...from })).status, 202)
    const test = await api.post('/test', { id: 'sau-khi-gui-lai' })
    assert.equal(test.status, 202)
    assert.deepEqual([(await api.ended('sau-khi-gui-lai'))['answer'], known()], ['it was accepted', before + again.length + 1])
    assert.equal(other.requests.filter(one => one.article === articleIdOf('mot')).length, 1, 'nobody else gets anything again')
  })

  await t.test('while it changes its secret every delivery is signed with the old or the new one, and then with both', async () => {
    const before = known()
    let stopped = false
    const flowing = (async () => {
      for (let n = 0; !stopped; n++) await running.settled(await running.put(`dong-${n}`, write()))
    })()
    await waitFor('deliveries to flow', () => known() > before + 3)
    const { status, body } = await api.post('/secrets', { id: 'doi-khoa' })
    assert.equal(status, 201)
    const secret = String(body['secret'])
    await waitFor('the new one to sign', () => isSignedWith(secret, partner.requests.at(-1) ?? { headers: {}, body: '' }))
    const since = known()
    await waitFor('more deliveries', () => known() > since + 5)
    stopped = true
    await flowing
    for (const one of partner.requests.slice(before)) assert.ok(isSignedWith(partner.secret, one) || isSignedWith(secret, one))
    for (const one of partner.requests.slice(since)) assert.ok(isSignedWith(partner.secret, one) && isSignedWith(secret, one))
    assert.equal((await api.post('/secrets', { id: 'doi-khoa' })).body['code'], 'NEWSWIRE_OUTLET_SECRET_SHOWN')
    for (const one of other.requests) assert.ok(!isSignedWith(secret, one))
    assert.ok(!running.newswire.output().includes(secret), 'no secret in a log')
  })

  await t.test('paused it gets nothing, over a kill and a restart too; resumed it gets all of it, retractions first', async () => {
    await running.publish('sap-go', write())
    assert.equal((await api.post('/pause')).status, 200)
    // The owner hears of it in a moment; from the first that is kept on, nothing comes.
    let probes = 0
    await waitFor('the pause to be known', async () => {
      const id = `tham-do-${probes++}`
      await running.settled(await running.put(id, write()))
      const found = (await api.since(0)).findLast(one => one.articleId === articleIdOf(id))
      return found?.state === 'suspended'
    })
    const before = known()
    for (const id of ['cho-1', 'cho-2']) await running.settled(await running.put(id, write()))
    await running.settled(await running.put('cho-1', write()))
    await running.settled(String((await running.publisher.retract('sap-go', { mode: 'gone', reason: 'rút' })).body['submissionId']))
    await waitFor('the others to have it', () => other.taken(articleIdOf('sap-go')).includes(2))
    await waitFor('all to be kept', async () => Number(((await api.get('')).body['pending'] as { articles: number }).articles) >= 3)
    await running.newswire.kill()
    running = await system.start()
    api = createPartnerApi(running.newswire.url('gateway'), 'tinh-doan', TOKEN)
    await running.settled(await running.put('sau-khoi-dong', write()))
    await waitFor('the others to go on', () => other.taken(articleIdOf('sau-khoi-dong')).length === 1)
    const { body } = await api.get('')
    assert.deepEqual([body['state'], (body['pending'] as { retractions: number }).retractions], ['paused', 1])
    assert.equal(known(), before)
    assert.equal((await api.post('/resume')).status, 200)
    await waitFor('all of it', async () => (await api.since(0)).every(one => one.state === 'done'))
    const [first, ...rest] = partner.requests.slice(before)
    assert.deepEqual([first?.article, first?.action], [articleIdOf('sap-go'), 'retracted'])
    assert.deepEqual(
      rest.filter(one => one.article === articleIdOf('cho-1')).map(one => one.version),
      [2],
    )
  })

  await t.test('an operator sees and does the same from a shell', async () => {
    const cli = async (...args: string[]) => {
      const ran = await runCommand({ args: ['outlets', ...args, '--json', '--data', system.dataDir], env: system.env })
      assert.equal(ran.code, 0, ran.output)
      return JSON.parse(ran.stdout.trim())
    }
    const listed = (await cli('list')) as { id: string; state: string }[]
    assert.deepEqual(listed.map(one => one.id).sort(), ['so-van-hoa', 'tinh-doan'])
    assert.equal((await cli('test', 'so-van-hoa')).answer, 'it was accepted')
    await cli('pause', 'tinh-doan')
    assert.equal((await api.post('/resume')).body['code'], 'NEWSWIRE_OUTLET_PAUSED', 'a partner does not end it')
    assert.equal((await cli('show', 'tinh-doan')).paused.by, 'operator')
    await cli('resume', 'tinh-doan')
    const page = (await cli('deliveries', 'tinh-doan', '--limit', '2')) as { deliveries: unknown[]; more: boolean }
    assert.deepEqual([page.deliveries.length, page.more], [2, true])
    const replayed = await cli('replay', 'so-van-hoa', '--from-time', new Date(Date.now() - 3_600_000).toISOString(), '--wait')
    assert.equal(replayed.state, 'done')
    assert.match((await cli('rotate', 'so-van-hoa', '--overlap-hours', '0')).secret, /^whsec_/)
  })
  assert.deepEqual(partner.findOffences(), [])
  assert.equal((await createPartnerApi(running.newswire.url('gateway'), 'tinh-doan', OTHER_TOKEN).get('/deliveries')).status, 401)
})
