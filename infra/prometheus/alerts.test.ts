import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'

const ROOT = join(import.meta.dirname, '..', '..')
const rules = readFileSync(join(import.meta.dirname, 'alerts.yml'), 'utf8')

const metrics = [...new Set([...rules.matchAll(/\bnewswire_[a-z_]+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, '')))].sort()

test('the rules watch every service-level metric of the contract, the proof of retractions, and whether anything can be kept', () => {
  assert.deepEqual(metrics, [
    'newswire_consumer_lag',
    'newswire_dead_letters_total',
    'newswire_delivery_seconds',
    'newswire_holds_overdue',
    'newswire_oldest_pending_seconds',
    'newswire_publish_to_visible_seconds',
    'newswire_purges_open',
    'newswire_retraction_oldest_unproved_seconds',
    'newswire_retraction_still_visible',
    'newswire_store_healthy',
  ])
})

test('no rule watches a metric that no service has', () => {
  const files = globSync(['packages/*/src/**/*.ts', 'services/*/src/**/*.ts'], { cwd: ROOT, exclude: name => name === 'node_modules' })
  const code = files.map(file => readFileSync(join(ROOT, file), 'utf8')).join('\n')
  for (const name of metrics) assert.ok(code.includes(`'${name}'`), `${name} is in alerts.yml and in no service`)
})

test('every threshold in seconds is the edge of a bucket, or the ratio would be a guess', () => {
  const edges =
    /END_TO_END_BUCKETS = \[([^\]]+)\]/.exec(readFileSync(join(ROOT, 'packages/runtime/src/metrics.ts'), 'utf8'))?.[1]?.split(', ') ?? []
  const thresholds = [...rules.matchAll(/le="([\d.]+)"/g)].map(([, value]) => value ?? '')
  assert.ok(thresholds.length > 0)
  for (const one of thresholds) assert.ok(edges.includes(one), `no bucket ends at ${one} s`)
})

test('every alert says how bad it is, what happened and where to look', () => {
  const alerts = rules.split(/- alert: /).slice(1)
  assert.ok(alerts.length >= 5)
  for (const alert of alerts) {
    for (const part of [/severity: (page|ticket)/, /summary: "/, /look: "/]) assert.match(alert, part)
  }
})

test('the rules are read by a parser as groups of rules with an expression each, and no alert has the name of another', () => {
  const { groups } = parse(rules) as { groups: { name: string; rules: { alert?: string; record?: string; expr?: unknown }[] }[] }
  const all = groups.flatMap(group => group.rules)
  assert.ok(all.length >= 10)
  for (const one of all) {
    assert.ok(typeof one.expr === 'string' && one.expr.trim() !== '', JSON.stringify(one))
    assert.equal((one.expr.match(/\(/g) ?? []).length, (one.expr.match(/\)/g) ?? []).length, `brackets of ${one.expr}`)
  }
  const names = all.map(one => one.alert ?? one.record)
  assert.equal(new Set(names).size, names.length)
  assert.ok(names.includes('NewswireRetractionVisible') && names.includes('NewswireRetractionUnproved'))
})
