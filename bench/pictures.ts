/**
 * Pictures: what all renditions of a photograph cost beside the same work written directly in sharp and beside `vipsthumbnail` once for each, what
 * hostile files cost, and what pictures that arrive at once do to articles that have none.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defaultPicturePresets, picturesConfig } from '@newswire/events/picture-config'
import { createDecoder } from '@newswire/images/decoder'
import { type Child, startDecoderChild } from '@newswire/images/decoder-process'
import { inspectPicture } from '@newswire/images/inspect'
import { type Recipe, toPlan } from '@newswire/images/presets'
import type { Benchmark, Line } from './benchmark.ts'
import { sendOpenLoop, startPartner, startPoller } from './load.ts'
import { cpuSeconds, ownCpuMs, quantile, round, treePssMb } from './measure.ts'
import { makeHostile, makePhoto } from './picture-samples.ts'
import { benchConfig, startNewswire, TOKEN, temporaryFolder } from './system.ts'

const TIMES = 9
const direct = fileURLToPath(new URL('picture-direct.ts', import.meta.url))
const recipe: Recipe = {
  plan: toPlan(picturesConfig.parse({})),
  words: { caption: 'Bến đò', credit: 'An', copyright: '© 2026', usageTerms: '', digitalSourceType: '', dataMining: '' },
  focus: null,
}
const peakMb = (pid: number) => Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

/** A decoder whose process can be looked at: one, which stays. */
const openDecoder = () => {
  let child: Child | undefined
  const decoder = createDecoder({
    processes: 1,
    idleMs: 600_000,
    startChild: () => {
      child = startDecoderChild()
      return child
    },
  })
  return { decoder, pid: () => child?.pid ?? 0 }
}

/** CPU of both processes, and the peak of the one that decodes with what this one holds for it. */
const measureOurs = async (photo: Buffer) => {
  const { decoder, pid } = openDecoder()
  const cpuMs: number[] = []
  let bytes = 0
  for (let time = 0; time < TIMES + 1; time++) {
    const before = ownCpuMs() + (pid() === 0 ? 0 : cpuSeconds(pid()) * 1000)
    if (!inspectPicture(photo).ok) throw new Error('the photograph was refused')
    const decoded = await decoder.render(photo, recipe, 'live')
    if (decoded.outcome !== 'rendered') throw new Error(`not rendered: ${decoded.reason}`)
    bytes = decoded.files.reduce((sum, file) => sum + file.bytes.byteLength, 0)
    if (time > 0) cpuMs.push(ownCpuMs() + cpuSeconds(pid()) * 1000 - before)
  }
  const peak = peakMb(pid())
  await decoder.stop()
  return { cpuMs, peakMb: peak, heldMb: (bytes + photo.byteLength) / 1e6 }
}

/** `null` where there is no vipsthumbnail. */
const measureThumbnails = (file: string, folder: string) => {
  if (spawnSync('vipsthumbnail', ['--version']).status !== 0) return null
  const commands = defaultPicturePresets.flatMap(({ name, width, height, formats }) =>
    formats.map(format => {
      const settings = { jpeg: 'Q=80,optimize_coding', avif: 'Q=60,effort=0', webp: 'Q=75,effort=4' }[format]
      const shape = height === undefined ? `--size ${width}x` : `--size ${width}x${height} --smartcrop attention`
      return `vipsthumbnail ${file} ${shape} -o ${folder}/${name}.${format === 'jpeg' ? 'jpg' : format}[${settings}] 2>>${folder}/said || echo failed ${format}`
    }),
  )
  // What `times` says last is the CPU of everything that was started.
  const text = execFileSync('bash', ['-c', `export VIPS_CONCURRENCY=1; ${commands.join('; ')}; times`], { encoding: 'utf8' })
  const [, user = '', system = ''] = /(\S+) (\S+)\n$/.exec(text) ?? []
  const seconds = (value: string) => Number(value.split('m')[0]) * 60 + Number.parseFloat(value.split('m')[1] ?? '0')
  return { cpuMs: (seconds(user) + seconds(system)) * 1000, failed: [...new Set(text.match(/failed \w+/g) ?? [])], files: commands.length }
}

