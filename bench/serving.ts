/**
 * The gateway beside Debian's nginx with the same bytes as static files: requests a CPU second, unchanged and whole, over 100 feeds in three
 * formats and several readers, statistics and limits on. And 10 000 readers that keep their connection. wrk makes the load.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { feedFiles, feedFormats } from '@newswire/events/feed'
import type { Benchmark, Line } from './benchmark.ts'
import { cpuSeconds, quantile, round, treePssMb } from './measure.ts'
import { measureNewItem } from './new-item.ts'
import { measureReaders } from './serving-readers.ts'
import { temporaryFolder } from './system.ts'

const FEEDS = 100
const ROUNDS = 7
const SECONDS = 2
const CONNECTIONS = 64
const USER_AGENTS = ['Feedly/1.0', 'Miniflux/2.2', 'newsboat/2.38', 'NetNewsWire (RSS Reader)', 'Inoreader/1.0']
const TO_REACH = 0.85

const hasTool = (name: string): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0

type Fetched = Readonly<{ etag: string; body: Buffer; headers: Readonly<Record<string, unknown>> }>
const fetchGzip = (url: string): Promise<Fetched> =>
  new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': 'gzip' }, agent: false }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk as Buffer))
      response.on('end', () => {
        if (response.statusCode !== 200 || response.headers['content-encoding'] !== 'gzip')
          reject(new Error(`${url}: ${response.statusCode} ${response.headers['content-encoding']}`))
        else resolve({ etag: String(response.headers.etag), body: Buffer.concat(chunks), headers: response.headers })
      })
    }).on('error', reject)
  })

const paths = Array.from({ length: FEEDS }, (_, index) => feedFormats.map(format => `/feeds/f${index}/${feedFiles[format].name}`)).flat()

/** One request a line, in an order that is not the files'; wrk goes through them in turn. */
const toScript = (host: string, tags: ReadonlyMap<string, string>, isConditional: boolean): string => {
  const requests = paths.flatMap((_, index) => {
    const path = paths[(index * 7) % paths.length] ?? ''
    return USER_AGENTS.map(
      agent =>
        `GET ${path} HTTP/1.1\\r\\nHost: ${host}\\r\\nUser-Agent: ${agent}\\r\\nAccept: */*\\r\\nAccept-Encoding: gzip\\r\\n${isConditional ? `If-None-Match: ${tags.get(path)?.replaceAll('"', '\\"')}\\r\\n` : ''}\\r\\n`,
    )
  })
  return `local requests = {\n${requests.map(one => `"${one}"`).join(',\n')}\n}\nlocal at = 0\nrequest = function() at = at % #requests + 1; return requests[at] end\n`
}

type Server = Readonly<{ url: string; pids: () => readonly number[]; stop: () => void }>
type Loaded = Readonly<{ perCpuSecond: number; perSecond: number; errors: number }>

