/** 10 000 readers, each on a connection of its own that it keeps: what they cost in memory, and whether all are answered. */
import { connect, type Socket } from 'node:net'
import { feedFiles, feedFormats } from '@newswire/events/feed'
import type { Line } from './benchmark.ts'
import { round } from './measure.ts'

const READERS = 10_000
/** Connections being opened at once: the listening queue is short. */
const AT_ONCE = 200
const DEADLINE_MS = 20_000

type Reader = { socket: Socket; path: string; etag: string; errors: number }

const headOf = (index: number, { path, etag }: Reader): string =>
  `GET ${path} HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: Reader/${index % 50}\r\nAccept-Encoding: gzip\r\n${etag === '' ? '' : `If-None-Match: ${etag}\r\n`}\r\n`

/** Asks once and reads the answer to its end; resolves with its status, 0 when there was none. */
const ask = (reader: Reader, index: number): Promise<number> =>
  new Promise(resolve => {
    const { socket } = reader
    let head = ''
    let left = -1
    const done = (status: number) => {
      clearTimeout(timer)
      socket.off('data', onData).off('close', onClose)
      resolve(status)
    }
    const onClose = () => done(0)
    const timer = setTimeout(() => done(0), DEADLINE_MS)
    let status = 0
    const onData = (chunk: Buffer) => {
      if (left < 0) {
        head += chunk.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        status = Number(head.split(' ', 2)[1])
        reader.etag = /\r\netag: ([^\r]+)/.exec(head)?.[1] ?? ''
        left = status === 304 ? 0 : Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0)
        left -= head.length - end - 4
      } else left -= chunk.length
      if (left <= 0) done(status)
    }
    socket.on('data', onData).on('close', onClose)
    socket.write(headOf(index, reader))
  })

const open = (url: URL, path: string): Promise<Reader> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port) })
    const reader: Reader = { socket, path, etag: '', errors: 0 }
    socket.once('error', reject).once('connect', () => {
      socket.removeListener('error', reject)
      socket.on('error', () => undefined)
      resolve(reader)
    })
  })

/** In batches, so that neither side's queues are what is measured. */
const inBatches = async <T, U>(values: readonly T[], work: (value: T, index: number) => Promise<U>): Promise<U[]> => {
  const results: U[] = []
  for (let at = 0; at < values.length; at += AT_ONCE)
    results.push(...(await Promise.all(values.slice(at, at + AT_ONCE).map((value, index) => work(value, at + index)))))
  return results
}

/** `memoryMb`: of the gateway's process. All feeds are read once before, so that what they take is not counted to the readers. */
export const measureReaders = async (gateway: string, memoryMb: () => number): Promise<{ lines: readonly Line[]; result: unknown }> => {
  const url = new URL(gateway)
  const paths = Array.from({ length: 100 }, (_, index) => feedFormats.map(format => `/feeds/f${index}/${feedFiles[format].name}`)).flat()
  const warm = await inBatches(paths, path => open(url, path))
  await inBatches(warm, (reader, index) => ask(reader, index))
  for (const { socket } of warm) socket.destroy()
  const settle = () => new Promise(resolve => setTimeout(resolve, 3_000))
  await settle()
  const idleMb = memoryMb()
  const readers = await inBatches(
    Array.from({ length: READERS }, (_, index) => paths[index % paths.length] ?? ''),
    path => open(url, path),
  )
  const statuses: number[] = []
  let peakMb = 0
  for (let poll = 0; poll < 3; poll++) {
    statuses.push(...(await inBatches(readers, (reader, index) => ask(reader, index))))
    peakMb = Math.max(peakMb, memoryMb())
  }
  await settle()
  const heldMb = Math.max(0, memoryMb())
  for (const { socket } of readers) socket.destroy()
  const count = (status: number) => statuses.filter(one => one === status).length
  const failed = statuses.length - count(200) - count(304)
  const more = round(Math.max(peakMb, heldMb) - idleMb)
  return {
    lines: [
      {
        what: `${READERS} readers on kept connections, three polls each`,
        measured: `${more} MB above idle (${round(idleMb)} MB), ${count(200)} × 200, ${count(304)} × 304, ${failed} errors`,
        toReach: '≤ 150 MB, no errors',
        floor: '',
      },
    ],
    result: { idleMb, peakMb, heldMb, statuses: { 200: count(200), 304: count(304), failed } },
  }
}
