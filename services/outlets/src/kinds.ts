/** Every way of delivering to an outlet: one file each, and a row here beside its schema in `@newswire/events/deliver`. */
import type { DeliverKind } from '@newswire/events/deliver'
import type { Objects } from '@newswire/objects/objects'
import type { OutboundRequest, OutboundResult } from '@newswire/outbound/outbound'
import type { DocumentContext } from './document.ts'
import type { Deliver } from './parcel.ts'
import { createS3Drop } from './s3-drop.ts'
import { createWebhook } from './webhook.ts'

/** What a kind is given to work with. */
export type DeliveryNeeds = Readonly<{
  /** A guarded request with the engine's deadline; reset when the service is in a hurry to stop. */
  request: (request: OutboundRequest) => Promise<OutboundResult>
  /** The value of an environment variable; `undefined` when it is not set. */
  secret: (name: string) => string | undefined
  /** What documents are made with beside the article itself. */
  context: () => DocumentContext
  /** Our own store: where renditions are. */
  objects: Pick<Objects, 'get'>
  now: () => number
}>

/** A kind at work. */
export type Delivery<K extends DeliverKind> = Readonly<{
  deliver: Deliver<K>
  /** Lets go of what it keeps open. Twice is once. */
  close?(): Promise<void>
}>

type Makers = { [K in DeliverKind]: (needs: DeliveryNeeds) => Delivery<K> }

const makers: Makers = {
  webhook: createWebhook,
  s3: createS3Drop,
}

/** All kinds, made once for a process. */
export const createDeliveries = (needs: DeliveryNeeds): Delivery<DeliverKind> => {
  const made = new Map(
    Object.entries(makers).map(([kind, make]) => [kind, (make as Makers[DeliverKind])(needs) as unknown as Delivery<DeliverKind>]),
  )
  return {
    deliver: (parcel, mayStill) => {
      const delivery = made.get(parcel.outlet.deliver.kind)
      if (delivery === undefined) throw new Error(`nobody delivers by ${parcel.outlet.deliver.kind}`)
      return delivery.deliver(parcel, mayStill)
    },
    close: async () => void (await Promise.all([...made.values()].map(one => one.close?.()))),
  }
}
