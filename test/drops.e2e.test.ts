/** Partners of every kind beside each other: files in a bucket and on a server, links in place of articles, a cache that forgets; corrected, taken back, killed in between. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { sshdMissing, startSshd } from '../services/outlets/src/sample-sshd.ts'
import { createWriter } from './support/articles.ts'
import { makePng } from './support/pictures.ts'
import { readRealParts } from './support/real-parts.ts'
import { articleIdOf, createSystem, PUBLIC_URL, type Running, tagOf } from './support/system.ts'
import { waitFor } from './support/wait-for.ts'

const s3 = readRealParts().s3
const TOKEN = 'nw_test_thin_1f8c22'
const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex')

type Asked = Readonly<{ method: string; url: string; type: string; body: string }>

/** Takes everything and remembers it. */
const startListener = async (t: TestContext) => {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk as Buffer))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      asked.push({ method, url, type: headers['content-type'] ?? '', body: Buffer.concat(chunks).toString() })
      response.writeHead(204).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** The files of a drop, wherever they lie. */
type Drop = Readonly<{ name: string; read(path: string): Promise<Buffer | null> }>
type Latest = Readonly<{
  type: string
  version: number
  file: string
  sha256: string
  pictures: readonly { file: string; bytes: number }[]
}>

const latestOf = async ({ read }: Drop, articleId: string): Promise<Latest | null> => {
  const bytes = await read(`${articleId}/latest.json`)
  return bytes === null ? null : JSON.parse(bytes.toString())
}

/** What `latest.json` says is there is there, byte for byte. */
const assertWhole = async (drop: Drop, articleId: string) => {
  const latest = await latestOf(drop, articleId)
  assert.ok(latest)
  const document = await drop.read(`${articleId}/${latest.file}`)
  assert.equal(sha256(document ?? ''), latest.sha256, `${drop.name}: ${latest.file}`)
  for (const { file, bytes } of latest.pictures)
    assert.equal((await drop.read(`${articleId}/${file}`))?.length, bytes, `${drop.name}: ${file}`)
  return { latest, text: String(document) }
}

const bucketDrop = (prefix: string): Drop => {
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = s3.use()
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
  return {
    name: 's3',
    read: async path => {
      try {
        const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key: prefix + path }))
        return Buffer.from((await found.Body?.transformToByteArray()) ?? [])
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return null
        throw error
      }
    },
  }
}
const folderDrop = (folder: string): Drop => ({
  name: 'sftp',
  read: async path => (existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : null),
})

const retract = async (running: Running, localId: string) => {
  const answer = await running.publisher.retract(localId, { mode: 'gone', reason: 'thử rút' })
  assert.equal(answer.status, 202)
  await running.settled(String(answer.body['submissionId']))
}