const measureRenditions = async (photo: Buffer) => {
  const folder = temporaryFolder()
  try {
    const file = folder.file('photo.jpg', '')
    writeFileSync(file, photo)
    const ours = await measureOurs(photo)
    const plain = JSON.parse(
      execFileSync(process.execPath, [direct, file, String(TIMES)], { encoding: 'utf8', env: { ...process.env, MALLOC_ARENA_MAX: '2' } }),
    ) as { cpuMs: number[]; peakMb: number }
    return { ours, direct: plain, vipsthumbnail: measureThumbnails(file, folder.path) }
  } finally {
    folder.remove()
  }
}

const measureHostile = async (photo: Buffer) => {
  const { decoder, pid } = openDecoder()
  await decoder.render(await makePhoto(300, 200, 9), recipe, 'live')
  const found: { what: string; code: string; cpuMs: number; mb: number }[] = []
  for (const [what, bytes] of await makeHostile(photo)) {
    const before = ownCpuMs() + cpuSeconds(pid()) * 1000
    const [rssBefore, peakBefore] = [process.memoryUsage().rss, peakMb(pid())]
    const inspected = inspectPicture(bytes)
    const decoded = inspected.ok ? await decoder.render(bytes, recipe, 'live') : null
    const code = inspected.ok ? (decoded?.outcome === 'refused' ? decoded.code : (decoded?.outcome ?? '')) : inspected.code
    const cpuMs = ownCpuMs() + cpuSeconds(pid()) * 1000 - before
    found.push({
      what,
      code,
      cpuMs: round(cpuMs),
      mb: round(peakMb(pid()) - peakBefore + Math.max(0, process.memoryUsage().rss - rssBefore) / 1e6),
    })
  }
  await decoder.stop()
  return found
}

const PICTURES = 12
const RATE = 40
const SECONDS = 10

const sendPicture = async (ingest: string, name: string, bytes: Buffer): Promise<number> => {
  const headers = { authorization: `Bearer ${TOKEN}` }
  const form = new FormData()
  form.set('picture', new Blob([new Uint8Array(bytes)]), 'photo.jpg')
  const path = `${ingest}/v1/articles/${name}`
  const { url } = (await (await fetch(`${path}/pictures`, { method: 'POST', headers, body: form })).json()) as { url: string }
  const article = { title: `Ảnh ${name}`, language: 'vi', categories: ['c0'], body: { text: 'x' }, images: [{ url, role: 'lead' }] }
  const { status } = await fetch(path, {
    method: 'PUT',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(article),
  })
  return status
}

