import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Picture } from '@newswire/events/article'
import { newswireConfig } from '@newswire/events/config'
import type { Decided } from '@newswire/events/decision'
import type { Fact } from '@newswire/events/fact'
import { newId } from '@newswire/events/ids'
import type { Milestone } from '@newswire/events/milestone'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { publishEvents } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { applyConfiguration } from '@newswire/runtime/apply-config'
import { createTrace } from '@newswire/trace/trace'
import { explain } from './explain.ts'
import { factsAt } from './sample-facts.ts'

const MADE = Date.parse('2026-01-01T00:00:00Z')
const RELEASED = '2026-01-02T00:00:00.000Z'
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const { live, kill } = factsAt(RELEASED)
const outlet = (id: string, fields: object = {}) => ({
  id,
  deliver: { kind: 'webhook', url: `https://${id}.example/`, secretEnv: 'S' },
  ...fields,
})

const open = async (t: TestContext, outlets: readonly object[]) => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-explain-'))
  const objects = await createDiskObjects({ root: join(root, 'objects'), fsync: 'normal' })
  const log = await createEmbeddedLog({ file: join(root, 'log.db'), fsync: 'normal' })
  const trace = await createTrace({ log, file: join(root, 'trace.db'), onPoison: () => undefined })
  t.after(async () => {
    await trace.stop()
    await log.close()
    await objects.close()
    await rm(root, { recursive: true, force: true })
  })
  const apply = (configured: readonly object[], atMs: number) =>
    applyConfiguration({
      objects,
      publish: async () => [],
      config: newswireConfig.parse({
        site: { id: 'news.example,2026', title: 'News', publicUrl: 'https://news.example' },
        categories: [
          { id: 'news', name: 'News' },
          { id: 'city', name: 'City', parent: 'news' },
          { id: 'sport', name: 'Sport' },
        ],
        outlets: configured,
      }),
      prune: true,
      now: () => atMs,
    })
  await apply(outlets, MADE)
  const release = async (fact: Fact) => {
    await objects.put(keys.current('press.a'), encode({ released: { fact } }))
    const archived = { schema: 'newswire.archive.version/1', eventId: 'e', time: RELEASED, previousSha256: null, fact }
    await objects.put(keys.archive(RELEASED, 'press.a', fact.version), encode(archived))
  }
  const record = async (version: number, decisions: readonly Decided[]) => {
    const sinks = decisions.flatMap(one => one.outlets.map(id => ({ kind: 'outlet' as const, id })))
    const data = {
      kind: 'fanned-out' as const,
      articleId: 'press.a',
      version,
      at: RELEASED,
      stage: 'outlets' as const,
      sinks,
      decisions: [...decisions],
    }
    const event = { id: newId(), type: 'milestone.reached' as const, source: '/services/outlets', subject: 'press.a', time: RELEASED, data }
    const released = {
      kind: 'released' as const,
      articleId: 'press.a',
      at: RELEASED,
      version,
      action: 'published' as const,
      submissionId: `s${version}`,
    }
    await publishEvents(log)([event, { ...event, id: newId(), data: released }])
    await trace.caughtUp(AbortSignal.timeout(5_000))
  }
  /** A milestone of the outlet. */
  const told = async (id: string, version: number, said: object) => {
    const data = { kind: 'sink' as const, articleId: 'press.a', version, at: RELEASED, sink: { kind: 'outlet' as const, id }, ...said }
    const event = { id: newId(), type: 'milestone.reached' as const, source: '/services/outlets', subject: 'press.a', time: RELEASED }
    await publishEvents(log)([{ ...event, data: data as Milestone }])
    await trace.caughtUp(AbortSignal.timeout(5_000))
  }
  const routed = (routes: Record<string, { version: number; first?: number; written: boolean }>) =>
    objects.put(keys.routes('press.a'), encode({ n: 1, version: 1, routes }))
  const ask = async (outletId: string, version: number | null = null) =>
    explain({ objects, trace }, { articleId: 'press.a', outletId, version })
  const answer = async (outletId: string, version: number | null = null) => {
    const found = await ask(outletId, version)
    assert.ok(!('unknown' in found), JSON.stringify(found))
    return found
  }
  return { apply, release, record, told, routed, ask, answer }
}

test('what was recorded is what is told, whatever the configuration says since', async t => {
  const { release, record, answer, apply } = await open(t, [outlet('news', { match: { categories: ['news'] } })])
  await release(live(1))
  await record(1, [
    { due: 'content', why: 'matches', met: [{ list: 'categories', value: 'city', rule: 'news' }], outlets: ['news'], count: 1 },
  ])
  await apply([outlet('news', { match: { categories: ['sport'] } })], Date.parse('2026-01-03T00:00:00Z'))
  const told = await answer('news')
  assert.deepEqual([told.basis, told.due, told.why], ['record', 'content', 'matches'])
  assert.deepEqual(told.rule.match, { categories: ['news'] }, 'the rule of then')
  assert.equal(told.words[0], 'Version 1 of press.a is meant for news: its match is met: category "news" (a parent of "city").')
  assert.match(told.words.join('\n'), /record of when the version was routed/)
})

