/** Text of files, which is UTF-8 or nothing: in another encoding it would go out damaged, and stay so in the archive. */
import { UsageError } from './usage-error.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Without the byte order mark; `null` for what is not UTF-8. */
export const decodeUtf8 = (bytes: Uint8Array): string | null => {
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}

/** Throws `UsageError` with the file's name. */
export const readUtf8 = (bytes: Uint8Array, file: string): string => {
  const text = decodeUtf8(bytes)
  if (text === null) throw new UsageError(`${file} is not UTF-8; save it as UTF-8 and try again`)
  return text
}
