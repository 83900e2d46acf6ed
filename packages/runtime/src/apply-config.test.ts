import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { NewswireConfig } from '@newswire/events/config'
import { UnavailableError } from '@newswire/events/errors'
import type { NewswireEvent } from '@newswire/events/events'
import type { Publish } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import type { Objects } from '@newswire/objects/objects'
import { type ApplyOptions, applyConfiguration, type Change, createToken, revokeToken } from './apply-config.ts'
import { checkConfig } from './check-config.ts'

const configOf = (value: object): NewswireConfig => {
  const checked = checkConfig({ site: { id: 'news.example,2026', title: 'News', publicUrl: 'https://news.example' }, ...value })
  assert.ok(checked.ok)
  return checked.config
}
const feed = (id: string, rest: object = {}) => ({ id, title: id.toUpperCase(), ...rest })
const said = (changes: readonly Change[]) =>
  changes
    .filter(one => one.change !== 'unchanged')
    .map(({ kind, id, change, detail }) => `${change} ${kind}/${id}${detail && `: ${detail}`}`)

const open = async (t: TestContext) => {
  const root = await mkdtemp(join(tmpdir(), 'newswire-config-'))
  const objects = await createDiskObjects({ root, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    await rm(root, { recursive: true })
  })
  const events: NewswireEvent[] = []
  let synced = true
  const publish: Publish = async (published, options) => {
    events.push(...published)
    synced &&= options?.synced === true
    return []
  }
  let clock = Date.parse('2026-11-24T03:00:00Z')
  const apply = (value: object, options: Partial<ApplyOptions> = {}) =>
    applyConfiguration({ objects, publish, config: configOf(value), now: () => clock++, ...options })
  return { objects, events, apply, isSynced: () => synced }
}

const read = async (objects: Objects, key: string) => {
  const found = await objects.get(key)
  return found === null
    ? null
    : (JSON.parse(Buffer.from(found.bytes).toString()) as { n: number; retired: boolean; value: Record<string, unknown> })
}

test('what is new is created, and each change is announced after it was stored', async t => {
  const { objects, events, apply, isSynced } = await open(t)
  const seen: unknown[] = []
  const publish: Publish = async published => {
    for (const { data } of published)
      seen.push(await read(objects, `config/${(data as { kind: string }).kind}/${(data as { id: string }).id}.json`))
    events.push(...published)
    return []
  }
  assert.deepEqual(said(await apply({ feeds: [feed('all')] }, { publish })), [
    'create site/main',
    'create network/main',
    'create feeds/all',
  ])
  assert.equal(seen.filter(one => one === null).length, 0)
  assert.deepEqual(
    events.map(({ type, subject, data }) => ({ type, subject, data })),
    ['site/main', 'network/main', 'feeds/all'].map(subject => {
      const [kind, id] = subject.split('/')
      return { type: 'config.changed', subject, data: { kind, id, n: 1 } }
    }),
  )
  await apply({ feeds: [feed('all', { limit: 10 })] })
  assert.ok(isSynced(), 'their cause is an operator, so they are synced')
})

test('applying the same twice finds nothing to do', async t => {
  const { events, apply } = await open(t)
  await apply({ feeds: [feed('all')] })
  const before = events.length
  assert.deepEqual(said(await apply({ feeds: [feed('all')] })), [])
  assert.equal(events.length, before)
})

test('a change is told field by field, counted, and every earlier state is kept', async t => {
  const { objects, apply } = await open(t)
  await apply({ feeds: [feed('all')] })
  const changes = await apply({ feeds: [feed('all', { limit: 20, language: 'vi', match: { types: ['live'] } })] })
  assert.deepEqual(said(changes), ['update feeds/all: match, limit: 50 → 20, language: nothing → "vi"'])
  assert.equal((await read(objects, 'config/feeds/all.json'))?.n, 2)
  assert.deepEqual(await read(objects, 'config-history/feeds/all/00000002.json'), await read(objects, 'config/feeds/all.json'))
  const first = await read(objects, 'config-history/feeds/all/00000001.json')
  assert.equal(first?.value['limit'], 50)
})

test('what the file no longer names stays, and is retired only when pruning; named again it is in force again', async t => {
  const { objects, apply } = await open(t)
  await apply({ feeds: [feed('all'), feed('old')] })
  assert.deepEqual(said(await apply({ feeds: [feed('all')] })), ['unnamed feeds/old: no longer named'])
  assert.deepEqual(said(await apply({ feeds: [feed('all')] }, { prune: true })), ['retire feeds/old: no longer named'])
  const retired = await read(objects, 'config/feeds/old.json')
  assert.equal(retired?.retired, true)
  assert.equal(retired?.value['title'], 'OLD', 'what it was stays readable')
  assert.deepEqual(said(await apply({ feeds: [feed('all')] }, { prune: true })), [])
  assert.deepEqual(said(await apply({ feeds: [feed('all'), feed('old')] })), ['update feeds/old: in force again'])
  assert.equal((await read(objects, 'config/feeds/old.json'))?.retired, false)
})

test('an outlet that is named again is told to be brought up to date: corrections of what it had passed it by', async t => {
  const { apply } = await open(t)
  const outlets = [{ id: 'back', deliver: { kind: 'webhook', url: 'https://back.example/', secretEnv: 'BACK' } }]
  await apply({ outlets })
  await apply({}, { prune: true })
  assert.deepEqual(said(await apply({ outlets })), [
    'update outlets/back: in force again (newswire replay outlet back --from 0 sends what came for it within 14 days, as it is now)',
  ])
})

