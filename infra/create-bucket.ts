/** Creates the bucket that S3_BUCKET names on S3_ENDPOINT, if it is not there: for a laptop's own store. Repeating it changes nothing. */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'

const { S3_ENDPOINT: endpoint, S3_BUCKET: bucket, AWS_REGION: region = 'us-east-1' } = process.env
if (!endpoint || !bucket) {
  console.error('S3_ENDPOINT and S3_BUCKET must be set.')
  process.exit(2)
}
// The keys come from the standard AWS_* variables.
const client = new S3Client({ endpoint, region, forcePathStyle: true })
try {
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  console.log(`bucket ${bucket} created`)
} catch (error) {
  const name = error instanceof Error ? error.name : ''
  if (name !== 'BucketAlreadyOwnedByYou' && name !== 'BucketAlreadyExists') throw error
  console.log(`bucket ${bucket} is there`)
} finally {
  client.destroy()
}
