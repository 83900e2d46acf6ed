import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDiskObjects } from './disk.ts'
import { keys } from './keys.ts'
import { createSealing, makeSealingKey, parseSealingKey } from './sealed.ts'

const SECRET = Buffer.from('bí mật của người đăng ký')
const keyOf = (text: string): Uint8Array => {
  const key = parseSealingKey(text)
  assert.ok(key)
  return key
}

const openStore = async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'newswire-sealed-'))
  const objects = await createDiskObjects({ root: folder, fsync: 'normal' })
  t.after(async () => {
    await objects.close()
    await rm(folder, { recursive: true, force: true })
  })
  return objects
}

test('a secret comes back as it was, and what is stored does not hold it', async t => {
  const objects = await openStore(t)
  const sealing = createSealing(objects, keyOf(makeSealingKey()))
  await sealing.put('hub-a', SECRET)
  assert.deepEqual(Buffer.from((await sealing.get('hub-a')) ?? []), SECRET)
  const stored = Buffer.from((await objects.get(keys.secret('hub-a')))?.bytes ?? [])
  for (const form of [SECRET, SECRET.toString('base64'), SECRET.toString('base64url'), SECRET.toString('hex')])
    assert.equal(stored.includes(form), false)
  assert.equal(await sealing.get('hub-b'), null)
})

test('a secret is never changed: a second one under its id is refused', async t => {
  const sealing = createSealing(await openStore(t), keyOf(makeSealingKey()))
  await sealing.put('hub-a', SECRET)
  await assert.rejects(sealing.put('hub-a', Buffer.from('another')), { code: 'NEWSWIRE_SECRET_ID' })
  assert.deepEqual(Buffer.from((await sealing.get('hub-a')) ?? []), SECRET)
})

test('equal secrets do not look equal', async t => {
  const objects = await openStore(t)
  const sealing = createSealing(objects, keyOf(makeSealingKey()))
  await sealing.put('hub-a', SECRET)
  await sealing.put('hub-b', SECRET)
  const [a, b] = await Promise.all(
    ['hub-a', 'hub-b'].map(async id => JSON.parse(Buffer.from((await objects.get(keys.secret(id)))?.bytes ?? []).toString())),
  )
  assert.notEqual(a.data, b.data)
})

test('another key, another id and a changed byte do not open it, and the error says which', async t => {
  const objects = await openStore(t)
  const key = keyOf(makeSealingKey())
  const sealing = createSealing(objects, key)
  await sealing.put('hub-a', SECRET)
  await assert.rejects(createSealing(objects, keyOf(makeSealingKey())).get('hub-a'), { code: 'NEWSWIRE_SECRET_KEY' })
  const stored = (await objects.get(keys.secret('hub-a')))?.bytes ?? new Uint8Array()
  await objects.put(keys.secret('hub-b'), stored)
  await assert.rejects(sealing.get('hub-b'), { code: 'NEWSWIRE_SECRET_SEAL' })
  const document = JSON.parse(Buffer.from(stored).toString()) as { data: string; tag: string }
  const flipped = Buffer.from(document.data, 'base64url')
  flipped[0] = (flipped[0] ?? 0) ^ 1
  await objects.put(keys.secret('hub-c'), Buffer.from(JSON.stringify({ ...document, data: flipped.toString('base64url') })))
  await assert.rejects(sealing.get('hub-c'), { code: 'NEWSWIRE_SECRET_SEAL' })
  await objects.put(keys.secret('hub-d'), Buffer.from(JSON.stringify({ ...document, tag: document.tag.slice(0, 6) })))
  await assert.rejects(sealing.get('hub-d'), { code: 'NEWSWIRE_SECRET_SEAL' })
})

test('a key is 32 bytes in hex or base64, and nothing else', () => {
  assert.equal(keyOf('ab'.repeat(32)).length, 32)
  assert.equal(keyOf(Buffer.alloc(32, 7).toString('base64')).length, 32)
  assert.equal(keyOf(Buffer.alloc(32, 7).toString('base64url')).length, 32)
  for (const text of [
    '',
    'correct horse battery staple',
    'ab'.repeat(31),
    'ab'.repeat(33),
    Buffer.alloc(31).toString('base64'),
    `${'A'.repeat(43)}=\n`,
  ])
    assert.equal(parseSealingKey(text), null, text)
})

test('what is proved is the same every time, and another one for other words, another purpose and another key', async t => {
  const objects = await openStore(t)
  const key = keyOf(makeSealingKey())
  const { prove } = createSealing(objects, key)
  const proof = prove('feed hub', 'inside', 'a')
  assert.match(proof, /^[\w-]{43}$/)
  assert.equal(createSealing(objects, key).prove('feed hub', 'inside', 'a'), proof)
  const others = [
    prove('feed hub', 'insidea'),
    prove('feed hub', 'inside', 'a', ''),
    prove('feed', ' hub', 'inside', 'a'),
    prove('other', 'inside', 'a'),
  ]
  assert.equal(new Set([proof, ...others, createSealing(objects, keyOf(makeSealingKey())).prove('feed hub', 'inside', 'a')]).size, 6)
})
