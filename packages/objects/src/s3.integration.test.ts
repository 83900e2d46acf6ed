/** Needs an S3 server: S3_ENDPOINT, S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY. Skipped, visibly, without. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { UnavailableError } from '@newswire/events/errors'
import { openStore } from './contract-store.ts'
import { objectsContract } from './objects.contract.ts'
import { createS3Objects } from './s3.ts'

const endpoint = process.env['S3_ENDPOINT']
const bucket = process.env['S3_BUCKET']

if (endpoint === undefined || bucket === undefined)
  test('objects on S3', { skip: 'S3_ENDPOINT and S3_BUCKET name no server' }, () => undefined)
else {
  objectsContract('S3', async t => {
    const settings = { kind: 's3', endpoint, bucket, prefix: `contract/${randomUUID()}` } as const
    t.after(async () => {
      const objects = await openStore(settings)
      const left = await objects.list('', { limit: 100_000 })
      for (let start = 0; start < left.length; start += 50)
        await Promise.all(left.slice(start, start + 50).map(({ key }) => objects.delete(key)))
      await objects.close()
    })
    return { settings, openBroken: () => createS3Objects({ ...settings, endpoint: 'http://127.0.0.1:9' }) }
  })

  test('a missing bucket is an unavailable store, not an empty one', async t => {
    const objects = await createS3Objects({ endpoint, bucket: `none-${randomUUID()}` })
    t.after(() => objects.close())
    await assert.rejects(objects.get('a'), UnavailableError)
    await assert.rejects(objects.list(''), UnavailableError)
    await assert.rejects(objects.put('a', Buffer.from('x'), { ifMatch: '"x"' }), UnavailableError)
  })
}
