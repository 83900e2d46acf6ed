/** What a command says to a running system. Where it is: the environment, else what `up` left in its data folder. */
import { readFile, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { sha256Hex } from '@newswire/events/ids'
import type { Environment, Settings } from '@newswire/runtime/settings'
import { z } from 'zod'
import { quote } from './as-typed.ts'
import { warn } from './finish.ts'
import type { Terminal } from './terminal.ts'
import { AddressError, FailedError, UnreachableError } from './usage-error.ts'

export const clientFile = (dataDir: string): string => join(dataDir, 'client.json')
export const clientDocument = z.object({
  ingest: z.string(),
  console: z.string(),
  gateway: z.string(),
  publisher: z.string(),
  token: z.string(),
  /** What the console asks for, when it was started with `NEWSWIRE_CONSOLE_TOKEN`. */
  consoleToken: z.string().optional(),
  /** The folder that the system runs on, absolute and without links: in a copy of it this names another than the one it lies in. */
  folder: z.string().optional(),
})
export type ClientDocument = z.output<typeof clientDocument>

export type Client = Readonly<{
  ingest(method: string, path: string, body?: Uint8Array | string, headers?: Record<string, string>): Promise<unknown>
  upload(path: string, bytes: Uint8Array, fileName: string): Promise<{ url: string }>
  /** `timeoutMs`: how long the answer is waited for (default 30 s). */
  console(method: string, path: string, body?: string, timeoutMs?: number): Promise<unknown>
  /** The publisher that the token is of; `null` when it cannot be known: the console does not know the token, or cannot be asked. */
  whose(): Promise<string | null>
}>

/** What `up` left in its data folder; `null` when nothing was started there. */
export const readClientFile = async (dataDir: string): Promise<ClientDocument | null> => {
  try {
    return clientDocument.parse(JSON.parse(await readFile(clientFile(dataDir), 'utf8')))
  } catch {
    // No system was started here; the environment may still say where one is.
    return null
  }
}

/**
 * The folder of the system that left the addresses in `dataDir`, where that is another one, as in a copy; `null` where it is the same, or nobody said. One
 * folder that is mounted twice has two names, and only where both are seen from here is it known for the same.
 */
export const findOtherFolder = async (left: ClientDocument | null, dataDir: string): Promise<string | null> => {
  if (left?.folder === undefined) return null
  const [here, there] = await Promise.all([dataDir, left.folder].map(one => stat(one).catch(() => null)))
  const isSame =
    left.folder === (await realpath(dataDir).catch(() => resolve(dataDir))) ||
    (here != null && there != null && here.dev === there.dev && here.ino === there.ino)
  return isSame ? null : left.folder
}

/** What to do where `findOtherFolder` found one. */
export const toOwnFolder = (dataDir: string, other: string): string =>
  `Start this one with \`newswire up --data ${quote(dataDir)}\` on ports of its own, or name the other with --data ${quote(other)}; nothing is wrong where both are one folder, mounted twice.`

/** `Retry-After` in seconds, a minute at most: nobody sits before a shell for longer. */
const retryAfter = ({ headers }: Response): number | undefined => {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 60) * 1000 : undefined
}

const answer = async (response: Response): Promise<unknown> => {
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  const body =
    isJson && text !== ''
      ? (JSON.parse(text) as { title?: string; detail?: string; code?: string; errors?: { pointer: string; detail: string }[] })
      : null
  if (response.ok) return body
  const lines = (body?.errors ?? []).map(error => `  ${error.pointer || 'the body'}: ${error.detail}`)
  throw new FailedError(
    [
      `${body?.title ?? `it answered ${response.status}`}${body?.detail ? `: ${body.detail}` : ''}${body?.code ? ` (${body.code})` : ''}`,
      ...lines,
    ].join('\n'),
    { code: body?.code, retryAfterMs: retryAfter(response) },
  )
}

/** Longest wait for an answer. */
const ANSWER_MS = 30_000
/** The same where the command can go on without one. */
const WHOSE_MS = 5_000

const reach = async (url: string, init: RequestInit, timeoutMs = ANSWER_MS): Promise<Response> => {
  if (!URL.canParse(url))
    throw new AddressError(
      'NEWSWIRE_INGEST_URL and NEWSWIRE_CONSOLE_URL must be addresses like http://127.0.0.1:8081, and one of them is none',
    )
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) })
  } catch (cause) {
    throw new UnreachableError(
      `Nothing answers at ${new URL(url).origin}. Is Newswire running? Start it with \`newswire up\`, or set NEWSWIRE_INGEST_URL and NEWSWIRE_CONSOLE_URL.`,
      { cause },
    )
  }
}

