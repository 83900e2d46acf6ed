/** The configuration as it lies in the store, the secrets that it names, and those that the system keeps sealed. Values of secrets are never told. */
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { leaveOutMade } from '@newswire/console/made-secrets'
import { findUnset, type Unset } from '@newswire/console/unset-secrets'
import type { NewswireConfig, OutletConfig, PublisherConfig, SiteConfig } from '@newswire/events/config'
import { codeOf, messageOf } from '@newswire/events/errors'
import type { ObjectsReader } from '@newswire/objects/disk-reader'
import { createSealing, parseSealingKey } from '@newswire/objects/sealed'
import { nameOf, readEntries } from '@newswire/runtime/config-entries'
import type { Settings } from '@newswire/runtime/settings'
import { readPrivate } from '../local-access.ts'
import { findUnopened, listSealed } from '../sealed-secrets.ts'
import { type Finding, failed, looking, ok, warning } from './finding.ts'

/** What is in force. `outlets`: without retired ones. */
export type InForce = Pick<NewswireConfig, 'publishers' | 'outlets'> & Readonly<{ site: SiteConfig }>
type ConfigurationLook = Readonly<{ findings: readonly Finding[]; config: InForce | null }>

export const lookAtConfiguration = async (objects: ObjectsReader): Promise<ConfigurationLook> => {
  const { entries, unreadable } = await readEntries(objects)
  const broken = [
    ...unreadable.map(({ key, offence }) => `${key}: ${offence}`),
    ...entries.filter(one => one.offence !== null && !one.retired).map(one => `${nameOf(one)}: ${one.offence}`),
  ]
  const inForce = entries.filter(one => !one.retired && one.offence === null)
  const valuesOf = <T>(kind: string): readonly T[] => inForce.filter(one => one.kind === kind).map(one => one.value as T)
  const [site] = valuesOf<SiteConfig>('site')
  const findings = [
    ...(broken.length === 0
      ? []
      : [
          failed(
            'configuration',
            `cannot be used: ${broken.join('; ')}`,
            'Apply the file again (`newswire apply newswire.yaml`); the rest is in force.',
          ),
        ]),
  ]
  if (site === undefined)
    return {
      findings: [
        ...findings,
        warning('configuration', 'nothing was applied yet', '`newswire up --config newswire.yaml`, or `newswire apply newswire.yaml`'),
      ],
      config: null,
    }
  const config = { site, publishers: [...valuesOf<PublisherConfig>('publishers')], outlets: [...valuesOf<OutletConfig>('outlets')] }
  const counts = ['publishers', 'categories', 'feeds', 'outlets'].map(kind => `${valuesOf(kind).length} ${kind}`)
  if (broken.length === 0) findings.push(ok('configuration', `${site.title} (${site.id}): ${counts.join(', ')}`))
  return { findings, config }
}

const unreadableKeyFiles = async (outlets: readonly OutletConfig[]): Promise<readonly string[]> => {
  const files = outlets.flatMap(({ id, deliver }) => (deliver.kind === 'sftp' ? [{ id, file: deliver.privateKeyFile }] : []))
  const found = await Promise.all(
    files.map(async ({ id, file }) => ({
      id,
      file,
      isReadable: await access(file, constants.R_OK).then(
        () => true,
        () => false,
      ),
    })),
  )
  return found.filter(one => !one.isReadable).map(({ id, file }) => `outlets/${id}: the key file ${file} cannot be read`)
}

const inWords = ({ kind, id, names }: Unset): string => `${kind}/${id} needs ${names.join(' and ')}`

type SecretsLook = Readonly<{
  objects: ObjectsReader
  /** The value that a process started from here would have; `undefined` for none. */
  secret: (name: string) => string | undefined
  isUp: boolean
  /** What a running console says of the process that delivers; `null` when it cannot know, or nothing runs. */
  known: readonly Unset[] | null
  nowMs: number
}>

/** What is set in this shell says little of a process that runs already, and all of one that is to be started from here. */
export const lookAtSecrets = async (
  { publishers, outlets }: InForce,
  { objects, secret, isUp, known, nowMs }: SecretsLook,
): Promise<readonly Finding[]> => {
  const unset = await leaveOutMade(known ?? findUnset({ publishers, outlets }, secret), { objects, outlets, nowMs })
  const files = known === null ? await unreadableKeyFiles(outlets) : []
  const where = known === null ? 'this environment' : 'the running process'
  if (unset.length + files.length === 0) return [ok('secrets', `${where} has all that the configuration names`)]
  const words = `not set in ${where}: ${[...unset.map(inWords), ...files].join('; ')}`
  if (known !== null || !isUp) return [failed('secrets', words, 'Set them where Newswire is started, and start it again.')]
  return [
    warning(
      'secrets',
      `${words}; what the running processes have cannot be seen from here`,
      'Run this with the environment of the services; `newswire outlets list` shows which outlets fail.',
    ),
  ]
}

const keyOf = async ({ secretKey, s3, dataDir }: Settings): Promise<string | null> =>
  secretKey ?? (s3 === null ? await readPrivate(join(dataDir, 'secret-key')) : null)

/** Whether what is sealed can be opened with the key that there is. */
export const lookAtSealing = (settings: Settings, objects: ObjectsReader): Promise<readonly Finding[]> =>
  looking('secret-key', async () => {
    const text = await keyOf(settings)
    const sealed = await listSealed(objects)
    if (text === null)
      return sealed.length > 0
        ? [
            failed(
              'secret-key',
              'there is no key for what is sealed in the store',
              'Set NEWSWIRE_SECRET_KEY to the one that sealed it, or put back the file secret-key of the data folder.',
            ),
          ]
        : settings.s3 === null
          ? [ok('secret-key', 'none yet; `newswire up` makes one')]
          : [
              warning(
                'secret-key',
                'NEWSWIRE_SECRET_KEY is not set: days of the archive are not closed, and subscribers with secrets are refused',
                'Set it for every process, the same one: `openssl rand -base64 32`',
              ),
            ]
    const key = parseSealingKey(text)
    if (key === null)
      return [failed('secret-key', `what is in ${join(settings.dataDir, 'secret-key')} is no key`, 'Put back the one that was there.')]
    const sealing = createSealing({ get: objects.get, put: () => Promise.reject(new Error('the doctor seals nothing')) }, key)
    const error = await findUnopened(sealed, sealing)
    if (error !== null) {
      const remedy =
        codeOf(error) === 'NEWSWIRE_SECRET_SEAL'
          ? 'Make that secret anew: `newswire outlets rotate`, `newswire archive rotate-key`.'
          : 'Set NEWSWIRE_SECRET_KEY to the key that sealed it, or put back the file secret-key of the data folder.'
      return [failed('secret-key', messageOf(error), remedy)]
    }
    return [ok('secret-key', sealed.length === 0 ? 'set; nothing is sealed yet' : `opens what is sealed (${sealed.length} looked at)`)]
  })
