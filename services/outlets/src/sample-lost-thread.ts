/** A thread for the tests of `posts.ts`: it is there, and ends with an error as soon as it is to post anything. */
import { parentPort } from 'node:worker_threads'
import type { FromPoster } from './posts-messages.ts'

parentPort?.on('message', () => {
  throw new Error('out of memory')
})
parentPort?.postMessage('[]' satisfies FromPoster)
