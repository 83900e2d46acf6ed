/**
 * How an outlet is delivered to, as `deliver` of the configuration names it: a schema for each kind. What each of them does is a file of
 * `services/outlets` (`kinds.ts` there is the table, and does not compile while it lacks one of these).
 */
import { z } from 'zod'

export const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https address' })
/** Of an address that parses; what does not is refused for that. */
export const hasNoPassword = (value: string): boolean => {
  const url = URL.parse(value)
  return url === null || (url.username === '' && url.password === '')
}
/** The name of an environment variable that holds a secret; the secret itself is never written down. */
export const secretEnv = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'expected the name of an environment variable, like TINH_DOAN_SECRET')

/** What an outlet is given of an article, and how it is written down. */
export const documentFormats = ['newswire', 'ninjs', 'newsml-g2'] as const
export type DocumentFormat = (typeof documentFormats)[number]
const document = {
  format: z.enum(documentFormats).default('newswire'),
  /** The whole article, all but its body, or its identity alone; the last two say where the rest is. */
  payload: z.enum(['full', 'digest', 'thin']).default('full'),
}
/** A longer document becomes a thin one. Bytes. */
const maxBytes = z.int().min(1_024).max(16_777_216)
export type DocumentConfig = Readonly<{ format: DocumentFormat; payload: 'full' | 'digest' | 'thin'; maxBytes?: number | undefined }>

const folder = z
  .string()
  .max(400)
  .regex(/^[^\u0000-\u001f\u007f\\]*$/, 'expected a path without backslashes and control characters')
  .refine(
    path => path === path.normalize('NFC') && !path.split('/').some(part => part === '.' || part === '..'),
    'expected a path without . and ..',
  )

/** Which renditions of a picture a drop gets as files: the widest, all, or none (the document then names the gateway's). */
const pictures = z.enum(['largest', 'all', 'none']).default('largest')

const hostKey = z
  .string()
  .max(4_000)
  .regex(
    /^(SHA256:[A-Za-z0-9+/]{43}=?|([^ ]+ )?(ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/]+=*( .*)?)$/,
    'expected a fingerprint, like SHA256:…, or a key, like ssh-ed25519 AAAA…',
  )

const webhook = z.strictObject({ kind: z.literal('webhook'), url: httpUrl, secretEnv, maxBytes: maxBytes.default(262_144), ...document })

const s3 = z.strictObject({
  kind: z.literal('s3'),
  /** Default: AWS's own of the region. */
  endpoint: httpUrl.optional(),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'expected a region, like ap-southeast-1')
    .default('us-east-1'),
  bucket: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/, 'expected the name of a bucket'),
  /** Before every key as it stands here, so it mostly ends with a slash. */
  prefix: folder.refine(path => !path.startsWith('/'), 'expected a prefix without a slash at its beginning').default(''),
  accessKeyIdEnv: secretEnv,
  secretAccessKeyEnv: secretEnv,
  pictures,
  maxBytes: maxBytes.optional(),
  ...document,
})

const sftp = z.strictObject({
  kind: z.literal('sftp'),
  host: z
    .string()
    .max(253)
    .regex(/^[A-Za-z0-9.:[\]-]+$/, 'expected the name or address of a host'),
  port: z.int().min(1).max(65_535).default(22),
  /** The only keys that the host is known by, as `ssh-keyscan` or `ssh-keygen -lf` prints them; a line says its kind, too, and is asked for by it. */
  hostKey: z.union([hostKey, z.array(hostKey).min(1).max(8)]),
  /** The folder that drops go into, which must be there. */
  path: folder.default(''),
  userEnv: secretEnv,
  /** A file on the machine that delivers; never copied anywhere. */
  privateKeyFile: z.string().min(1).max(1_000),
  /** What the key file is locked with. */
  passphraseEnv: secretEnv.optional(),
  pictures,
  maxBytes: maxBytes.optional(),
  ...document,
})

/** A shared cache in front of the gateway, which is to forget what shows an article. */
const purge = z
  .strictObject({
    kind: z.literal('purge'),
    dialect: z.enum(['generic', 'fastly', 'cloudflare', 'varnish', 'varnish-ban']),
    /** Its purge address; for Varnish the cache itself. */
    url: httpUrl,
    tokenEnv: secretEnv.optional(),
    /** By the keys that the gateway says of each answer (`cache-keys.ts`), or by addresses. Fastly knows keys only, bans addresses only. */
    by: z.enum(['keys', 'urls']).default('keys'),
    /** `retractions`: of articles, and of their pictures. `all`: for every new version, too. */
    on: z.enum(['retractions', 'all']).default('retractions'),
  })
  .refine(({ dialect, by }) => !(dialect === 'fastly' && by === 'urls') && !(dialect === 'varnish-ban' && by === 'keys'), {
    path: ['by'],
    error: 'expected keys for fastly, and urls for varnish-ban',
  })

export const deliverConfig = z.discriminatedUnion('kind', [webhook, s3, sftp, purge])
type DeliverConfig = z.output<typeof deliverConfig>
export type DeliverKind = DeliverConfig['kind']
/** `deliver` of one kind. */
export type DeliverBy<K extends DeliverKind> = Extract<DeliverConfig, { kind: K }>

/** The address that deliveries of an outlet go to, and the field that names it; held against `network` when it is saved, and again when it is used. */
export const addressOf = (deliver: DeliverConfig): Readonly<{ field: string; url: string }> => {
  switch (deliver.kind) {
    case 'webhook':
    case 'purge':
      return { field: 'url', url: deliver.url }
    case 's3':
      return { field: 'endpoint', url: deliver.endpoint ?? `https://s3.${deliver.region}.amazonaws.com` }
    case 'sftp':
      return { field: 'host', url: `sftp://${deliver.host}:${deliver.port}` }
  }
}
