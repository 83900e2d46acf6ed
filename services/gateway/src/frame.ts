/**
 * An answer ready to be written: head and body in one buffer. Three fields of the head change (`Date` once a second, what is left of a client's
 * allowance with every answer); they are written over in place, which is safe as long as the kernel has taken the last answer whole. While one
 * is on its way, others are written as a copy of the head and the same body, which never changes.
 */
import type { Socket } from 'node:net'

export type Frame = Readonly<{
  /** Whether the kernel took all of it; else it is on its way, and `onFlushed` is called when it is gone. */
  write(socket: Socket, nowMs: number, standing: string, onFlushed: () => void): boolean
  bodyBytes: number
}>

const DATE_LENGTH = 29
/** Larger bodies are written beside their head and not kept a second time: copying one pointer more is nothing beside what the kernel copies. */
const MAX_JOINED = 65_536
/** Room for what a limiter says of a client; shorter ones are filled with spaces, which end a field's value without being part of it. */
const STANDING_LENGTH = 40

/** The date of now as a header says it; the same text for a second. */
const createDate = () => {
  let second = -1
  let text = ''
  return (nowMs: number): string => {
    const at = Math.floor(nowMs / 1000)
    if (at !== second) {
      second = at
      text = new Date(nowMs).toUTCString()
    }
    return text
  }
}
const dateOf = createDate()

export type FrameParts = Readonly<{
  status: '200 OK' | '304 Not Modified'
  headers: Readonly<Record<string, string>>
  /** The policy of the limiter, or `null` for no limits. */
  policy: string | null
  body: Buffer | null
}>

export const createFrame = ({ status, headers, policy, body }: FrameParts): Frame => {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const limited = policy === null ? '' : `ratelimit-policy: ${policy}\r\nratelimit: `
  const begin = `HTTP/1.1 ${status}\r\n${lines.join('')}${limited}`
  const standingAt = begin.length
  const middle = `${policy === null ? '' : `${' '.repeat(STANDING_LENGTH)}\r\n`}date: `
  const dateAt = begin.length + middle.length
  const head = `${begin}${middle}${' '.repeat(DATE_LENGTH)}\r\n\r\n`
  const isJoined = body !== null && body.length <= MAX_JOINED
  const buffer = Buffer.allocUnsafeSlow(head.length + (isJoined ? body.length : 0))
  buffer.write(head, 0, 'latin1')
  if (isJoined) body.copy(buffer, head.length)
  let second = -1
  let onTheirWay = 0

  const patch = (target: Buffer, nowMs: number, standing: string, isShared: boolean) => {
    const at = Math.floor(nowMs / 1000)
    if (!isShared || at !== second) target.write(dateOf(nowMs), dateAt, 'latin1')
    if (isShared) second = at
    if (policy !== null) target.write(standing, standingAt, 'latin1')
  }
  const writeCopy = (socket: Socket, nowMs: number, standing: string) => {
    const copy = Buffer.from(buffer.subarray(0, head.length))
    patch(copy, nowMs, standing, false)
    socket.cork()
    socket.write(copy)
    if (body !== null) socket.write(isJoined ? buffer.subarray(head.length) : body)
    socket.uncork()
  }
  return {
    bodyBytes: body?.length ?? 0,
    write: (socket, nowMs, standing, onFlushed) => {
      if (onTheirWay > 0 || (body !== null && !isJoined)) writeCopy(socket, nowMs, standing)
      else {
        patch(buffer, nowMs, standing, true)
        socket.write(buffer)
      }
      if (socket.writableLength === 0) return true
      onTheirWay += 1
      // Called once all before it has been taken or given up, whichever comes first.
      socket.write('', () => {
        onTheirWay -= 1
        onFlushed()
      })
      return false
    },
  }
}

/** As wide as the room for it. */
export const padStanding = (text: string): string => text.padEnd(STANDING_LENGTH).slice(0, STANDING_LENGTH)
