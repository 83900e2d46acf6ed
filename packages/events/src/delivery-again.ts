/** The intent of a delivery that somebody asked for once more: by a replay of an outlet, or a resend of an article. */
import type { NewswireEvent } from './events.ts'
import { deriveId } from './ids.ts'

/** `id`: of what was asked. The same of the same version is the same intent. */
type Again = Readonly<{ id: string; outletId: string; at: string; source: string }>
export type WantedAgain = Readonly<{ articleId: string; version: number; kill: boolean }>

export const toAgain = (
  { id, outletId, at, source }: Again,
  { articleId, version, kill }: WantedAgain,
): NewswireEvent<'delivery.wanted'> => ({
  type: 'delivery.wanted',
  id: deriveId('again', outletId, id, articleId, version),
  source,
  subject: outletId,
  time: at,
  data: { outletId, articleId, version, again: id, ...(kill ? { kill, action: 'retracted' as const } : {}) },
})
