/** The wish for a new search index, as one small object: the console writes it, every gateway takes it up and says in it how far it is. */
import { RejectError } from '@newswire/events/errors'
import { z } from 'zod'
import { amendDocument, type Document, getDocument } from './documents.ts'
import { keys } from './keys.ts'
import type { Objects } from './objects.ts'

export const searchSources = ['log', 'archive'] as const

const searchProgress = z.object({
  /** Of one process, made when it started. */
  gateway: z.string(),
  state: z.enum(['running', 'done', 'failed']),
  /** Versions read so far. */
  articles: z.int().min(0),
  reason: z.string().optional(),
})
type SearchProgress = z.output<typeof searchProgress>

const searchWanted = z.object({
  n: z.int(),
  id: z.string(),
  requestedAt: z.string(),
  /** From the log alone, or first from everything that is archived. */
  source: z.enum(searchSources),
  gateways: z.array(searchProgress),
})
export type SearchWanted = z.output<typeof searchWanted>

/** Processes that say how far they are; more only work. */
const MAX_GATEWAYS = 100

export const readSearchWanted = (objects: Pick<Objects, 'get'>): Promise<Document<SearchWanted> | null> =>
  getDocument(objects, keys.searchWanted(), searchWanted)

/** `null` from `change`: leave it as it is. Throws `RejectError` `NEWSWIRE_REBUILD_RACE` when others change it again and again. */
const changeWanted = async (
  objects: Pick<Objects, 'get' | 'put'>,
  change: (wanted: SearchWanted | null) => Omit<SearchWanted, 'n'> | null,
): Promise<void> => {
  const lost = () =>
    new RejectError('NEWSWIRE_REBUILD_RACE', 'what is wanted of the search index was changed by others again and again; try once more')
  await amendDocument(objects, keys.searchWanted(), searchWanted, change, { lost })
}

/** Asks every gateway for a new index. An earlier wish is replaced: who works on it finishes, and begins again. */
export const wantSearch = (
  objects: Pick<Objects, 'get' | 'put'>,
  wish: Pick<SearchWanted, 'id' | 'requestedAt' | 'source'>,
): Promise<void> => changeWanted(objects, () => ({ ...wish, gateways: [] }))

/** Says how far one gateway is. A newer wish is left alone. */
export const tellSearch = (objects: Pick<Objects, 'get' | 'put'>, id: string, progress: SearchProgress): Promise<void> =>
  changeWanted(objects, wanted => {
    if (wanted === null || wanted.id !== id) return null
    const others = wanted.gateways.filter(({ gateway }) => gateway !== progress.gateway)
    return { ...wanted, gateways: [...others, progress].slice(-MAX_GATEWAYS) }
  })