/** `to`: what tells the system that is spoken to from others, also after it got other ports. */
export const createClient = async ({
  environment,
  settings: { dataDir },
  say,
}: Readonly<{ environment: Environment; settings: Pick<Settings, 'dataDir'>; say?: Terminal['say'] }>): Promise<
  Client & { to: string }
> => {
  const left = await readClientFile(dataDir)
  let other = say === undefined ? null : await findOtherFolder(left, dataDir)
  /** Told once, and only when there is an answer: where nothing runs, nothing is mistaken for it. */
  const tellOther = (url: string): void => {
    if (say === undefined || other === null || (url !== left?.ingest && url !== left?.console)) return
    warn({ say }, `what answers at ${url} runs on ${other}, not on ${resolve(dataDir)}. ${toOwnFolder(dataDir, other)}`)
    other = null
  }
  const reachAt = async (url: string, path: string, init: RequestInit, timeoutMs?: number): Promise<Response> => {
    const response = await reach(`${url}${path}`, init, timeoutMs)
    tellOther(url)
    return response
  }
  const ingestUrl = environment.NEWSWIRE_INGEST_URL ?? left?.ingest
  const consoleUrl = environment.NEWSWIRE_CONSOLE_URL ?? left?.console
  const token = environment.NEWSWIRE_TOKEN ?? left?.token
  const needed = <T>(value: T | undefined, name: string): T => {
    if (value === undefined)
      throw new AddressError(`${name} is not set and no system was started from ${dataDir}. Start one with \`newswire up\`, or set it.`)
    return value
  }
  const authorization = () => ({ authorization: `Bearer ${needed(token, 'NEWSWIRE_TOKEN')}` })
  // What was left is for the console that was started here, and for no other address.
  const leftToken = consoleUrl === left?.console ? left?.consoleToken : undefined
  const consoleToken = environment.NEWSWIRE_CONSOLE_TOKEN ?? leftToken
  const consoleAuthorization: Record<string, string> = consoleToken ? { authorization: `Bearer ${consoleToken}` } : {}
  const askConsole = async (method: string, path: string, body?: string, timeoutMs?: number): Promise<unknown> => {
    const response = await reachAt(
      needed(consoleUrl, 'NEWSWIRE_CONSOLE_URL'),
      path,
      {
        method,
        headers: { ...consoleAuthorization, ...(method === 'GET' ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? (method === 'GET' ? {} : { body: '{}' }) : { body }),
      },
      timeoutMs,
    )
    if (response.status === 401)
      throw new FailedError(
        'The console asks for its token: set NEWSWIRE_CONSOLE_TOKEN to what it was started with (NEWSWIRE_AUTH_TOKEN)',
        {
          code: 'NEWSWIRE_AUTH_TOKEN',
        },
      )
    return answer(response)
  }
  /** What `up` left says nothing of another token. */
  const askWhose = async (): Promise<string | null> => {
    if (token === undefined || token === left?.token) return left?.publisher ?? null
    try {
      const path = `/v1/tokens?sha256=${sha256Hex(token)}`
      const [found, ...more] = (await askConsole('GET', path, undefined, WHOSE_MS)) as readonly { publisher: string }[]
      return more.length > 0 ? null : (found?.publisher ?? null)
    } catch {
      return null
    }
  }
  let owner: Promise<string | null> | undefined
  return {
    whose: () => {
      owner ??= askWhose()
      return owner
    },
    to: environment.NEWSWIRE_INGEST_URL ?? resolve(dataDir),
    ingest: async (method, path, body, headers = {}) =>
      answer(
        await reachAt(needed(ingestUrl, 'NEWSWIRE_INGEST_URL'), path, {
          method,
          headers: { ...authorization(), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
        }),
      ),
    upload: async (path, bytes, fileName) => {
      const form = new FormData()
      form.set('picture', new Blob([new Uint8Array(bytes)]), fileName)
      return (await answer(
        await reachAt(needed(ingestUrl, 'NEWSWIRE_INGEST_URL'), path, { method: 'POST', headers: authorization(), body: form }),
      )) as { url: string }
    },
    console: askConsole,
  }
}
