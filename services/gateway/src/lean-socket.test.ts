import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { readLean } from './lean-socket.ts'

type Came = { socket: Socket; from: Socket; stop: () => void; texts: string[] }

/** A connection to a server that reads its side with `readLean`; `onCame` is told of it first. */
const open = async (t: TestContext, { onCame, onBytes }: { onCame?: (from: Socket) => void; onBytes?: (came: Came) => void } = {}) => {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const came = new Promise<Came>(resolve =>
    server.once('connection', from => {
      onCame?.(from)
      const texts: string[] = []
      const reading = readLean(from, (bytes, length) => {
        texts.push(bytes.toString('latin1', 0, length))
        onBytes?.(one)
      })
      const one = { ...reading, from, texts }
      resolve(one)
    }),
  )
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const one = await came
  t.after(() => {
    client.destroy()
    one.socket.destroy()
    server.close()
  })
  return { server, client, ...one }
}

const until = async (socket: Socket, isSo: () => boolean) => {
  while (!isSo()) await once(socket, 'seen')
}

test('this Node lets a server’s socket be read into one buffer; if that ends, answers cost a µs more and this test tells', async t => {
  const { socket, from } = await open(t)
  assert.notEqual(socket, from)
  assert.equal(socket.remoteAddress, '127.0.0.1')
})

/** What Node would have to change for the first way to be closed. */
const ways: Readonly<Record<string, (from: Socket) => void>> = {
  'into one buffer': () => undefined,
  'by chunks': from => Object.assign((from as unknown as { _handle: object })._handle, { useUserBuffer: undefined }),
}

for (const [way, onCame] of Object.entries(ways)) {
  test(`read ${way}, bytes come in their order, and after the last one the end`, async t => {
    const { client, socket, from, texts } = await open(t, { onCame, onBytes: ({ socket }) => void socket.emit('seen') })
    assert.equal(socket === from, way === 'by chunks')
    const ended = once(socket, 'end')
    client.write('one')
    await until(socket, () => texts.join('') === 'one')
    client.end('x'.repeat(100_000))
    await ended
    assert.equal(texts.join(''), `one${'x'.repeat(100_000)}`)
    socket.end('heard')
    const [answer] = (await once(client, 'data')) as [Buffer]
    assert.equal(String(answer), 'heard')
  })

  test(`read ${way}, a paused connection says nothing until it is resumed`, async t => {
    const { client, socket, texts } = await open(t, {
      onCame,
      onBytes: ({ socket, texts }) => {
        if (texts.length === 1) socket.pause()
        socket.emit('seen')
      },
    })
    client.write('one')
    await until(socket, () => texts.length === 1)
    // The client's own answer comes behind what it has sent, so that is there and not read.
    await new Promise<void>(resolve => client.write('two', () => resolve()))
    socket.write('go on')
    await once(client, 'data')
    assert.deepEqual(texts, ['one'])
    socket.resume()
    await until(socket, () => texts.join('') === 'onetwo')
  })

  test(`read ${way}, who takes the connection over gets what is put back, and then what comes`, async t => {
    const { client, socket, texts } = await open(t, {
      onCame,
      onBytes: ({ socket, stop }) => {
        stop()
        stop()
        socket.emit('seen')
      },
    })
    client.write('one')
    await until(socket, () => texts.length === 1)
    const got: string[] = []
    socket.unshift(Buffer.from('one again '))
    socket.on('data', (chunk: Buffer) => {
      got.push(String(chunk))
      socket.emit('seen')
    })
    client.write('two')
    await until(socket, () => got.join('') === 'one again two')
    assert.deepEqual(texts, ['one'])
  })

  test(`read ${way}, a connection counts for its server until it is closed`, async t => {
    const { server, client, socket } = await open(t, { onCame })
    const count = () => new Promise<number>((resolve, reject) => server.getConnections((error, n) => (error ? reject(error) : resolve(n))))
    assert.equal(await count(), 1)
    const closed = once(server, 'close')
    server.close()
    const gone = new Promise(resolve => socket.once('error', () => undefined).once('close', resolve))
    client.resetAndDestroy()
    await gone
    await closed
    assert.equal(await count(), 0)
  })
}
