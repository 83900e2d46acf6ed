/**
 * What every log promises, whichever adapter is behind it: an adapter without a green run of this does not count as there.
 * Call it from a test file of the adapter. Cases that a log cannot have by its nature are skipped by name.
 */
import { test } from 'node:test'
import { crashCases } from './contract-crash.ts'
import { failureCases } from './contract-failure.ts'
import type { Capability, MakeSubject } from './contract-kit.ts'
import { publishCases } from './contract-publish.ts'
import { readCases } from './contract-read.ts'
import { subscribeCases } from './contract-subscribe.ts'

export type { Capability, MakeOptions, MakeSubject, Subject } from './contract-kit.ts'

const cases = [...publishCases, ...subscribeCases, ...failureCases, ...readCases, ...crashCases]
const TIMEOUT_MS = 180_000

/** Registers every case as a test. `make` opens a log of its own for each and closes it when the test is over. */
export const logContract = (name: string, make: MakeSubject, capabilities: readonly Capability[]): void => {
  for (const { title, needs, run } of cases) {
    const isPossible = needs === undefined || capabilities.includes(needs)
    const skip = isPossible ? false : `the ${name} log has no "${needs}"`
    test(`${name} log: ${title}`, { skip, timeout: TIMEOUT_MS }, t => run(t, make))
  }
}
