#!/usr/bin/env node
/** `newswire`: the command line. Results on standard output, everything else on standard error; exit status 0, 1 (failed), 2 (wrong use). */
import { keepCompiled } from './compile-cache.ts'
import { holdYoungGeneration } from './young-generation.ts'

const NODE_MAJOR = 24
if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
  process.stderr.write(
    `newswire needs Node ${NODE_MAJOR}, and this is ${process.version}. Run it as \`npx newswire …\` or \`npm start\`: npm ci brings the right one.\n`,
  )
  process.exit(2)
}

const compiled = keepCompiled()
if (compiled !== null) process.env['NODE_COMPILE_CACHE'] = compiled
// Loading is most of what grows it, and a static import would be loaded before the first line here.
const letGrow = holdYoungGeneration()
const { runCommandLine } = await import('./command-line.ts')
letGrow()
const status = await runCommandLine()

/** What is written to a pipe goes as fast as its reader takes it: an exit before that would cut off all above 64 KiB. A reader that has gone wants no more. */
const taken = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise(resolve => {
    stream.once('error', () => resolve())
    stream.write('', () => resolve())
  })
await Promise.all([taken(process.stdout), taken(process.stderr)])
process.exit(status)
