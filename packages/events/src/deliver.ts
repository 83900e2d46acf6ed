/**
 * How an outlet is delivered to, as `deliver` of the configuration names it: a schema for each kind. What each of them does is a file of
 * `services/outlets` (`kinds.ts` there is the table, and does not compile while it lacks one of these).
 */
import { z } from 'zod'

export const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https address' })
/** The name of an environment variable that holds a secret; the secret itself is never written down. */
export const secretEnv = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'expected the name of an environment variable, like TINH_DOAN_SECRET')

const webhook = z.strictObject({ kind: z.literal('webhook'), url: httpUrl, secretEnv })

export const deliverConfig = z.discriminatedUnion('kind', [webhook])
export type DeliverConfig = z.output<typeof deliverConfig>
export type DeliverKind = DeliverConfig['kind']
/** `deliver` of one kind. */
export type DeliverBy<K extends DeliverKind> = Extract<DeliverConfig, { kind: K }>

/** The address that deliveries of an outlet go to, and the field that names it; held against `network` when it is saved, and again when it is used. */
export const addressOf = (deliver: DeliverConfig): Readonly<{ field: string; url: string }> => ({ field: 'url', url: deliver.url })
