/** Publishing to a real Kafka when much happens at once and answers get lost. */
import assert from 'node:assert/strict'
import { connect as connectTcp, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { ISocketFactory } from 'kafkajs'
import { assertOrderPerKey, createHouse, numberOf, readAll, record, skip } from './kafka-kit.ts'

test('50 publishers at once: nothing lost, nothing twice, order kept per key, and each is told where its record is', { skip }, async t => {
  const log = await (await createHouse(t)).open()
  const publisher = async (key: number) => {
    const positions = []
    for (let n = 0; n < 20; n += 1) positions.push(...(await log.publish([record(n, `key-${key}`), record(n, `key-${key}`)])))
    return positions
  }
  const told = await Promise.all(Array.from({ length: 50 }, (_, key) => publisher(key)))
  const all = await readAll(log, 'work')
  assert.equal(all.length, 2000)
  assertOrderPerKey(all)
  const places = new Map(all.map(one => [`${one.partition}/${one.position}`, one.key]))
  told.forEach((published, key) => {
    for (const one of published) assert.equal(places.get(`${one.partition}/${one.position}`), `key-${key}`)
  })
})

/** Sockets that, now and then, die instead of handing over the answer to a produce request: written, but not acknowledged. */
const losingAnswers = (every: number, onLost: () => void): ISocketFactory => {
  let produced = 0
  return ({ host, port, ssl, onConnect }) => {
    const socket: Socket = ssl ? connectTls({ host, port, ...ssl }, onConnect) : connectTcp({ host, port }, onConnect)
    let isDoomed = false
    const write = socket.write.bind(socket) as (data: Buffer | string, ...rest: unknown[]) => boolean
    socket.write = ((data: Buffer | string, ...rest: unknown[]) => {
      const bytes = Buffer.from(data as string, 'binary')
      if (bytes.length > 6 && bytes.readInt16BE(4) === 0) {
        produced += 1
        isDoomed = produced % every === 0
      }
      return write(data, ...rest)
    }) as Socket['write']
    const emit = socket.emit.bind(socket)
    socket.emit = ((name: string, ...args: unknown[]) => {
      if (name === 'data' && isDoomed) {
        isDoomed = false
        onLost()
        socket.destroy(new Error('the answer was lost'))
        return true
      }
      return emit(name, ...args)
    }) as Socket['emit']
    return socket
  }
}

test('lost acknowledgements cost nothing: no acknowledged record is missing, none is there twice, order is kept', { skip }, async t => {
  const house = await createHouse(t)
  let lost = 0
  const onLost = () => {
    lost += 1
  }
  const log = await house.open({ socketFactory: losingAnswers(3, onLost) })
  const publisher = async (key: number) => {
    for (let n = 0; n < 12; n += 1) await log.publish([record(n, `key-${key}`)])
  }
  await Promise.all(Array.from({ length: 10 }, (_, key) => publisher(key)))
  assert.ok(lost > 0, 'no answer was lost: the test tests nothing')
  const all = await readAll(await house.open(), 'work')
  assertOrderPerKey(all)
  assert.equal(new Set(all.map(one => `${one.key}/${numberOf(one)}`)).size, 120)
  assert.equal(all.length, 120)
})