test('a dry run says the same and changes nothing', async t => {
  const { objects, events, apply } = await open(t)
  assert.equal(said(await apply({ feeds: [feed('all')] }, { dryRun: true })).length, 3)
  assert.deepEqual([await objects.list(''), events], [[], []])
})

test('the identity of the site changes only by force', async t => {
  const { apply } = await open(t)
  await apply({})
  const other = { site: { id: 'other.example,2026', title: 'News', publicUrl: 'https://news.example' } }
  await assert.rejects(apply(other), { code: 'NEWSWIRE_CONFIG_SITE_ID' })
  assert.deepEqual(said(await apply(other, { force: true })), ['update site/main: id: "news.example,2026" → "other.example,2026"'])
})

test('of two who apply at once one is told so, and nothing that was not in its plan is overwritten', async t => {
  const { objects, apply } = await open(t)
  await apply({ feeds: [feed('all')] })
  let raced = false
  const slow: Objects = {
    ...objects,
    put: async (key, bytes, options) => {
      if (key === 'config/feeds/all.json' && !raced) {
        raced = true
        await apply({ feeds: [feed('all', { limit: 7 })] })
      }
      return objects.put(key, bytes, options)
    },
  }
  const next = { site: { id: 'news.example,2026', title: 'New', publicUrl: 'https://news.example' }, feeds: [feed('all', { limit: 8 })] }
  await assert.rejects(apply(next, { objects: slow }), {
    code: 'NEWSWIRE_CONFIG_RACE',
    message: /^feeds\/all was changed by somebody else .*\(in force already, of this plan: site\/main\)$/,
  })
  const held = await read(objects, 'config/feeds/all.json')
  assert.deepEqual([held?.n, held?.value['limit']], [2, 7])
  assert.equal((await read(objects, 'config-history/feeds/all/00000002.json'))?.value['limit'], 7)
})

test('dying at any write, a repeat ends as if nothing had happened, and no earlier state is missing', async t => {
  for (let dieAt = 1; dieAt <= 8; dieAt++) {
    const { objects, events, apply } = await open(t)
    await apply({ feeds: [feed('a'), feed('b')] })
    let writes = 0
    const mortal: Objects = {
      ...objects,
      put: async (...given) => {
        if (++writes === dieAt) throw new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'gone')
        return objects.put(...given)
      },
    }
    const wanted = { feeds: [feed('a', { limit: 7 }), feed('b', { limit: 7 })] }
    await apply(wanted, { objects: mortal }).catch(() => undefined)
    await apply(wanted)
    for (const name of ['site/main', 'feeds/a', 'feeds/b']) {
      const now = await read(objects, `config/${name}.json`)
      const kept = await read(objects, `config-history/${name}/${String(now?.n).padStart(8, '0')}.json`)
      assert.deepEqual(kept, now, `the state in force of ${name}, died at write ${dieAt}`)
    }
    assert.deepEqual(said(await apply(wanted)), [], `died at write ${dieAt}`)
    await apply({ feeds: [feed('a', { limit: 8 }), feed('b', { limit: 8 })] })
    for (const id of ['a', 'b']) {
      const limits: unknown[] = []
      for (const { key } of await objects.list(`config-history/feeds/${id}/`)) {
        const state = await read(objects, key)
        limits.push(state?.value['limit'])
      }
      assert.deepEqual(limits, [50, 7, 8], `history of ${id}, died at write ${dieAt}`)
    }
    const written = events.map(({ id }) => id)
    assert.equal(new Set(written).size, written.length)
  }
})

test('an object that is not as its kind says is put right by applying; one that is no object at all is named', async t => {
  const { objects, apply } = await open(t)
  await apply({ feeds: [feed('all')] })
  const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
  await objects.put('config/feeds/all.json', encode({ n: 5, retired: false, changedAt: 'x', value: { id: 'all', limit: 'many' } }))
  assert.match(said(await apply({ feeds: [feed('all')] }))[0] ?? '', /^update feeds\/all: limit: "many" → 50, title: nothing → "ALL"/)
  assert.equal((await read(objects, 'config/feeds/all.json'))?.n, 6)
  await objects.put('config/feeds/all.json', encode('nonsense'))
  await assert.rejects(apply({ feeds: [feed('all')] }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'NEWSWIRE_CONFIG_OBJECT')
    assert.match(error.message, /config\/feeds\/all\.json/)
    return true
  })
})

test('a revocation that could not be announced is announced when it is asked for again', async t => {
  const { objects, events } = await open(t)
  let isAway = false
  const publish: Publish = async published => {
    if (isAway) throw new UnavailableError('NEWSWIRE_LOG_UNAVAILABLE', 'away')
    events.push(...published)
    return []
  }
  const changing = { objects, publish, now: () => Date.parse('2026-11-24T03:00:00Z') }
  const token = { publisher: 'press', id: 'cms' }
  assert.ok(await createToken(changing, { ...token, sha256: 'a'.repeat(64), scopes: ['publish'] }))
  isAway = true
  await assert.rejects(revokeToken(changing, token), UnavailableError)
  isAway = false
  assert.ok(await revokeToken(changing, token))
  assert.deepEqual(events.at(-1)?.data, { kind: 'tokens', id: 'press-cms', n: 2 })
})