/** Articles without pictures at a steady rate, first alone, then while pictures arrive. */
const measureArrival = async () => {
  const photos = await Promise.all(Array.from({ length: PICTURES }, (_, index) => makePhoto(1600, 1250, 100 + index)))
  const folder = temporaryFolder()
  const partner = await startPartner()
  const config = folder.file(
    'newswire.yaml',
    benchConfig({ feeds: 4, limit: 50, partner: partner.url, publicUrl: 'http://127.0.0.1:8080' }),
  )
  const ports = ['--gateway-port', '0', '--ingest-port', '0', '--console-port', '0']
  const system = await startNewswire(['up', '--data', `${folder.path}/data`, '--config', config, ...ports], {
    NEWSWIRE_FSYNC: 'normal',
    NEWSWIRE_LOG_LEVEL: 'warn',
  })
  const { ingest = '', gateway = '' } = system.urls
  const until = async (what: string, isSo: () => boolean) => {
    for (const deadline = performance.now() + 60_000; !isSo(); ) {
      if (performance.now() > deadline) throw new Error(`${what}: not within 60 s`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
  const run = async (prefix: string, meanwhile: () => Promise<unknown>) => {
    const poller = startPoller({ gateway, feeds: ['c0', 'c1', 'c2', 'c3'], formats: ['rss'], prefix, everyMs: 100 })
    const [sent] = await Promise.all([
      sendOpenLoop({ ingest, token: TOKEN, rate: RATE, seconds: SECONDS, clients: 16, feeds: 4, prefix }),
      meanwhile(),
    ])
    await until('articles to be seen', () => sent.every(one => poller.seen.rss.has(one.id)))
    await poller.stop()
    const late = sent.map(one => (poller.seen.rss.get(one.id) ?? 0) - one.dueAt)
    return { p50: round(quantile(late, 0.5)), p99: round(quantile(late, 0.99)) }
  }
  const sendAll = (prefix: string) => Promise.all(photos.map((bytes, index) => sendPicture(ingest, `${prefix}${index}`, bytes)))
  let peak = 0
  const watch = setInterval(() => {
    peak = Math.max(peak, treePssMb(system.pid))
  }, 250)
  try {
    const poller = startPoller({ gateway, feeds: ['c0'], formats: ['rss'], prefix: 'p', everyMs: 200 })
    const began = performance.now()
    await sendAll('p')
    await until('pictures to be seen', () => poller.seen.rss.size === PICTURES)
    const allSeenMs = Math.max(...poller.seen.rss.values()) - began
    await poller.stop()
    const peakMb = round(peak)
    await run('w', async () => undefined)
    const alone = await run('a', async () => undefined)
    const together = await run('b', () => sendAll('q'))
    return {
      alone,
      together,
      ratio: round(together.p99 / alone.p99, 2),
      peakMb,
      underLoadMb: round(peak),
      allSeenMs: round(allSeenMs, 0),
    }
  } finally {
    clearInterval(watch)
    await system.stop()
    partner.stop()
    folder.remove()
  }
}

export const benchPictures: Benchmark = async () => {
  const photo = await makePhoto(6000, 4000, 7)
  const renditions = await measureRenditions(photo)
  const hostile = await measureHostile(photo)
  const arrival = await measureArrival()
  const [ours, plain] = [quantile(renditions.ours.cpuMs, 0.5), quantile(renditions.direct.cpuMs, 0.5)]
  const worst = hostile.reduce((a, b) => (b.cpuMs > a.cpuMs ? b : a))
  const largest = hostile.reduce((a, b) => (b.mb > a.mb ? b : a))
  const thumbnails = renditions.vipsthumbnail
  const lines: Line[] = [
    {
      what: '24 MP JPEG to all renditions',
      measured: `${round(ours, 0)} CPU-ms (${round(ours / plain, 2)} × direct), peak ${round(renditions.ours.peakMb, 0)} MB (${round(renditions.ours.peakMb / renditions.direct.peakMb, 2)} ×), ${round(renditions.ours.heldMb)} MB beside it`,
      toReach: '≤ 1.1 × direct sharp, CPU and peak',
      floor: `direct sharp ${round(plain, 0)} CPU-ms, ${round(renditions.direct.peakMb, 0)} MB; vipsthumbnail × ${thumbnails?.files ?? 0}: ${thumbnails === null ? 'not here' : `${round(thumbnails.cpuMs, 0)} CPU-ms${thumbnails.failed.length > 0 ? ` (${thumbnails.failed.join(', ')})` : ''}`}`,
    },
    {
      what: `hostile pictures, ${hostile.length} kinds`,
      measured: `worst ${worst.cpuMs} CPU-ms (${worst.what}), ${largest.mb} MB (${largest.what}); ${hostile.filter(one => one.code.startsWith('NEWSWIRE_PICTURE_')).length} refused by name`,
      toReach: '≤ 100 ms, ≤ 100 MB, each refused',
      floor: '',
    },
    {
      what: `${PICTURES} pictures of 2 MP at once, ${RATE} articles/s without`,
      measured: `peak ${arrival.peakMb} MB (${arrival.underLoadMb} MB with the articles); visible p99 ${arrival.alone.p99} → ${arrival.together.p99} ms (${arrival.ratio} ×); all pictures out in ${arrival.allSeenMs} ms`,
      toReach: '≤ 400 MB, p99 ≤ 1.2 ×',
      floor: `alone p50 ${arrival.alone.p50} ms`,
    },
  ]
  return { lines, result: { renditions, hostile, arrival } }
}
