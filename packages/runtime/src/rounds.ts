/** Work that is done in rounds, one at a time: when it is asked for, every so often, and again soon after it failed. */
export type Rounds = Readonly<{
  /** Now when idle, once more after the one under way. */
  request(): void
  /** After `everyMs`, where the work has just been done. */
  later(): void
  stop(): Promise<void>
}>

export const createRounds = (options: {
  run: (signal: AbortSignal) => Promise<unknown>
  everyMs: number
  retryMs: number
  /** `signal` is aborted when it failed because it was stopped, or while it was. */
  onError: (error: unknown, signal: AbortSignal) => void
}): Rounds => {
  const { run, everyMs, retryMs, onError } = options
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | null = null
  let again = false

  const schedule = (ms: number) => {
    clearTimeout(timer)
    if (stopping.signal.aborted) return
    timer = setTimeout(request, ms)
    timer.unref()
  }
  const once = async (): Promise<void> => {
    try {
      await run(stopping.signal)
      schedule(everyMs)
    } catch (error) {
      onError(error, stopping.signal)
      schedule(retryMs)
    }
  }
  const request = () => {
    if (stopping.signal.aborted) return
    if (running !== null) {
      again = true
      return
    }
    running = once().finally(() => {
      running = null
      if (!again) return
      again = false
      request()
    })
  }
  return {
    request,
    later: () => schedule(everyMs),
    stop: async () => {
      stopping.abort()
      clearTimeout(timer)
      await running
    },
  }
}
