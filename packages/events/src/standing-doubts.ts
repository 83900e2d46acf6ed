/** What a submission cannot change of how its article stands, and is taken all the same: what is out may be older than what is on its way. Pure. */
import type { Released } from './current.ts'
import type { Retraction, Submission } from './submission.ts'
import type { Warning } from './warnings.ts'

const asksElse = ({ mode, redirectTo, notice }: Retraction, one: Retraction): boolean =>
  mode !== one.mode || (redirectTo ?? one.redirectTo) !== one.redirectTo || (notice ?? one.notice) !== one.notice

/** What a law asked for gives way to another that a law asks for, and to nothing else: the desk calls such a one a duplicate. */
const findLegal = (asked: Retraction, released: Released): readonly Warning[] => {
  if (released?.fact.state !== 'retracted') return []
  const { version, retraction } = released.fact
  if (!retraction.legal || asked.legal || !asksElse(asked, retraction)) return []
  const detail = `version ${version} took it back because a law asks for it, so readers and partners are told nothing else: only another retraction with "legal" (--legal) changes that`
  return [{ pointer: '/legal', detail }]
}

const findPurged = (released: Released): readonly Warning[] =>
  released?.fact.state === 'purged'
    ? [{ pointer: '', detail: 'it was purged for good, so it never comes out: publish under another id' }]
    : []

/** `released`: as it stands now. An import takes things as they are. */
export const findStandingDoubts = (submission: Submission, released: Released): readonly Warning[] => {
  if (submission.command === 'retract') return findLegal(submission.retraction, released)
  return submission.command === 'purge' || submission.lane === 'backfill' ? [] : findPurged(released)
}
