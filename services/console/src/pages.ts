/** The console's two pages, as they lie in `pages/`. Their scripts are files of their own, so the policy can be strict. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HttpServer } from '@newswire/http/server'

const FOLDER = join(import.meta.dirname, '..', 'pages')
const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const HTML = 'text/html; charset=utf-8'
const CSS = 'text/css; charset=utf-8'
const JAVASCRIPT = 'text/javascript; charset=utf-8'
const files = [
  { path: '/', file: 'console.html', type: HTML },
  { path: '/outlets', file: 'outlets.html', type: HTML },
  { path: '/console.css', file: 'console.css', type: CSS },
  { path: '/console.js', file: 'console.js', type: JAVASCRIPT },
  { path: '/outlets.js', file: 'outlets.js', type: JAVASCRIPT },
  { path: '/dom.js', file: 'dom.js', type: JAVASCRIPT },
] as const

/** Open to all: what they show they ask of `/v1`, with the token of whoever looks. */
export const addPages = (app: HttpServer): void => {
  for (const { path, file, type } of files) {
    const content = readFileSync(join(FOLDER, file))
    app.get(path, async (_request, reply) =>
      reply.type(type).header('content-security-policy', POLICY).header('cache-control', 'no-cache').send(content),
    )
  }
  app.get('/favicon.ico', async (_request, reply) => reply.status(204).header('cache-control', 'public, max-age=86400').send())
}
