/** Every way of delivering to an outlet: one file each, and a row here beside its schema in `@newswire/events/deliver`. */
import type { DeliverKind } from '@newswire/events/deliver'
import type { Delivery, DeliveryNeeds } from './delivery.ts'
import { createPurge } from './purge.ts'
import { createS3Drop } from './s3-drop.ts'
import { createSftpDrop } from './sftp-drop.ts'
import { createWebhook } from './webhook.ts'

type Makers = { [K in DeliverKind]: (needs: DeliveryNeeds) => Delivery<K> }

const makers: Makers = {
  webhook: createWebhook,
  s3: createS3Drop,
  sftp: createSftpDrop,
  purge: createPurge,
}

/** All kinds, made once for a process. */
export const createDeliveries = (needs: DeliveryNeeds): Required<Delivery<DeliverKind>> => {
  const made = new Map(
    Object.entries(makers).map(([kind, make]) => [kind, (make as Makers[DeliverKind])(needs) as unknown as Delivery<DeliverKind>]),
  )
  return {
    deliver: (parcel, mayStill) => {
      const delivery = made.get(parcel.outlet.deliver.kind)
      if (delivery === undefined) throw new Error(`nobody delivers by ${parcel.outlet.deliver.kind}`)
      return delivery.deliver(parcel, mayStill)
    },
    test: async (outlet, requestId) =>
      (await made.get(outlet.deliver.kind)?.test?.(outlet, requestId)) ?? {
        kind: 'refused',
        reason: `there is no test delivery by ${outlet.deliver.kind}`,
      },
    close: async () => void (await Promise.all([...made.values()].map(one => one.close?.()))),
  }
}
