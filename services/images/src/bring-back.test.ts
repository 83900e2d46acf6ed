import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Picture } from '@newswire/events/article'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { createBringBack } from './bring-back.ts'
import type { Settle } from './settle-picture.ts'

const sha256 = 'a'.repeat(64)
const keyOf = (recipe: string) => keys.rendition(sha256, 'w320', recipe, 'jpg')
const picture = (words: Partial<Picture> = {}): Picture => ({
  url: 'https://press.example/a.jpg',
  role: 'lead',
  caption: 'Lũ',
  alt: '',
  credit: 'An',
  state: 'ready',
  sha256,
  renditions: [{ preset: 'w320', key: keyOf('old'), type: 'image/jpeg', width: 320, height: 200, bytes: 9 }],
  ...words,
})
const republish = {
  submissionId: 'p1',
  articleId: 'press.a',
  publisher: 'press',
  receivedAt: '2026-01-01T00:00:00.000Z',
  lane: 'live',
} as const
const nothing = { restored: [], late: [] }

/** `recipe`: what the table in force makes. */
const open = async (
  t: TestContext,
  { recipe = 'old', settle, withinMs = 60_000 }: { recipe?: string; settle?: Settle; withinMs?: number } = {},
) => {
  const folder = mkdtempSync(join(tmpdir(), 'newswire-back-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const asked: string[] = []
  const warned: string[] = []
  const render: Settle = async (wanted, { rights }) => {
    asked.push([wanted.url, wanted.caption, rights?.copyright].join(' '))
    const renditions = wanted.renditions.map(one => ({ ...one, key: keyOf(recipe) }))
    return { outcome: 'settled', picture: { ...wanted, state: 'ready', sha256, renditions } }
  }
  const bringBack = createBringBack({
    objects,
    settle: settle ?? render,
    logger: { warn: (_fields: unknown, message: string) => void warned.push(message) } as never,
    withinMs,
  })
  const write = (state: object) => objects.put(keys.current('press.a'), Buffer.from(JSON.stringify(state)))
  const rights = { copyright: '© Press', usageTerms: '' }
  const content = (submissionId: string, ...images: readonly Picture[]) => ({ submissionId, article: { images, rights } })
  return { bringBack, write, content, asked, warned }
}

test('what a republish brings back is made again from its original with the words of then, and nothing is said when it is where it was', async t => {
  const { bringBack, write, content, asked } = await open(t)
  await write({ released: { fact: { submissionId: 'r' } }, withdrawn: content('s1', picture(), picture({ state: 'refused' })) })
  assert.deepEqual(await bringBack(republish, { id: 'p1' }, 'all'), nothing)
  assert.deepEqual(asked, [`newswire:${sha256} Lũ © Press`])
})

test('where another table of presets makes other files, the desk hears of them as pictures of the content that it keeps', async t => {
  const { bringBack, write, content } = await open(t, { recipe: 'new' })
  await write({ released: null, held: content('s2', picture()), withdrawn: content('s1', picture()) })
  const once = await bringBack(republish, { id: 'p1' }, 'all')
  assert.deepEqual(
    once.restored.map(({ data }) => [data.submissionId, data.pictures.map(one => [one.url, one.renditions[0]?.key])]),
    ['s2', 's1'].map(id => [id, [['https://press.example/a.jpg', keyOf('new')]]]),
  )
  assert.deepEqual(await bringBack(republish, { id: 'p1' }, 'all'), once)
})

test('an article that is out, or that nobody knows, has nothing brought back; without addresses nobody asks', async t => {
  const { bringBack, write, content, asked } = await open(t, { recipe: 'new' })
  assert.deepEqual(await bringBack(republish, { id: 'p1' }, 'all'), nothing)
  const { article } = content('s1', picture())
  await write({ released: { fact: { submissionId: 's1', article } }, withdrawn: { submissionId: 's1', article: null } })
  assert.deepEqual(await bringBack(republish, { id: 'p1' }, 'all'), nothing)
  await write({ released: null, withdrawn: content('s1', picture()) })
  assert.deepEqual(await bringBack(republish, { id: 'p1' }, []), nothing)
  assert.deepEqual(await bringBack(republish, { id: 'p1' }, ['https://press.example/other.jpg']), nothing)
  assert.deepEqual(asked, [])
})

test('a picture that is on its way out at that moment is asked for again; one that cannot be had does not keep the article', async t => {
  let tries = 0
  const world = await open(t, {
    settle: async wanted => {
      tries += 1
      return tries === 1 ? { outcome: 'later', reason: 'being removed' } : { outcome: 'settled', picture: { ...wanted, state: 'refused' } }
    },
  })
  await world.write({ released: null, withdrawn: world.content('s1', picture()) })
  assert.deepEqual(await world.bringBack(republish, { id: 'p1' }, 'all'), nothing)
  assert.equal(tries, 2)
  assert.deepEqual(world.warned, ['picture.not-restored'])
})

test('a picture that is not there in time is late, with what it is made of, and nobody waits for who made it', async t => {
  const answers: Settle[] = [() => new Promise(() => undefined), async () => ({ outcome: 'later', reason: 'being removed' })]
  for (const settle of answers) {
    const { bringBack, write, content, warned } = await open(t, { settle, withinMs: 20 })
    await write({ released: null, withdrawn: content('s1', picture()) })
    const { restored, late } = await bringBack(republish, { id: 'p1' }, 'all')
    assert.deepEqual(restored, [])
    assert.deepEqual(
      late.map(one => [one.phase, one.pictures, one.missing, one.restoring]),
      [['late', [picture()], [picture().url], { submissionId: 's1', rights: { copyright: '© Press', usageTerms: '' } }]],
    )
    assert.notEqual(late[0]?.submission.submissionId, republish.submissionId)
    assert.deepEqual(await bringBack(republish, { id: 'p1' }, 'all'), { restored, late })
    assert.deepEqual(warned, ['picture.not-restored', 'picture.not-restored'])
  }
})
