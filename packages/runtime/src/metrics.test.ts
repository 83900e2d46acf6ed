import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from './metrics.ts'

test('counters, gauges and histograms come out as Prometheus text', async () => {
  const metrics = createMetrics({ processMetrics: false })
  metrics.counter('newswire_a_total', 'A.', ['kind']).inc({ kind: 'x' }, 2)
  metrics.gauge('newswire_b', 'B.').set(3)
  metrics.histogram('newswire_publish_to_visible_seconds', 'C.', ['sink']).observe(4.9, { sink: 'feed' })
  const text = await metrics.text()
  assert.match(text, /^newswire_a_total\{kind="x"\} 2$/m)
  assert.match(text, /^newswire_b 3$/m)
  assert.match(text, /^# TYPE newswire_publish_to_visible_seconds histogram$/m)
  for (const [edge, count] of [
    ['1', 0],
    ['5', 1],
    ['30', 1],
  ])
    assert.match(
      text,
      new RegExp(`^newswire_publish_to_visible_seconds_bucket\\{(?=.*le="${edge}")(?=.*sink="feed")[^}]*\\} ${count}$`, 'm'),
      `an edge at ${edge} s, which a service level is stated in`,
    )
})

test('one name is one metric, whoever declares it', async () => {
  const metrics = createMetrics({ processMetrics: false })
  metrics.counter('newswire_a_total', 'A.').inc()
  metrics.counter('newswire_a_total', 'A.').inc()
  assert.match(await metrics.text(), /^newswire_a_total 2$/m)
})

test('the text is made at most once a second, also when asked for at the same time', async () => {
  let collected = 0
  const metrics = createMetrics({ processMetrics: false })
  metrics.onCollect(() => {
    collected++
  })
  await Promise.all([metrics.text(), metrics.text()])
  await metrics.text()
  assert.equal(collected, 1)
})

test('a gauge that cannot be looked at is counted, and everything else is still shown', async () => {
  const metrics = createMetrics({ processMetrics: false })
  const gauge = metrics.gauge('newswire_b', 'B.')
  metrics.onCollect(() => {
    throw new Error('the log is away')
  })
  metrics.onCollect(async () => gauge.set(7))
  const text = await metrics.text()
  assert.match(text, /^newswire_b 7$/m)
  assert.match(text, /^newswire_metrics_collect_failures_total 1$/m)
})

test('the process tells of itself', async () => {
  assert.match(await createMetrics().text(), /^process_cpu_seconds_total /m)
})
