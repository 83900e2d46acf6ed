/** When a subscription that stops says that its member has left: on a consumer that does as it is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KafkaClient } from './kafka-client.ts'
import type { Ghosts } from './kafka-ghosts.ts'
import type { KafkaReader } from './kafka-reader.ts'
import { createToLogRecord } from './kafka-record.ts'
import { subscribeToTopic } from './kafka-subscribe.ts'

type Listener = (event: Readonly<{ payload: object }>) => void

const REFUSED = new Error('connection refused')

/** kafkajs disconnects without a word when its leaving failed. */
const subscribe = async ({
  isRefused = false,
  isLeavingAnswered = true,
}: Readonly<{ isRefused?: boolean; isLeavingAnswered?: boolean }>) => {
  const listeners = new Map<string, Listener>()
  const consumer = {
    events: { REQUEST: 'request', HEARTBEAT: 'heartbeat', GROUP_JOIN: 'join', REBALANCING: 'rebalancing', CRASH: 'crash' },
    on: (event: string, listener: Listener) => void listeners.set(event, listener),
    connect: async () => {
      if (isRefused) throw REFUSED
    },
    subscribe: async () => undefined,
    run: async () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    disconnect: async () => {
      if (isLeavingAnswered) listeners.get('request')?.({ payload: { apiName: 'LeaveGroup', duration: 1 } })
    },
  }
  const members = new Map([['g', 'of the process before']])
  const ghosts: Ghosts = {
    of: () => null,
    joined: (group, member) => void members.set(group, member),
    left: (group, member) => {
      if (members.get(group) === member) members.delete(group)
    },
  }
  const subscribing = subscribeToTopic({
    client: { consumer: () => consumer } as unknown as KafkaClient,
    reader: { persist: async () => undefined } as unknown as KafkaReader,
    epoch: 0,
    toLogRecord: createToLogRecord(0),
    topic: 't',
    groupId: 'g',
    options: { topic: 't', group: 'g', handle: async () => undefined },
    bury: async () => undefined,
    ghosts,
    retryScale: 1,
    observers: {},
  })
  const join = (memberId: string) => listeners.get('join')?.({ payload: { memberId, memberAssignment: {} } })
  return { subscribing, join, members, leaveUnasked: () => listeners.get('request')?.({ payload: { apiName: 'LeaveGroup', duration: 1 } }) }
}

test('who left, and was heard, is no ghost', async () => {
  const { subscribing, join, members } = await subscribe({})
  const subscription = await subscribing
  join('member-1')
  await subscription.stop()
  assert.equal(members.get('g'), undefined)
})

test('who was not heard leaving is a ghost until its session is over, also where one left before', async () => {
  const { subscribing, join, members, leaveUnasked } = await subscribe({ isLeavingAnswered: false })
  const subscription = await subscribing
  join('member-1')
  leaveUnasked()
  join('member-2')
  await subscription.stop()
  assert.equal(members.get('g'), 'member-2')
})

test('a group that could not be joined keeps the ghost that it had', async () => {
  const { subscribing, members } = await subscribe({ isRefused: true, isLeavingAnswered: false })
  await assert.rejects(subscribing, REFUSED)
  assert.equal(members.get('g'), 'of the process before')
})
