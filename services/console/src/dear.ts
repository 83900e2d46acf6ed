/**
 * Questions that are asked once a second by every open page, and whose cost grows with what was ever published. They are answered on the thread that takes
 * articles in: what is dear is kept for many times as long as it took, so that all who ask it together have a small share of that thread.
 */

/** CPU of one answer above which it is kept, ms. Cheap ones are always of now. */
const DEAR_MS = 50
/** It is kept for so many times what it took. */
const TIMES = 50
/** Questions of which an answer is kept. */
const MOST = 32

type Dear<T> = (question: string, ask: () => T) => T

/** `cpuMs`: CPU of this thread; `nowMs`: a steady clock. */
export const keptWhileDear = <T>(
  cpuMs: () => number = () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  },
  nowMs: () => number = () => performance.now(),
): Dear<T> => {
  const kept = new Map<string, Readonly<{ untilMs: number; answer: T }>>()
  return (question, ask) => {
    const known = kept.get(question)
    if (known !== undefined && nowMs() < known.untilMs) return known.answer
    kept.delete(question)
    const beganMs = cpuMs()
    const answer = ask()
    const tookMs = cpuMs() - beganMs
    if (tookMs < DEAR_MS) return answer
    kept.set(question, { untilMs: nowMs() + tookMs * TIMES, answer })
    const oldest = kept.keys().next().value
    if (kept.size > MOST && oldest !== undefined) kept.delete(oldest)
    return answer
  }
}
