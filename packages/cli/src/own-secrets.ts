/** The secret that `newswire up --demo` makes for its own partner site, kept in the data folder: whoever starts from that folder has it. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Settings } from '@newswire/runtime/settings'
import { keepPrivate, readPrivate } from './local-access.ts'

const NAME = 'NEWSWIRE_DEMO_PARTNER_SECRET'
const fileOf = (dataDir: string): string => join(dataDir, 'partner-secret')

/** Made at the first call, the same one ever after. */
export const keepPartnerSecret = (dataDir: string): Promise<string> =>
  keepPrivate(fileOf(dataDir), () => `whsec_${randomBytes(32).toString('base64')}`)

/** By the name that the demo's configuration has for it. Processes on Kafka have their environment alone. */
export const readOwnSecrets = async ({
  dataDir,
  kafkaBrokers,
}: Pick<Settings, 'dataDir' | 'kafkaBrokers'>): Promise<Record<string, string>> => {
  const kept = kafkaBrokers.length > 0 ? null : await readPrivate(fileOf(dataDir))
  return kept === null ? {} : { [NAME]: kept }
}
