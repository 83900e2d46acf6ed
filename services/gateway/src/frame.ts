/**
 * An answer ready to be written: head and body in one buffer. Three fields of the head change (`Date` once a second, what is left of a client's
 * allowance with every answer); they are written over in place, which is safe as long as the kernel has taken the last answer whole. While one
 * is on its way, others are written as a copy of the head and the same body, which never changes.
 */
import type { Socket } from 'node:net'

/** What is left of a client's allowance: whole answers, and seconds until it is whole again. */
export type Standing = Readonly<{ remaining: number; resetSeconds: number }>

export type Frame = Readonly<{
  /** Whether the kernel took all of it; else it is on its way, and `onFlushed` is called when it is gone. */
  write(socket: Socket, nowMs: number, standing: Standing, onFlushed: () => void): boolean
  bodyBytes: number
}>

const DATE_LENGTH = 29
/** Larger bodies are not kept a second time, but written beside a copy of their head, which costs about 5 µs more. */
export const MAX_JOINED = 262_144
/** Digits of what is left and of the seconds, with `;t=` between them; shorter ones are filled with spaces, which end a field's value without being part of it. */
const STANDING_LENGTH = 24

/** Writes a whole number that is not negative; gives where it ends. Written out: this is done for every answer. */
const writeDigits = (target: Buffer, at: number, value: number): number => {
  let digits = 1
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits += 1
  let rest = value
  for (let index = at + digits - 1; index >= at; index--) {
    target[index] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
  return at + digits
}
const SPACE = 0x20

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
  /** The limiter's name and policy, or `null` for no limits. */
  policy: Readonly<{ name: string; header: string }> | null
  body: Buffer | null
}>

export const createFrame = ({ status, headers, policy, body }: FrameParts): Frame => {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const limited = policy === null ? '' : `ratelimit-policy: ${policy.header}\r\nratelimit: "${policy.name}";r=`
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

  const writeStanding = (target: Buffer, { remaining, resetSeconds }: Standing) => {
    const left = writeDigits(target, standingAt, remaining)
    target[left] = 0x3b
    target[left + 1] = 0x74
    target[left + 2] = 0x3d
    for (let at = writeDigits(target, left + 3, resetSeconds); at < standingAt + STANDING_LENGTH; at++) target[at] = SPACE
  }
  /** The date is the buffer's own until the second is over; a copy takes it along. */
  const patchDate = (nowMs: number) => {
    const at = Math.floor(nowMs / 1000)
    if (at === second) return
    buffer.write(dateOf(nowMs), dateAt, 'latin1')
    second = at
  }
  const writeCopy = (socket: Socket, nowMs: number, standing: Standing) => {
    const copy = Buffer.allocUnsafe(head.length)
    buffer.copy(copy, 0, 0, head.length)
    copy.write(dateOf(nowMs), dateAt, 'latin1')
    if (policy !== null) writeStanding(copy, standing)
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
        patchDate(nowMs)
        if (policy !== null) writeStanding(buffer, standing)
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