test('files, links and caches follow an article through correction, kill and retraction', { skip: s3.skip || sshdMissing }, async t => {
  const [sshd, listener, cache] = [await startSshd(t), await startListener(t), await startListener(t)]
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = s3.use()
  const prefix = `e2e-${process.pid}/`
  const system = await createSystem(t, {
    env: { DROP_KEY: accessKeyId, DROP_SECRET: secretAccessKey, FTP_USER: sshd.user, THIN_SECRET: 'thin', CDN_TOKEN: 'cdn' },
    moreOutlets: [
      {
        id: 'bucket',
        deliver: {
          kind: 's3',
          endpoint,
          region,
          bucket,
          prefix,
          format: 'ninjs',
          accessKeyIdEnv: 'DROP_KEY',
          secretAccessKeyEnv: 'DROP_SECRET',
        },
      },
      {
        id: 'server',
        deliver: {
          kind: 'sftp',
          host: '127.0.0.1',
          port: sshd.port,
          hostKey: sshd.hostKey,
          path: 'in/',
          format: 'newsml-g2',
          userEnv: 'FTP_USER',
          privateKeyFile: sshd.privateKeyFile,
        },
      },
      {
        id: 'thin',
        audience: 'editorial',
        tokens: [{ id: 'page', sha256: sha256(TOKEN) }],
        deliver: { kind: 'webhook', url: `${listener.url}/hook`, secretEnv: 'THIN_SECRET', payload: 'thin' },
      },
      { id: 'cdn', deliver: { kind: 'purge', dialect: 'generic', url: `${cache.url}/purge`, tokenEnv: 'CDN_TOKEN' } },
    ],
  })
  let running = await system.start()
  const drops = [bucketDrop(prefix), folderDrop(sshd.folder)]
  const id = articleIdOf('tha')
  const write = createWriter(71)
  const first = write({ categories: ['thoi-su'] })
  const { body } = await running.publisher.upload('tha', makePng({ width: 900, height: 600, seed: 71 }), 'image/png')
  const images = [{ url: String(body['url']), role: 'lead' as const, caption: 'Bến sông lúc rạng đông' }]
  /** The first version, or the second where the picture came late. */
  let pictured = 0

  await t.test('an article with a picture is in bucket and folder, each in its format, whole', async () => {
    await running.publish('tha', { ...first, images })
    for (const drop of drops) {
      await waitFor(`the picture in ${drop.name}`, async () => (await latestOf(drop, id))?.pictures.length === 1)
      const { latest, text } = await assertWhole(drop, id)
      pictured = latest.version
      assert.ok(text.includes(tagOf('tha')) && text.includes('Bến sông lúc rạng đông'), drop.name)
      assert.ok(text.includes(latest.pictures[0]?.file ?? 'none'), 'the document names the file beside it')
    }
    assert.ok(pictured <= 2)
    assert.equal((await latestOf(drops[0] as Drop, id))?.file, `v000${pictured}.json`)
    assert.equal((await latestOf(drops[1] as Drop, id))?.file, `v000${pictured}.xml`)
  })

  await t.test('a link says nothing of the content, opens with the outlet’s own token, and with no other', async () => {
    const sent = await waitFor('the thin webhook', () => listener.asked.find(one => one.body.includes(id)))
    const { article } = JSON.parse(sent.body).data
    assert.deepEqual(Object.keys(article).sort(), ['id', 'thin', 'url', 'version'])
    const path = String(article.url).slice(PUBLIC_URL.length)
    const open = (token: string) =>
      fetch(new URL(path, running.newswire.url('gateway')), {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(15_000),
      })
    const opened = await open(TOKEN)
    assert.equal(opened.status, 200)
    assert.equal(((await opened.json()) as { title: string }).title, first.title)
    assert.equal((await open('another')).status, 401)
  })

  await t.test('a correction is one more version everywhere, and the cache is not asked to forget', async () => {
    await running.publish('tha', { ...first, images, change: 'correction', correction: { note: 'Sửa tên bến' }, body: { text: 'Đã sửa.' } })
    for (const drop of drops) {
      const { latest, text } = await assertWhole(drop, id)
      assert.deepEqual([latest.version, latest.type], [pictured + 1, 'article.corrected'])
      assert.ok(text.includes('Sửa tên bến'))
    }
    assert.deepEqual(cache.asked, [])
  })

  await t.test('killed while it drops, it goes on after the start, and nothing is half or left over', async () => {
    const ids = Array.from({ length: 12 }, (_, n) => `nhieu-${n}`)
    for (const one of ids) await running.put(one, { ...write({ categories: ['thoi-su'] }), images })
    await waitFor('some of them', () => existsSync(join(sshd.folder, articleIdOf(ids[0] ?? ''))))
    await running.newswire.kill()
    running = await system.start()
    for (const one of ids)
      for (const drop of drops) {
        await waitFor(`${one} in ${drop.name}`, async () => (await latestOf(drop, articleIdOf(one))) !== null)
        await assertWhole(drop, articleIdOf(one))
      }
  })

  await t.test(
    'a retraction is a version without content, the link is gone, and the cache forgets by the keys that the gateway says',
    async () => {
      const shown = await running.get(`/articles/${id}`)
      await retract(running, 'tha')
      await running.everywhere('tha', pictured + 2)
      for (const drop of drops) {
        const { latest, text } = await assertWhole(drop, id)
        assert.deepEqual([latest.version, latest.type, latest.pictures], [pictured + 2, 'article.retracted', []])
        assert.ok(text.includes('canceled') && !text.includes(first.title))
      }
      const keys = cache.asked.map(one => JSON.parse(one.body).keys as string[])
      assert.equal(keys.length, 2, 'at once, and once more')
      for (const one of keys) {
        for (const key of (shown.headers.get('surrogate-key') ?? 'none').split(' ')) assert.ok(one.includes(key), key)
        assert.ok(one.includes('feed-all') && one.includes('feed-thoi-su') && one.some(key => key.startsWith('picture-')))
      }
      const link = JSON.parse(listener.asked.find(one => one.body.includes(id))?.body ?? '{}').data.article.url.slice(PUBLIC_URL.length)
      const gone = await fetch(new URL(link, running.newswire.url('gateway')), { headers: { authorization: `Bearer ${TOKEN}` } })
      assert.equal(gone.status, 410)
    },
  )

  const left = readdirSync(sshd.folder, { recursive: true }).filter(path => String(path).endsWith('.part'))
  assert.ok(left.length <= 8, `${left.length} uploads were cut off by the kill, and none is under a name that anybody reads`)
})