test('"was sent" is said of what the outlet acknowledged, never of what it was not sent yet', async t => {
  const { release, record, told, answer } = await open(t, [outlet('all')])
  const first = async () => (await answer('all')).words[0]
  await release(live(1))
  await record(1, [{ due: 'content', why: 'matches', outlets: ['all'], count: 1 }])
  await told('all', 1, { state: 'suspended', reason: 'the outlet is paused' })
  assert.equal(await first(), 'Version 1 of press.a is meant for all: its match names nothing, so it takes everything.')
  await told('all', 1, { state: 'done', attempts: 1 })
  assert.equal(await first(), 'Version 1 of press.a was sent to all: its match names nothing, so it takes everything.')
  await release(kill(2))
  await record(2, [{ due: 'retraction', why: 'taken-back', outlets: ['all'], count: 1 }])
  await told('all', 2, { state: 'retrying', attempts: 3, lastError: 'it answered 500' })
  assert.match((await first()) ?? '', /^Version 2 of press.a is meant, as a retraction, for all: /)
  await told('all', 2, { state: 'done', attempts: 4 })
  assert.match((await first()) ?? '', /^Version 2 of press.a was sent as a retraction to all: /)
})

test('without a record it is decided again with the configuration of the release, and says so', async t => {
  const { release, answer, apply } = await open(t, [
    outlet('news', { match: { categories: ['news'] } }),
    outlet('sport', { match: { categories: ['sport'] } }),
  ])
  await release(live(1))
  await apply([outlet('news', { match: { categories: ['sport'] } })], Date.parse('2026-01-03T00:00:00Z'))
  const sent = await answer('news')
  assert.deepEqual([sent.basis, sent.due, sent.why], ['computed', 'content', 'matches'])
  const not = await answer('sport')
  assert.deepEqual([not.due, not.why], ['nothing', 'no-match'], 'retired only since')
  assert.match(not.words[0] ?? '', /was not sent to sport: it wants category "sport", and the article has "city"/)
  assert.match(not.words.at(-1) ?? '', /decided again just now, with the configuration of 2026-01-02/)
})

test('an outlet made after the release was not sent it, and the answer names both times', async t => {
  const { release, answer, apply } = await open(t, [])
  await release(live(1))
  await apply([outlet('late')], Date.parse('2026-01-05T00:00:00Z'))
  const told = await answer('late')
  assert.equal(told.why, 'created-later')
  assert.match(told.words[0] ?? '', /released at 2026-01-02.*before the outlet was made at 2026-01-05/)
})

test('who had an earlier version is told by the routes: updates and retractions are explained by that', async t => {
  const { release, routed, answer } = await open(t, [
    outlet('city', { match: { categories: ['city'] } }),
    outlet('sport', { match: { categories: ['sport'] } }),
  ])
  await routed({ city: { version: 2, first: 1, written: true } })
  await release(live(2, { categories: ['sport'] }))
  assert.equal((await answer('city')).why, 'had-before')
  await release(kill(3))
  assert.deepEqual([(await answer('city')).due, (await answer('city')).why], ['retraction', 'taken-back'])
  assert.deepEqual([(await answer('sport')).due, (await answer('sport')).why], ['nothing', 'never-had'])
  assert.equal((await answer('city', 2)).why, 'had-before', 'an earlier version is explained as it was')
})

test('of a cache it is said what it was told to forget, and why a version is none of its business', async t => {
  const cdn = { id: 'cdn', deliver: { kind: 'purge', dialect: 'generic', url: 'https://cdn.example/purge' } }
  const { release, record, answer } = await open(t, [cdn])
  const first = async () => (await answer('cdn')).words[0]
  await release(live(1))
  await record(1, [])
  assert.equal(
    await first(),
    'Version 1 of press.a was not sent to cdn: it is a cache that is told of what is taken back alone (on: retractions), and this version takes nothing back.',
  )
  await release(live(2))
  await record(2, [{ due: 'content', why: 'takes-picture', outlets: ['cdn'], count: 1 }])
  assert.match((await first()) ?? '', /^Version 2 .* cdn: this version no longer shows a picture that the one before showed, or may have, /)
  const hidden = live(3, { audience: 'editorial' })
  await release({ ...hidden, facetsEver: { ...hidden.facetsEver, public: false } })
  await record(3, [])
  assert.match((await first()) ?? '', /^Version 3 .* was not sent to cdn: nothing of the article was ever public/)
})

test('pictures that stayed behind are named with their reason, and never with what opens them', async t => {
  const { release, answer } = await open(t, [outlet('all')])
  const picture = (url: string, rights: Picture['rights']): Picture => ({
    url,
    role: 'inline',
    caption: '',
    alt: '',
    credit: '',
    state: 'ready',
    renditions: [],
    ...(rights ? { rights } : {}),
  })
  await release(
    live(1, {
      images: [
        picture('https://cms.example/1.jpg?token=canary', { outlets: ['other'] }),
        picture('https://cms.example/2.jpg', { outlets: ['*'], until: '2026-01-01T00:00:00.000Z' }),
      ],
    }),
  )
  const words = (await answer('all')).words.join('\n')
  assert.match(words, /Left out: picture 1 \(https:\/\/cms\.example\/1\.jpg\): its rights name other outlets/)
  assert.match(words, /Left out: picture 2 .*its right ended at 2026-01-01/)
  assert.doesNotMatch(JSON.stringify(await answer('all')), /canary/)
})

test('what cannot be explained says why', async t => {
  const { release, ask } = await open(t, [outlet('all')])
  assert.deepEqual(await ask('all'), { unknown: 'article', detail: 'nothing was ever submitted as press.a' })
  await release(live(1))
  assert.deepEqual(await ask('nobody'), { unknown: 'outlet', detail: 'there is and was no outlet nobody' })
  assert.deepEqual(await ask('all', 7), { unknown: 'version', detail: 'press.a has no version 7 that is known here' })
})
