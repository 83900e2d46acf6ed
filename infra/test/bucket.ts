/** A bucket of this run's own, so that a store somebody else uses is left as it was. */
import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, DeleteBucketCommand, DeleteObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'

type S3Access = Readonly<{ endpoint: string; accessKeyId: string; secretAccessKey: string; region: string }>

const empty = async (client: S3Client, name: string) => {
  for (;;) {
    const page = await client.send(new ListObjectsV2Command({ Bucket: name }))
    const keys = (page.Contents ?? []).map(one => one.Key)
    // One by one: some servers want a checksum for bulk deletes that others refuse.
    for (const Key of keys) await client.send(new DeleteObjectCommand({ Bucket: name, Key }))
    if (!page.IsTruncated || keys.length === 0) return
  }
}

/** Creates a bucket with a new name. `remove` deletes it with all that is in it. */
export const createBucket = async (access: S3Access): Promise<Readonly<{ name: string; remove: () => Promise<void> }>> => {
  const { endpoint, region, accessKeyId, secretAccessKey } = access
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
  const name = `newswire-test-${randomUUID().slice(0, 8)}`
  await client.send(new CreateBucketCommand({ Bucket: name }))
  return {
    name,
    remove: async () => {
      await empty(client, name)
      await client.send(new DeleteBucketCommand({ Bucket: name }))
      client.destroy()
    },
  }
}
