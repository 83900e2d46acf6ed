import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '@newswire/events/errors'
import { checkStore } from './store-health.ts'

const takes = { put: async () => ({ ok: true, etag: '"1"' }) as const }
const GIB = 1024 ** 3

test('a store that takes writes on a disk with room is well', async () => {
  assert.equal(await checkStore({ objects: takes, dataDir: '/data', freeBytes: async () => GIB }), null)
})

test('a store that takes no write is told with its own words, and a disk that fills up before it is full', async () => {
  const full = {
    put: async () => {
      throw new UnavailableError('NEWSWIRE_OBJECTS_UNAVAILABLE', 'database or disk is full')
    },
  }
  const told = await checkStore({ objects: full, dataDir: '/data', freeBytes: async () => GIB })
  assert.equal(told, 'nothing can be kept, and publishers are refused: database or disk is full')
  assert.equal(await checkStore({ objects: takes, dataDir: '/data', freeBytes: async () => GIB / 8 }), 'the disk of /data has 128 MB left')
})

test('a disk that tells nothing of its room is no trouble', async () => {
  const silent = async () => Promise.reject(new Error('not supported'))
  assert.equal(await checkStore({ objects: takes, dataDir: '/data', freeBytes: silent }), null)
})
