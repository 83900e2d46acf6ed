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

/** `released`: as it stands now. */
export const findStandingDoubts = (submission: Submission, released: Released): readonly Warning[] =>
  submission.command === 'retract' ? findLegal(submission.retraction, released) : []
