/** `newswire.yaml`, read and checked; every complaint at once. */
import { readFile } from 'node:fs/promises'
import type { NewswireConfig } from '@newswire/events/config'
import { messageOf } from '@newswire/events/errors'
import { checkConfig } from '@newswire/runtime/check-config'
import { parse } from 'yaml'
import { cannotRead, UsageError } from './usage-error.ts'
import { readUtf8 } from './utf8.ts'

export const parseConfig = (text: string, file: string): NewswireConfig => {
  let value: unknown
  try {
    value = parse(text)
  } catch (cause) {
    throw new UsageError(`${file} is not YAML: ${messageOf(cause)}`)
  }
  const checked = checkConfig(value)
  if (checked.ok) return checked.config
  throw new UsageError(
    `${file} is not valid, so nothing was applied:\n${checked.complaints.map(({ path, expected, found }) => `  ${path}: expected ${expected}, found ${found}`).join('\n')}`,
  )
}

export const readConfigFile = async (file: string): Promise<NewswireConfig> =>
  parseConfig(readUtf8(await readFile(file).catch(cannotRead(file)), file), file)
