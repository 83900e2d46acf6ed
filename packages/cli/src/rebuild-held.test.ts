import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { blank, type State } from '@newswire/desk/state'
import { toRecord } from '@newswire/events/events'
import { deriveId } from '@newswire/events/ids'
import type { Milestone } from '@newswire/events/milestone'
import { sampleArticle } from '@newswire/events/sample-article'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { readEvent } from './log-mark.ts'
import { eachRecord, tellLost } from './rebuild-held.ts'

type Told = Extract<Milestone, { kind: 'submission' }>
const all = { wanted: new Set<string>(), healed: new Set<string>() }
const idOf = (name: string) => deriveId('test', name)
const articleOf = (name: string) => `press.${name.split('-')[0]}`

const open = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-held-'))
  const objects = await createDiskObjects({ root: join(folder, 'objects'), fsync: 'normal' })
  const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync: 'normal' })
  t.after(async () => {
    await log.close()
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  /** `name`: of the submission, `<article>-<which>`. */
  const tell = (name: string, state: Told['state'], stage: Told['stage'] = 'desk') => {
    const at = '2026-11-28T06:00:00.000Z'
    const [articleId, submissionId] = [articleOf(name), idOf(name)]
    const data: Told = { kind: 'submission', articleId, submissionId, at, stage, state, command: 'publish' }
    const event = {
      id: deriveId(name, state, stage),
      type: 'milestone.reached',
      source: '/test',
      subject: articleId,
      time: at,
      data,
    } as const
    return log.publish([toRecord(event)])
  }
  const put = (name: string, rest: Partial<State>) =>
    objects.put(keys.current(articleOf(name)), Buffer.from(JSON.stringify({ ...blank, ...rest })))
  const refusals = async () => {
    const found: unknown[] = []
    await eachRecord(
      log,
      'milestones',
      () => true,
      record => {
        const event = readEvent(record)
        if (event?.type === 'milestone.reached' && event.source === '/newswire/rebuild') found.push(event.data)
      },
    )
    return found as Told[]
  }
  return { log, objects, tell, put, refusals }
}

const heldOf = (name: string, alongside: readonly string[] = []): Partial<State> => ({
  held: {
    submissionId: idOf(name),
    lane: 'live',
    position: 1,
    contentSha256: 'x',
    top: null,
    alongside: alongside.map(idOf),
    article: sampleArticle(),
  },
})

test('what was held and is in no store is told as refused, once, and what ended, waits or is on its way is not', async t => {
  const { tell, put, refusals, ...ports } = await open(t)
  for (const name of [
    'gone-1',
    'other-2',
    'waits-1',
    'waits-2',
    'untold-1',
    ...(['released', 'superseded', 'refused', 'duplicate'] as const),
  ])
    await tell(name, 'held')
  for (const state of ['released', 'superseded', 'refused', 'duplicate'] as const) await tell(state, state)
  // Told once more by a redelivery.
  await tell('released', 'held')
  await put('other', heldOf('other-1'))
  await put('waits', heldOf('waits-1', ['waits-2']))
  await put('untold', {
    seen: [
      { id: 'due', at: '2026-11-28T06:00:00.000Z', outcomes: [{ submissionId: idOf('untold-1'), command: 'publish', state: 'released' }] },
    ],
  })
  const purged = { articleId: 'press.purged', state: 'purged' } as NonNullable<State['released']>['fact']
  await put('purged', { released: { fact: purged, causationId: 'x', correlationId: 'x' } })
  for (const name of ['purged', 'nowhere', 'pending', 'arrived', 'later']) await tell(name, 'parked', 'images')
  await ports.objects.put(keys.parked(articleOf('pending'), idOf('pending')), Buffer.from('{}'))
  for (const name of ['arrived', 'later']) await tell(name, 'accepted', 'images')
  await tell('later', 'held')

  const lost = await tellLost(ports, all)
  assert.deepEqual(lost.map(one => one.articleId).sort(), ['press.gone', 'press.later', 'press.nowhere', 'press.other'])
  const told = await refusals()
  assert.deepEqual(told.map(one => one.submissionId).sort(), lost.map(one => one.submissionId).sort())
  for (const { state, code, detail, stage, articleId } of told) {
    assert.deepEqual([state, code, stage], ['refused', 'NEWSWIRE_STORE_OLDER', articleId === 'press.nowhere' ? 'images' : 'desk'])
    assert.match(String(detail), /lost with the store.*submit it again/)
  }
  assert.deepEqual(await tellLost(ports, all), [])
  assert.equal((await refusals()).length, told.length)
})

test('an article that is made again loses what it held, and of named articles no other is looked at', async t => {
  const { tell, put, ...ports } = await open(t)
  for (const name of ['made-1', 'beside-1']) await tell(name, 'held')
  await put('made', heldOf('made-1'))
  assert.deepEqual(await tellLost(ports, { wanted: new Set(['press.made']), healed: new Set(['press.made']) }), [
    { articleId: 'press.made', submissionId: idOf('made-1') },
  ])
})
