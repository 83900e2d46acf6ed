/** The answer of an expensive question, for all who ask within `ms` of it. */
export const keptFor = <T>(ms: number, ask: () => Promise<T>): (() => Promise<T>) => {
  let kept: { at: number; answer: Promise<T> } | null = null
  return () => {
    if (kept !== null && performance.now() - kept.at < ms) return kept.answer
    const answer = ask()
    kept = { at: performance.now(), answer }
    // A failure is not kept: the next who asks tries again.
    answer.catch(() => {
      if (kept?.answer === answer) kept = null
    })
    return answer
  }
}
