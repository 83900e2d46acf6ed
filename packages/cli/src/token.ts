/** `newswire token create|list|revoke`: who may publish, beside those whom the configuration file names. */
import { createClient } from './client.ts'
import { type CommandTree, collect } from './command-tree.ts'
import { showTable } from './show.ts'
import { printResult, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

type Token = Readonly<{ publisher: string; id: string; scopes: readonly string[] }>

const ask = async (terminal: Terminal, method: string, path: string, body?: unknown): Promise<unknown> =>
  (await createClient(terminal)).console(method, path, body === undefined ? undefined : JSON.stringify(body))

/** Prints the token alone, so that a shell can take it; it is shown this once. */
const createToken = async (
  terminal: Terminal,
  publisher: string,
  id: string,
  { scope: scopes }: { scope: readonly string[] },
): Promise<boolean> => {
  const asked = { publisher, id, ...(scopes.length === 0 ? {} : { scopes }) }
  const made = (await ask(terminal, 'POST', '/v1/tokens', asked)) as Token & { token: string }
  if (!terminal.json) terminal.say(`Token ${made.id} of ${made.publisher} may ${made.scopes.join(', ')}. It is shown only now:`)
  printResult(terminal, made, made.token)
  return true
}

const listTokens = async (terminal: Terminal): Promise<boolean> => {
  const tokens = (await ask(terminal, 'GET', '/v1/tokens')) as (Token & { from: string })[]
  const rows = tokens.map(one => [one.publisher, one.id, one.scopes.join(' '), one.from])
  printResult(terminal, tokens, showTable([['publisher', 'id', 'may', 'from'], ...rows]))
  return true
}

const revokeToken = async (terminal: Terminal, publisher: string, id: string): Promise<boolean> => {
  if (publisher === '' || id === '') throw new UsageError('token revoke needs a publisher and a token id; `newswire token list` shows them')
  await ask(terminal, 'DELETE', `/v1/tokens/${encodeURIComponent(publisher)}/${encodeURIComponent(id)}`)
  printResult(terminal, { publisher, id, revoked: true }, `${publisher}/${id} revoked`)
  return true
}

export const addTokenCommands = (program: CommandTree): void => {
  const tokens = program.group(
    'token',
    'who may publish, beside those whom the configuration file names',
    'newswire token create vensong cms',
  )
  tokens
    .add(
      'create <publisher> <id>',
      'make a token; it is shown once',
      'newswire token create vensong cms --scope publish --scope retract',
      createToken,
    )
    .option('--scope <scope>', 'what it may do: publish, retract, republish, read (default all); may be repeated', collect, [])
  tokens.add('list', 'all tokens, never their values', 'newswire token list', listTokens)
  tokens.add('revoke <publisher> <id>', 'end a token that was made here', 'newswire token revoke vensong cms', revokeToken)
}
