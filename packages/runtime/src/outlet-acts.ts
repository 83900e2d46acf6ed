/** What refused acts (`outlet-control.ts`) are answered with over HTTP, at the console and on a partner's page. */
import { RejectError } from '@newswire/events/errors'

/** Refusals of an act that are no fault of the body: what stands in the way now. */
const STATUS: Readonly<Record<string, Readonly<{ status: number; title: string }>>> = {
  NEWSWIRE_OUTLET_BUSY: { status: 409, title: 'Not now' },
  NEWSWIRE_OUTLET_PAUSED: { status: 409, title: 'An operator paused it' },
  NEWSWIRE_OUTLET_SECRETS: { status: 409, title: 'Too many secrets at once' },
  NEWSWIRE_OUTLET_SECRET_SHOWN: { status: 409, title: 'It was shown already' },
  NEWSWIRE_SECRET_KEY_MISSING: { status: 503, title: 'No secret can be made here' },
}

/** The status of a refused act; `null` for what is answered like any other error. */
export const toActRefusal = (error: unknown): Readonly<{ status: number; title: string; error: RejectError }> | null => {
  const known = error instanceof RejectError ? STATUS[error.code] : undefined
  return known === undefined ? null : { ...known, error: error as RejectError }
}
