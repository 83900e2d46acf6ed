/** Waiting with an end. */

/** Rejects when `work` takes longer than `ms`. The work itself goes on, so use it only where nobody waits for that. */
export const within = async <T>(ms: number, what: string, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Asks every 100 ms until the answer is yes; rejects after `ms`. */
export const until = async (ms: number, what: string, ask: () => Promise<boolean>): Promise<void> => {
  const end = performance.now() + ms
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`${what} did not happen within ${ms / 1000} s`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
