import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { articleInput, toArticle } from '@newswire/events/article'
import type { NewswireEvent } from '@newswire/events/events'
import type { Prepared } from '@newswire/events/submission'
import { dueCause, picturesCause, submissionCause } from './cause.ts'
import { picture } from './stories.world.ts'

const articleId = 'baoqk.mot'
const envelope = { source: '/services/images', subject: articleId, time: '2026-01-01T07:00:00+07:00' }

const retraction = (changes: Partial<Prepared> = {}): NewswireEvent<'submission.prepared'> => ({
  ...envelope,
  id: 'event-1',
  type: 'submission.prepared',
  data: {
    command: 'retract',
    submissionId: 's1',
    articleId,
    publisher: 'baoqk',
    receivedAt: envelope.time,
    lane: 'live',
    position: 900,
    retraction: { mode: 'gone', reason: 'sai', legal: false },
    ...changes,
  } as Prepared,
})

const code = (expected: string) => (error: { code?: string }) => error.code === expected

describe('causes', () => {
  it('a submission is known by its own id, whichever copy of it comes', () => {
    const cause = submissionCause(retraction(), articleId)
    assert.deepEqual([cause.id, cause.publisher, cause.at], ['s1', 'baoqk', '2026-01-01T00:00:00.000Z'])
  })

  it('a redriven submission counts from its first position', () => {
    const cause = submissionCause(retraction({ firstPosition: 7 }), articleId)
    assert.ok(cause.kind === 'retract' && cause.position === 7)
  })

  it('a submission id that could become a path is refused', () => {
    assert.throws(() => submissionCause(retraction({ submissionId: '../s1' }), articleId), code('NEWSWIRE_DESK_SUBMISSION_ID'))
  })

  it('an instant that no exit and no key can say is refused, wherever it came from', () => {
    const said = toArticle(articleInput.parse({ title: 'Tin', body: { text: 'Nội dung' } }), { language: 'vi' })
    assert.throws(() => submissionCause(retraction({ receivedAt: '' }), articleId), code('NEWSWIRE_DESK_INSTANT'))
    for (const at of ['bao giờ', 'hôm qua 1', '2026-03-01 08:00', '-000001-12-31T10:00:00.000Z', '+010000-01-01T00:00:00.000Z'])
      for (const name of ['publishedAt', 'updatedAt', 'embargoUntil', 'expiresAt']) {
        const asked = { command: 'publish', contentSha256: '0'.repeat(64), article: { ...said, [name]: at } } as Partial<Prepared>
        assert.throws(() => submissionCause(retraction(asked), articleId), code('NEWSWIRE_DESK_INSTANT'), `${name} ${at}`)
      }
  })

  it('late pictures are known by their event, and point to renditions only', () => {
    const event: NewswireEvent<'pictures.arrived'> = {
      ...envelope,
      id: 'late-1',
      type: 'pictures.arrived',
      data: { articleId, submissionId: 's1', pictures: [picture('ready')] },
    }
    assert.equal(picturesCause(event, articleId).id, 'late-1')
    const [ready] = event.data.pictures
    assert.ok(ready)
    const stolen = { ...ready, renditions: ready.renditions.map(one => ({ ...one, key: 'secrets/signing' })) }
    assert.throws(
      () => picturesCause({ ...event, data: { ...event.data, pictures: [stolen] } }, articleId),
      code('NEWSWIRE_DESK_RENDITION'),
    )
  })

  it('a hold counts by its own time, and one without a time is refused', () => {
    const event = (dueAt: string): NewswireEvent<'hold.due'> => ({ ...envelope, id: 'due-1', type: 'hold.due', data: { articleId, dueAt } })
    assert.equal(dueCause(event('2026-01-01T08:30:00+07:00'), articleId).at, '2026-01-01T01:30:00.000Z')
    assert.throws(() => dueCause(event('bao giờ'), articleId), code('NEWSWIRE_DESK_DUE'))
  })
})
