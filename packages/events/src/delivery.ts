/** Facts about deliveries to outlets. */
import { z } from 'zod'

/** Thin intent: outlet X wants article A at `version` or newer. The state is read when it is sent. */
export const deliveryWanted = z.object({ outletId: z.string(), articleId: z.string(), version: z.int() })
export type DeliveryWanted = z.output<typeof deliveryWanted>
