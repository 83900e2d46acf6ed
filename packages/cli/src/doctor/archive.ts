/** The end of the archive's chain: that the newest manifest is the one the published keys name, signed, and follows the one before. `newswire archive verify` proves all of it. */
import { createPublicKey, verify } from 'node:crypto'
import { newestManifest, readManifest } from '@newswire/archive/finish'
import { readKeys } from '@newswire/archive/signing'
import type { ObjectsReader } from '@newswire/objects/disk-reader'
import { keys } from '@newswire/objects/keys'
import { readOpenPurges } from '@newswire/objects/open-purges'
import { type Finding, failed, looking, ok, warning } from './finding.ts'

/** A day is closed within minutes of its end; two hours more are patience. ms. */
const LATE_AFTER_MS = 26 * 3_600_000
const REMEDY = '`newswire archive verify` says where the chain is broken; do not delete anything.'

const isSigned = async (objects: ObjectsReader, number: number, jwk: Readonly<{ x: string }>): Promise<boolean> => {
  const found = await objects.get(keys.archiveManifest(number))
  const [line = '', second = ''] = Buffer.from(found?.bytes ?? [])
    .toString('utf8')
    .split('\n', 2)
  const { signature } = JSON.parse(second) as { signature: string }
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: jwk.x }, format: 'jwk' })
  return verify(null, Buffer.from(line), key, Buffer.from(signature, 'base64url'))
}

const findBreak = async (objects: ObjectsReader, number: number): Promise<string | null> => {
  const manifest = await readManifest(objects, number)
  if (manifest === null) return number === 0 ? null : `manifest ${number}, which the published keys name, is missing`
  const published = (await readKeys(objects))?.value
  const jwk = published?.keys.find(({ kid }) => kid === manifest.head.keyId)
  if (published === undefined || jwk === undefined)
    return `manifest ${number} is signed with key ${manifest.head.keyId}, which is not published`
  if (!(await isSigned(objects, number, jwk))) return `the signature of manifest ${number} does not fit`
  const before = number === 1 ? null : await readManifest(objects, number - 1)
  if (number > 1 && before === null) return `manifest ${number - 1} is missing`
  if (manifest.head.previousSha256 !== (before?.sha256 ?? null)) return `manifest ${number} does not follow manifest ${number - 1}`
  const { head } = published
  const named = [manifest, before].find(one => one?.head.number === head?.manifest)
  return head !== null && named != null && named.sha256 !== head.sha256
    ? `manifest ${head.manifest} is not the one that the published keys name`
    : null
}

export const lookAtArchive = (objects: ObjectsReader, nowMs: number): Promise<readonly Finding[]> =>
  looking(
    'archive',
    async () => {
      const number = await newestManifest(objects)
      const broken = await findBreak(objects, number)
      if (broken !== null) return [failed('archive', broken, REMEDY)]
      const purges = await readOpenPurges(objects)
      const stuck = purges
        .filter(one => one.trouble !== null)
        .map(one => `the purge of ${one.articleId} is not done: ${one.trouble?.message}`)
      if (stuck.length > 0)
        return [
          failed('archive', stuck.join('; '), 'It is tried again by itself; services/archive/README.md says what to restore or delete.'),
        ]
      const manifest = await readManifest(objects, number)
      if (manifest === null) return [ok('archive', 'nothing is closed yet; a day is closed once it has ended')]
      const { closedAt } = manifest.head
      const words = `manifest ${number}, closed ${closedAt}, is signed and follows the one before`
      if (nowMs - Date.parse(closedAt) > LATE_AFTER_MS)
        return [
          warning(
            'archive',
            `${words}; no day was closed since`,
            'It closes by itself while the archive runs and NEWSWIRE_SECRET_KEY is there; `newswire archive close` closes now.',
          ),
        ]
      return [ok('archive', words)]
    },
    REMEDY,
  )
