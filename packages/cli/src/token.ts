/** `newswire token create|list|revoke`: who may publish, beside those whom the configuration file names. */
import { createClient } from './client.ts'
import { showTable } from './show.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

type Token = Readonly<{ publisher: string; id: string; scopes: readonly string[] }>

const ask = async ({ environment, settings }: Terminal, method: string, path: string, body?: unknown): Promise<unknown> => {
  const using = await createClient(environment, settings.dataDir)
  return using.console(method, path, body === undefined ? undefined : JSON.stringify(body))
}

/** Prints the token alone, so that a shell can take it; it is shown this once. */
export const createToken = async (terminal: Terminal, publisher: string, id: string, scopes: readonly string[]): Promise<boolean> => {
  const made = (await ask(terminal, 'POST', '/v1/tokens', {
    publisher,
    id,
    ...(scopes.length === 0 ? {} : { scopes }),
  })) as Token & { token: string }
  if (!terminal.json) terminal.say(`Token ${made.id} of ${made.publisher} may ${made.scopes.join(', ')}. It is shown only now:`)
  terminal.print(terminal.json ? JSON.stringify(made) : made.token)
  return true
}

export const listTokens = async (terminal: Terminal): Promise<boolean> => {
  const tokens = (await ask(terminal, 'GET', '/v1/tokens')) as (Token & { from: string })[]
  const rows = tokens.map(one => [one.publisher, one.id, one.scopes.join(' '), one.from])
  terminal.print(terminal.json ? JSON.stringify(tokens) : showTable([['publisher', 'id', 'may', 'from'], ...rows]))
  return true
}

export const revokeToken = async (terminal: Terminal, publisher: string, id: string): Promise<boolean> => {
  if (publisher === '' || id === '') throw new UsageError('token revoke needs a publisher and a token id; `newswire token list` shows them')
  await ask(terminal, 'DELETE', `/v1/tokens/${encodeURIComponent(publisher)}/${encodeURIComponent(id)}`)
  terminal.print(terminal.json ? JSON.stringify({ publisher, id, revoked: true }) : `${publisher}/${id} revoked`)
  return true
}
