/** The store: that it is there, takes writes, and keeps what everything else stands on. Where a running process has it, it is only read. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, messageOf } from '@newswire/events/errors'
import type { ObjectsReader } from '@newswire/objects/disk-reader'
import type { Objects } from '@newswire/objects/objects'
import { probeObjects } from '@newswire/objects/probe'
import type { Settings } from '@newswire/runtime/settings'
import { openObjects, openReader } from '../open-objects.ts'
import { byStarting, type Finding, failed, ok, warning, within } from './finding.ts'

/** A start tries twenty rounds once a day: these find what breaks a promise often. */
const ROUNDS = 3
const ANSWER_WITHIN_MS = 30_000

/** `objects`: for what else is looked at; `null` when there is nothing to look at. Whoever has it closes it. */
type StoreLook = Readonly<{ findings: readonly Finding[]; objects: ObjectsReader | null }>

const remedyOf = (settings: Settings, error: unknown): string => {
  if (codeOf(error) === 'NEWSWIRE_OBJECTS_UNSAFE') return 'Use another store, or another version of its server.'
  return settings.s3 === null
    ? 'Look at the disk and at who owns the folder; restore it from a backup if the file is damaged.'
    : 'Look at S3_ENDPOINT, S3_BUCKET and the AWS_* credentials, and that the bucket is there and may be written to.'
}

/** Writes under a prefix of its own, and removes it. */
const probe = async (settings: Settings, objects: Objects): Promise<Finding> => {
  try {
    await within(ANSWER_WITHIN_MS, 'the store', probeObjects(objects, ROUNDS))
    return ok('store', `reads, writes and swaps as it should (${settings.s3 === null ? 'disk' : 'S3'})`)
  } catch (error) {
    return failed('store', messageOf(error), remedyOf(settings, error))
  }
}

const openS3 = async (settings: Settings): Promise<StoreLook> => {
  const objects = await openObjects(settings)
  const found = await probe(settings, objects)
  if (found.state === 'ok') return { findings: [found], objects }
  await objects.close()
  return { findings: [found], objects: null }
}

/** `isUp`: a process that has it is the system itself, whose console says whether it takes writes. */
export const lookAtStore = async (settings: Settings, isUp: boolean): Promise<StoreLook> => {
  if (settings.s3 !== null) return openS3(settings)
  if (!existsSync(join(settings.dataDir, 'objects', 'objects.db')))
    return { findings: [warning('store', `there is no store in ${settings.dataDir} yet`, byStarting.first)], objects: null }
  try {
    const objects = await openObjects(settings)
    const findings = [await probe(settings, objects)]
    await objects.close()
    return { findings, objects: await openReader(settings) }
  } catch (error) {
    if (codeOf(error) !== 'NEWSWIRE_OBJECTS_IN_USE')
      return { findings: [failed('store', messageOf(error), remedyOf(settings, error))], objects: null }
    const objects = await openReader(settings)
    const held = isUp
      ? ok('store', `read beside the process that has it (${messageOf(error).split('. ')[0]})`)
      : failed(
          'store',
          `${messageOf(error).split('. ')[0]}, which does not answer`,
          'If that process hangs, end it; a newswire that is starting answers within seconds.',
        )
    return { findings: [held], objects }
  }
}
