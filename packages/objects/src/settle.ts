/** What a conditional put means, given what is there. One rule for both adapters. */
import type { PutOptions } from './objects.ts'

type Condition = Readonly<{ ifNoneMatch?: PutOptions['ifNoneMatch'] | null; ifMatch?: string | null }>

/** `same`: what is there has our bytes, so this is the repeat of a put whose answer was lost, and a success. */
type Verdict = 'write' | 'same' | 'exists' | 'stale'

/** `etag`: of the new bytes; `found`: of what is there, `null` for nothing. Tags are of the content here: equal means the same bytes. */
export const settle = ({ wanted, etag, found }: { wanted: Condition; etag: string; found: string | null }): Verdict => {
  if (typeof wanted.ifMatch === 'string' && found !== wanted.ifMatch) return found === etag ? 'same' : 'stale'
  if (wanted.ifNoneMatch === '*' && found !== null) return found === etag ? 'same' : 'exists'
  return 'write'
}
