import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '@newswire/runtime/metrics'
import { startProofs } from './proofs.ts'

test('stopping does not wait for a trace that is not read yet, as while the disk is full', async () => {
  const proofs = startProofs({
    trace: { ready: new Promise<void>(() => undefined), onMilestones: () => () => undefined, retractions: () => assert.fail('too early') },
    metrics: createMetrics(),
    logger: { warn: (fields: object) => assert.fail(JSON.stringify(fields)) },
    now: Date.now,
    scale: 1,
  } as never)
  await proofs.stop()
})
