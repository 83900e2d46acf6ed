/** `current/<article id>.json`: the article now. Only the desk reads all of it; everybody else reads `released`. */
import { z } from 'zod'
import { fact } from './fact.ts'

/** The part others may see. `null` when nothing was ever released, or nothing of it is known. */
export const releasedPart = z.object({ released: z.object({ fact }).nullable() })
export type Released = z.output<typeof releasedPart>['released']
