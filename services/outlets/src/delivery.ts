/** What every way of delivering to an outlet is given, and what it gives: `kinds.ts` is the table of them. */

import type { FeedConfig } from '@newswire/events/config'
import type { DeliverKind } from '@newswire/events/deliver'
import type { Objects } from '@newswire/objects/objects'
import type { Outbound, OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import type { DocumentContext } from './document-format.ts'
import type { Outcome } from './machine.ts'
import type { Deliver, OutletBy } from './parcel.ts'
import type { Post } from './signing.ts'
import type { KeyNeeds } from './signing-keys.ts'

/** What a kind is given to work with. */
export type DeliveryNeeds = Readonly<{
  /** A guarded request with the engine's deadline; reset when the service is in a hurry to stop. */
  request: (request: OutboundRequest) => Promise<OutboundResult>
  /** A signed POST, guarded and reset alike; with many of them by a thread of its own. The answer's body is not read. */
  post: (post: Post) => Promise<OutboundResult>
  /** A guarded connection for what is no HTTP. */
  connect: Outbound['connect']
  /** How long the other side may take for an answer. */
  timeoutMs: number
  /** The value of an environment variable; `undefined` when it is not set. */
  secret: (name: string) => string | undefined
  /** Secrets that were made for an outlet (default: none), and what opens them. */
  signingOf?: KeyNeeds['signingOf']
  sealing?: KeyNeeds['sealing']
  /** What documents are made with beside the article itself. */
  context: () => DocumentContext
  /** Our own store: where renditions are. */
  objects: Pick<Objects, 'get' | 'list'>
  /** Feeds in force. */
  feeds: () => ReadonlyMap<string, FeedConfig>
  /** `NEWSWIRE_RETRY_SCALE`: what every wait is multiplied by. */
  scale: number
  now: () => number
}>

/** A kind at work. */
export type Delivery<K extends DeliverKind> = Readonly<{
  deliver: Deliver<K>
  /** Sends something that is no article, once, to see whether the outlet can be reached and takes it (default: this kind cannot). Never throws for what the outlet does. */
  test?(outlet: OutletBy<K>, requestId: string): Promise<Outcome>
  /** Lets go of what it keeps open. Twice is once. */
  close?(): Promise<void>
}>
