/** What every object store must keep, whatever it is made of. `disk.test.ts` and `s3.integration.test.ts` run it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bodiesContract } from './contract-bodies.ts'
import { crashContract } from './contract-crash.ts'
import { listingContract } from './contract-listing.ts'
import { type Make, opened } from './contract-store.ts'
import { swapsContract } from './contract-swaps.ts'
import { probeObjects } from './probe.ts'

/** `make` gives each test a store of its own. */
export const objectsContract = (name: string, make: Make): void => {
  describe(`objects on ${name}: compare-and-swap`, () => swapsContract(make))
  describe(`objects on ${name}: bodies`, () => bodiesContract(make))
  describe(`objects on ${name}: listing`, () => listingContract(make))
  describe(`objects on ${name}: crashes`, () => crashContract(make))
  test(`objects on ${name}: the probe at start passes and leaves nothing behind`, async t => {
    const objects = await opened(t, make)
    await probeObjects(objects)
    assert.deepEqual(await objects.list(''), [])
  })
}
