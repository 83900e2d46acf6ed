/** Which part of its time this thread's event loop was busy of late, 0 to 1, looked at anew when `everyMs` have passed at least; 0 until then. */
export const followUtilization = (
  everyMs: number,
  look: typeof performance.eventLoopUtilization = performance.eventLoopUtilization,
): (() => number) => {
  let last = look()
  let now = 0
  return () => {
    const { idle, active, utilization } = look(last)
    if (idle + active < everyMs) return now
    last = look()
    now = utilization
    return now
  }
}
