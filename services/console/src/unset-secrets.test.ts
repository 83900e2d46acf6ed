import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outletConfig, publisherConfig } from '@newswire/events/config'
import { findUnset, findUnsetSecrets } from './unset-secrets.ts'

const webhook = outletConfig.parse({ id: 'w', deliver: { kind: 'webhook', url: 'https://w.example', secretEnv: 'W' } })
const drop = outletConfig.parse({
  id: 'd',
  deliver: {
    kind: 's3',
    endpoint: 'https://s.example',
    bucket: 'news',
    prefix: 'in/',
    accessKeyIdEnv: 'D_KEY',
    secretAccessKeyEnv: 'D_SECRET',
  },
})
const find = (ids: string[], values: Record<string, string>) =>
  findUnsetSecrets(
    { publishers: [], outlets: [webhook, drop] },
    ids.map(id => ({ kind: 'outlets', id })),
    name => values[name],
  )

test('an outlet whose secret the running process does not have is told of, with what helps', () => {
  assert.deepEqual(find(['w', 'd'], { D_KEY: 'k', D_SECRET: '' }), [
    'outlets/w: nothing is sent until Newswire is started again with W set, or `newswire outlets rotate w` makes a secret',
    'outlets/d: nothing is sent until Newswire is started again with D_SECRET set',
  ])
  assert.deepEqual(find(['w', 'd'], { W: 'w', D_KEY: 'k', D_SECRET: 's' }), [])
})

test('a publisher whose hook or callback has no secret in the running process is told of as well', () => {
  const hooks = [{ id: 'cms', preset: 'generic', secretEnv: 'P_HOOK' }]
  const publisher = publisherConfig.parse({ id: 'w', name: 'P', callbackUrl: 'https://p.example', callbackSecretEnv: 'P_CALLBACK', hooks })
  const tell = (kind: string, values: Record<string, string> = {}) =>
    findUnsetSecrets({ publishers: [publisher], outlets: [] }, [{ kind, id: 'w' }], name => values[name])
  assert.deepEqual(tell('publishers'), [
    'publishers/w: it is called back about nothing until Newswire is started again with P_CALLBACK set',
    'publishers/w: its hook cms takes nothing until Newswire is started again with P_HOOK set',
  ])
  assert.deepEqual([tell('publishers', { P_CALLBACK: 'c', P_HOOK: 'h' }), tell('outlets')], [[], []])
})

test('an outlet that was not changed is passed over: its secret may have been made by a rotation', () => {
  assert.deepEqual(find([], {}), [])
})

test('what publishers and outlets in force name and the process does not have is listed by name, never by value', () => {
  const publisher = publisherConfig.parse({ id: 'p', name: 'P', callbackUrl: 'https://p.example', callbackSecretEnv: 'P_CALLBACK' })
  const outlets = [webhook, drop, { ...webhook, id: 'old', retired: true }]
  assert.deepEqual(
    findUnset({ publishers: [publisher], outlets }, name => (name === 'D_KEY' ? 'value' : undefined)),
    [
      { kind: 'publishers', id: 'p', names: ['P_CALLBACK'] },
      { kind: 'outlets', id: 'w', names: ['W'] },
      { kind: 'outlets', id: 'd', names: ['D_SECRET'] },
    ],
  )
})