const load = (server: Server, script: string): Promise<Loaded> =>
  new Promise((resolve, reject) => {
    const cpu = () => server.pids().reduce((sum, pid) => sum + cpuSeconds(pid), 0)
    const before = cpu()
    const wrk = spawn('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, '-s', script, server.url])
    let said = ''
    wrk.stdout.on('data', chunk => {
      said += String(chunk)
    })
    wrk.once('exit', () => {
      const requests = Number(/(\d+) requests in/.exec(said)?.[1])
      const errors = Number(/Non-2xx or 3xx responses: (\d+)/.exec(said)?.[1] ?? 0) + Number(/Socket errors: .*/.test(said))
      if (!(requests > 0)) reject(new Error(`wrk said: ${said}`))
      else resolve({ perCpuSecond: requests / (cpu() - before), perSecond: requests / SECONDS, errors })
    })
  })

const gatewayScript = fileURLToPath(new URL('serving-gateway.ts', import.meta.url))

const startGateway = (folder: string): Promise<Server & { pid: number }> =>
  new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(process.execPath, [gatewayScript, 'serve', folder, String(FEEDS)], {
      env: { ...process.env, NEWSWIRE_GATEWAY_RATE: '100000000' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child.once('exit', code => reject(new Error(`the gateway ended with ${code}`)))
    child.stdout?.on('data', chunk => {
      const url = /gateway=(\S+)/.exec(String(chunk))?.[1]
      const pid = child.pid ?? 0
      if (url !== undefined) resolve({ url, pid, pids: () => [pid], stop: () => child.kill('SIGTERM') })
    })
  })

/** What every answer of the gateway says, said by nginx too: the bytes on the wire are then about the same. */
const nginxConfiguration = (root: string, port: number, headers: Fetched['headers']): string => {
  const said = ['cache-control', 'link', 'access-control-allow-origin', 'access-control-expose-headers', 'x-content-type-options']
    .concat(['content-security-policy', 'referrer-policy', 'cross-origin-resource-policy', 'strict-transport-security'])
    .concat(['surrogate-key', 'cache-tag', 'ratelimit-policy', 'ratelimit'])
    .flatMap(name => (headers[name] === undefined ? [] : `add_header ${name} '${String(headers[name]).replaceAll("'", '\\$1')}';`))
    .map(line => line.replaceAll('\\$1', "\\'"))
  return `user root; daemon off; worker_processes 1; pid ${root}/nginx.pid; error_log stderr crit;
events { worker_connections 4096; multi_accept on; }
http { access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000000; keepalive_timeout 75;
 open_file_cache max=2000 inactive=600s; open_file_cache_valid 600s; gzip_static on; gzip_vary on;
 types { application/rss+xml xml; application/feed+json json; }
 client_body_temp_path ${root}/t1; proxy_temp_path ${root}/t2; fastcgi_temp_path ${root}/t3; uwsgi_temp_path ${root}/t4; scgi_temp_path ${root}/t5;
 server { listen 127.0.0.1:${port}; root ${root}/www; ${said.join(' ')} } }`
}

const startNginx = async (root: string, headers: Fetched['headers']): Promise<Server> => {
  const port = 20_000 + (process.pid % 10_000)
  writeFileSync(join(root, 'nginx.conf'), nginxConfiguration(root, port, headers))
  const child = spawn('nginx', ['-c', join(root, 'nginx.conf')], { stdio: ['ignore', 'inherit', 'inherit'] })
  const url = `http://127.0.0.1:${port}`
  const deadline = Date.now() + 10_000
  for (;;)
    try {
      await fetchGzip(`${url}${paths[0]}`)
      break
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  const pid = child.pid ?? 0
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
  return { url, pids: () => [pid, ...children], stop: () => child.kill('SIGTERM') }
}

const describe = (what: string, ours: readonly Loaded[], theirs: readonly Loaded[]) => {
  const ratios = ours.map((one, index) => one.perCpuSecond / (theirs[index]?.perCpuSecond ?? Number.NaN))
  const median = (loads: readonly Loaded[]) =>
    Math.round(
      quantile(
        loads.map(one => one.perCpuSecond),
        0.5,
      ),
    )
  const ratio = round(quantile(ratios, 0.5), 2)
  const errors = ours.reduce((sum, one) => sum + one.errors, 0)
  const line: Line = {
    what: `${what}, per CPU second`,
    measured: `${median(ours)} = ${ratio} × nginx (rounds ${ratios.map(one => round(one, 2)).join(' ')})${errors > 0 ? `, ${errors} ERRORS` : ''}`,
    toReach: `≥ ${TO_REACH} × nginx`,
    floor: `nginx ${median(theirs)}`,
  }
  return { line, result: { ratio, ratios, ours, theirs } }
}

const compare = async (root: string, gateway: Server): Promise<{ lines: Line[]; result: unknown }> => {
  const ourTags = new Map<string, string>()
  let headers: Fetched['headers'] = {}
  for (const path of paths) {
    const fetched = await fetchGzip(`${gateway.url}${path}`)
    ourTags.set(path, fetched.etag)
    headers = fetched.headers
    const file = join(root, 'www', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}.gz`, fetched.body)
    writeFileSync(file, gunzipSync(fetched.body))
  }
  const nginx = await startNginx(root, headers)
  try {
    const theirTags = new Map<string, string>()
    for (const path of paths) theirTags.set(path, (await fetchGzip(`${nginx.url}${path}`)).etag)
    const script = (name: string, text: string) => {
      writeFileSync(join(root, name), text)
      return join(root, name)
    }
    const lines: Line[] = []
    const result: Record<string, unknown> = {}
    for (const [what, isConditional] of [
      ['304', true],
      ['gzip 200', false],
    ] as const) {
      const ours = script('ours.lua', toScript('bench.example', ourTags, isConditional))
      const theirs = script('theirs.lua', toScript('bench.example', theirTags, isConditional))
      await load(gateway, ours)
      const rounds: { ours: Loaded; theirs: Loaded }[] = []
      for (let index = 0; index < ROUNDS; index++) rounds.push({ theirs: await load(nginx, theirs), ours: await load(gateway, ours) })
      const described = describe(
        what,
        rounds.map(one => one.ours),
        rounds.map(one => one.theirs),
      )
      lines.push(described.line)
      result[what] = described.result
    }
    return { lines, result }
  } finally {
    nginx.stop()
  }
}

const skipped = (what: string, tools: readonly string[]): Line => ({
  what,
  measured: `skipped: ${tools.filter(tool => !hasTool(tool)).join(' and ')} not here (apt-get install nginx-light wrk)`,
  toReach: `≥ ${TO_REACH} × nginx`,
  floor: '',
})

export const benchServing: Benchmark = async () => {
  const newItem = await measureNewItem()
  const lines: Line[] = [...newItem.lines]
  const result: Record<string, unknown> = { newItem: newItem.result }
  const folder = temporaryFolder()
  try {
    // In a process of its own, so that what rendering leaves behind is not counted to serving.
    execFileSync(process.execPath, [gatewayScript, 'build', join(folder.path, 'data'), String(FEEDS)], { stdio: 'inherit' })
    const gateway = await startGateway(join(folder.path, 'data'))
    try {
      const readers = await measureReaders(gateway.url, () => treePssMb(gateway.pid))
      lines.push(...readers.lines)
      result['readers'] = readers.result
      const tools = ['nginx', 'wrk']
      if (tools.every(hasTool)) {
        const compared = await compare(folder.path, gateway)
        lines.push(...compared.lines)
        result['nginx'] = {
          version: execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' }).trim(),
          ...(compared.result as object),
        }
      } else lines.push(skipped('304 and gzip 200, per CPU second', tools))
    } finally {
      gateway.stop()
    }
  } finally {
    folder.remove()
  }
  return { lines, result }
}
