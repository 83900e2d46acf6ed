/** A publisher's side of the front door (contract §3), by plain HTTP. */
import type { TestArticle } from './articles.ts'

export type Answer = Readonly<{ status: number; body: Record<string, unknown>; headers: Headers }>
export type Retraction = Readonly<{ mode: 'withdraw' | 'gone' | 'redirect' | 'replace'; reason: string; [more: string]: unknown }>

export type Publisher = Readonly<{
  /** `idempotencyKey` when given goes along; repeat the call with the same one to ask again. */
  put(localId: string, article: TestArticle | Record<string, unknown>, idempotencyKey?: string): Promise<Answer>
  retract(localId: string, retraction: Retraction): Promise<Answer>
  republish(localId: string): Promise<Answer>
  /** Uploads a picture; `body.url` of the answer goes into `images[].url`. */
  upload(localId: string, bytes: Uint8Array, type: 'image/png' | 'image/jpeg', name?: string): Promise<Answer>
  article(localId: string): Promise<Answer>
  trace(localId: string): Promise<Answer>
  submission(submissionId: string): Promise<Answer>
  /** Anything else, with the token: for what a stranger might send. */
  send(method: string, path: string, body?: string | Uint8Array, headers?: Readonly<Record<string, string>>): Promise<Answer>
}>

const read = async (response: Response): Promise<Answer> => {
  const text = await response.text()
  let body: Record<string, unknown>
  try {
    body = JSON.parse(text) as Record<string, unknown>
  } catch {
    // Not JSON: a test that expects JSON sees the text in its failure.
    body = { text }
  }
  return { status: response.status, body, headers: response.headers }
}

/** `url`: the address of ingest. Requests that get no answer within 20 s reject. */
export const createPublisher = (url: string, token: string): Publisher => {
  const send: Publisher['send'] = async (method, path, body, headers = {}) =>
    await read(
      await fetch(new URL(path, url), {
        method,
        headers: { authorization: `Bearer ${token}`, ...headers },
        signal: AbortSignal.timeout(60_000),
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
      }),
    )
  const JSON_TYPE = { 'content-type': 'application/json' }
  const at = (localId: string) => `/v1/articles/${encodeURIComponent(localId)}`
  return {
    send,
    put: async (localId, article, idempotencyKey) =>
      await send('PUT', at(localId), JSON.stringify(article), {
        ...JSON_TYPE,
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      }),
    retract: async (localId, retraction) => await send('POST', `${at(localId)}/retract`, JSON.stringify(retraction), JSON_TYPE),
    republish: async localId => await send('POST', `${at(localId)}/republish`),
    upload: async (localId, bytes, type, name = type === 'image/png' ? 'picture.png' : 'picture.jpg') => {
      const form = new FormData()
      form.set('file', new Blob([new Uint8Array(bytes)], { type }), name)
      const response = await fetch(new URL(`${at(localId)}/pictures`, url), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: form,
        signal: AbortSignal.timeout(60_000),
      })
      return await read(response)
    },
    article: async localId => await send('GET', at(localId)),
    trace: async localId => await send('GET', `${at(localId)}/trace`),
    submission: async submissionId => await send('GET', `/v1/submissions/${encodeURIComponent(submissionId)}`),
  }
}
