/** The proof of a retraction: where it was looked for, and who said that they took it back. */
import { z } from 'zod'

/** Who asks under this name looks whether something is gone: it is no reader of feeds, and how long it stays away says nothing about readers. */
export const PROBE_AGENT = 'Newswire-probe/0.1'

/** Where a retracted article could still be seen. */
export const exitKinds = ['feed', 'feed-page', 'page', 'document', 'list', 'search', 'rendition'] as const
export type ExitKind = (typeof exitKinds)[number]

/** A retraction was proved: gone from so many exits, acknowledged by so many outlets. Kept for good with the other milestones. */
export const provedGone = { version: z.int(), exits: z.int(), outlets: z.int() }

export type ExitState = 'gone' | 'visible' | 'unknown'

export type ExitResult = Readonly<{
  kind: ExitKind
  /** Path at the gateway; of a private feed the key in the store, where nobody but its readers can look. */
  address: string
  /** `unknown`: it could not be asked. */
  state: ExitState
  detail: string
  checkedAt: string
}>

export type OutletResult = Readonly<{
  id: string
  /** The first version that went there, where that is known. */
  first: number | null
  state: string
  acknowledgedAt: string | null
  attempts: number | null
  nextAt: string | null
  lastError: string | null
}>

/** `unproved`: something could not be asked, or was not asked yet. */
export type Verdict = 'gone' | 'visible' | 'waiting' | 'unproved'

export type RetractionProof = Readonly<{
  articleId: string
  version: number
  action: string
  retractedAt: string
  verdict: Verdict
  /** "Gone everywhere", or what is not, since when. */
  sentence: string
  outlets: readonly OutletResult[]
  exits: readonly ExitResult[]
  checkedAt: string | null
  /** When it was first proved gone everywhere. */
  provedAt: string | null
}>
