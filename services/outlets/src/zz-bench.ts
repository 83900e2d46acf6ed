import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmbeddedLog } from '@newswire/log/embedded'
import { publishEvents } from '@newswire/log/events'
import { createDiskObjects } from '@newswire/objects/disk'
import { keys } from '@newswire/objects/keys'
import { createOutbound } from '@newswire/outbound/create-outbound'
import { createLogger } from '@newswire/runtime/logger'
import { createMetrics } from '@newswire/runtime/metrics'
import { start } from './main.ts'
import { liveFact, outletOf, SECRET } from './samples.ts'
const child = spawn(process.execPath, ['-e', `require('http').createServer((q,s)=>{q.resume();q.on('end',()=>s.writeHead(204).end())}).listen(0,'127.0.0.1',function(){console.log(this.address().port)})`], { stdio: ['ignore', 'pipe', 'inherit'] })
const port = await new Promise<string>(r => child.stdout.once('data', d => r(String(d).trim())))
const folder = await mkdtemp(join(tmpdir(), 'nwbench-'))
const fsync = 'full' as const
const log = await createEmbeddedLog({ file: join(folder, 'log.db'), fsync })
const objects = await createDiskObjects({ root: join(folder, 'o'), fsync })
const outbound = createOutbound({ network: () => ({ allow: ['127.0.0.0/8'], allowHttp: true }) })
const outlets = new Map([['p', outletOf({ id: 'p', url: `http://127.0.0.1:${port}/` })]])
let done = 0
const configuration = { current: () => ({ site: { publicUrl: 'http://x' }, outlets, categories: new Map() }), onChange: () => () => true, close: async () => undefined }
const run = async (service: boolean, N: number, tag: string) => {
  const metrics = createMetrics({ processMetrics: false })
  const s = service ? await start({ settings: { retryScale: 1 }, log, objects, outbound, configuration, metrics, logger: createLogger({ level: 'warn', service: 'o' }), now: Date.now, secret: () => SECRET } as never) : null
  const rate = 400
  const c0 = process.cpuUsage(); const t0 = performance.now()
  let sent = 0
  await new Promise<void>(resolve => {
    const timer = setInterval(async () => {
      const due = Math.min(N, Math.floor((performance.now() - t0) / 1000 * rate))
      for (; sent < due; sent++) {
        const fact = liveFact({ articleId: `press.${tag}${sent}`, version: 1, releasedAt: new Date().toISOString(), article: { body: { html: `<p>${'lorem ipsum '.repeat(340)}</p>` } } })
        void objects.put(keys.current(fact.articleId), new TextEncoder().encode(JSON.stringify({ released: { fact } }))).then(() => publishEvents(log)([{ id: fact.articleId, type: 'article.published', source: '/d', subject: fact.articleId, time: fact.releasedAt, data: fact }]))
      }
      if (sent >= N) { clearInterval(timer); resolve() }
    }, 5)
  })
  if (service) for (;;) {
    if ((await log.lag('outlets-route')).every(o => o.records === 0) && (await log.lag('outlets')).every(o => o.records === 0)) break
    await new Promise(r => setTimeout(r, 50))
  }
  const c = process.cpuUsage(c0); const ms = performance.now() - t0
  const text = await metrics.text()
  console.log(tag, 'cpu ms per article', ((c.user + c.system) / 1000 / N).toFixed(3), 'wall', ms.toFixed(0), text.split('\n').filter(l => /deliveries_total\{|publish_to_visible_seconds_(sum|count)|visible.*le="(0.05|0.1|0.25|1)"/.test(l)).join(' | '))
  await s?.stop()
  return (c.user + c.system) / 1000 / N
}
await run(true, 800, 'warm')
const a = await run(false, 4000, 'base')
const b = await run(true, 4000, 'with')
console.log('delta', (b - a).toFixed(3), 'ms per delivery')
await log.close(); await outbound.close(); await objects.close(); child.kill(); await rm(folder, { recursive: true, force: true })
