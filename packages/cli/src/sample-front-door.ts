/** For tests of commands: a front door that takes whatever it is sent, and remembers what it was asked. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export type Asked = Readonly<{ method: string; path: string; body: string }>
export type Answer = Readonly<{ status?: number; body: unknown; headers?: Readonly<Record<string, string>> }>

/** `answer`: what it says to a request; `undefined` for a 202 that names the article. */
export const answering = async (t: TestContext, answer: (asked: Asked) => Answer | undefined = () => undefined) => {
  const requests: Asked[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const asked = { method: request.method ?? '', path: request.url ?? '', body }
    requests.push(asked)
    const articleId = `press.${decodeURIComponent(asked.path.split('?')[0]?.split('/')[3] ?? '')}`
    const said = answer(asked) ?? { status: 202, body: { submissionId: 's', articleId, trace: '/v1/submissions/s' } }
    const status = said.status ?? 200
    response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', ...said.headers })
    response.end(JSON.stringify(said.body))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get asked(): readonly string[] {
      return requests.map(({ method, path }) => `${method} ${path}`)
    },
  }
}
