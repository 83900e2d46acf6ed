/** How a retraction is asked for over HTTP, by a publisher at ingest and by an operator at the console. */
import { z } from 'zod'
import { hasNoPassword, httpUrl } from './deliver.ts'
import { isLocalId } from './ids.ts'
import { cleanLine, isVisible } from './text.ts'

const notice = z.string().transform(cleanLine).pipe(z.string().max(2000))

/** One that readers can be sent to: what no browser can open would leave them with nothing. */
const isAddress = (value: string): boolean => !/\s/.test(value) && httpUrl.safeParse(value).success && hasNoPassword(value)

/** Without what only the article's id can tell: `retractRequestOf`. */
export const retractRequest = z
  .strictObject({
    mode: z.enum(['withdraw', 'gone', 'redirect', 'replace']),
    reason: notice.refine(isVisible, 'expected some words: the reason is kept with the retraction').meta({ minLength: 1 }),
    legal: z.boolean().default(false),
    redirectTo: z.string().max(2048).optional(),
    notice: notice.optional(),
  })
  .superRefine((value, context) => {
    const { mode, redirectTo } = value
    if ((mode === 'redirect' || mode === 'replace') && redirectTo === undefined)
      context.addIssue({ code: 'custom', path: ['redirectTo'], message: `expected where readers are sent, because mode is ${mode}` })
    if ((mode === 'withdraw' || mode === 'gone') && redirectTo !== undefined)
      context.addIssue({ code: 'custom', path: ['redirectTo'], message: `expected nothing, because mode ${mode} sends readers nowhere` })
    if (mode === 'redirect' && redirectTo !== undefined && !isAddress(redirectTo))
      context.addIssue({ code: 'custom', path: ['redirectTo'], message: 'expected an http or https address, without a name or password' })
    if (mode === 'replace' && redirectTo !== undefined && !isLocalId(redirectTo.replace(/^[a-z0-9-]+\./, '')))
      context.addIssue({ code: 'custom', path: ['redirectTo'], message: 'expected the id of the article that takes its place' })
  })

/** Of one article, which cannot take its own place: readers would be sent round, and told that it is gone. */
export const retractRequestOf = (articleId: string) =>
  retractRequest.superRefine(({ mode, redirectTo }, context) => {
    if (mode === 'replace' && (redirectTo === articleId || redirectTo === articleId.slice(articleId.indexOf('.') + 1)))
      context.addIssue({ code: 'custom', path: ['redirectTo'], message: 'expected another article than the one that is taken back' })
  })
