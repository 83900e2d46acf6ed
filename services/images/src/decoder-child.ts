/**
 * The process that decodes: sharp and nothing else of the system, with an empty environment, a limit on its memory and the lowest claim on the
 * cores (`decoder.ts` starts it so). Takes pictures on standard input, one at a time, and answers on standard output. It ends with its parent.
 */
import { createFrameReader, type Frame, writeFrame } from './frames.ts'
import type { Recipe } from './presets.ts'
import { loadRenderer } from './sharp.ts'

const MAX_SOURCE_BYTES = 64_000_000

// Ctrl-C reaches the whole group: the parent decides when this one ends, so that pictures in hand are finished.
process.on('SIGINT', () => undefined)

const renderer = await loadRenderer()
const say = (head: unknown, body?: Uint8Array) => writeFrame(process.stdout, head, body)

const handle = async ({ head, body }: Frame): Promise<void> => {
  const { id, recipe } = head as { id: number; recipe: Recipe }
  const result = await renderer.render(body, recipe, ({ bytes, ...file }) => say({ id, file }, bytes))
  say({ id, result })
  // Decoded pixels lie outside of V8's heap, which is small and so is seldom looked through: without this 40 MB more of them lie about.
  gc?.()
}

let last = Promise.resolve()
const read = createFrameReader({ body: MAX_SOURCE_BYTES }, frame => {
  last = last.then(() => handle(frame))
})
process.stdin.on('data', read)
process.stdin.on('end', () => process.exit(0))
say({ ready: true })
