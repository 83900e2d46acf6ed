import { type ArticleEvent, follow } from '@newswire/events/events'
import type { Fact } from '@newswire/events/fact'
import { deriveId } from '@newswire/events/ids'
import type { EventContext, Publish } from '@newswire/log/events'
import type { Objects } from '@newswire/objects/objects'
import { keepVersion } from './keep.ts'
import type { PackedHashes } from './packed-hashes.ts'

type Needs = Readonly<{
  objects: Objects
  packed: PackedHashes
  isPurged: (articleId: string) => boolean
  /** Removes what was kept of the article before. */
  purge: (fact: Extract<Fact, { state: 'purged' }>) => Promise<void>
  publish: Publish
  now: () => number
  onKept: (event: ArticleEvent) => void
}>

/** Archives the version, then says so. Safe to repeat: the object is immutable, the milestone's id comes from the version. */
export const onArticleReleased =
  ({ objects, packed, isPurged, purge, publish, now, onKept }: Needs) =>
  async (event: ArticleEvent, _context: EventContext): Promise<void> => {
    const { articleId, version } = event.data
    const beganAt = now()
    await keepVersion({ objects, packed, isPurged }, { eventId: event.id, time: event.time, fact: event.data })
    if (event.data.state === 'purged') await purge(event.data)
    const doneAt = now()
    await publish([
      follow(event, {
        type: 'milestone.reached',
        id: deriveId('archived', articleId, version),
        source: '/services/archive',
        subject: articleId,
        time: new Date(doneAt).toISOString(),
        data: {
          kind: 'sink',
          articleId,
          version,
          at: new Date(doneAt).toISOString(),
          ms: doneAt - beganAt,
          sink: { kind: 'archive', id: 'archive' },
          state: 'done',
        },
      }),
    ])
    onKept(event)
  }
