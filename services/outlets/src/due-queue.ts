/** Things and when they are due: a binary heap, earliest first. Equal times keep no order. */

export type DueQueue<T> = Readonly<{
  push(atMs: number, item: T): void
  peek(): Readonly<{ atMs: number; item: T }> | undefined
  pop(): void
}>

/** So many are kept before any is looked at. */
const FEW = 128

/** `stands`: what does not, and never will again, is let go of before it is more than half of what is kept (default: all stands). */
export const createDueQueue = <T>(stands?: (item: T) => boolean): DueQueue<T> => {
  let heap: { atMs: number; item: T }[] = []
  let most = FEW
  const time = (index: number) => heap[index]?.atMs ?? Number.POSITIVE_INFINITY
  const swap = (a: number, b: number) => {
    const first = heap[a]
    const second = heap[b]
    if (!first || !second) return
    heap[a] = second
    heap[b] = first
  }
  const sink = () => {
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const least = time(left) <= time(left + 1) ? left : left + 1
      if (time(least) >= time(at)) return
      swap(at, least)
      at = least
    }
  }
  const tidy = (isWanted: (item: T) => boolean) => {
    // A sorted array is a heap.
    heap = heap.filter(({ item }) => isWanted(item)).sort((a, b) => a.atMs - b.atMs)
    most = Math.max(FEW, 2 * heap.length)
  }
  return {
    push: (atMs, item) => {
      if (stands !== undefined && heap.length >= most) tidy(stands)
      heap.push({ atMs, item })
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1
        if (time(parent) <= time(at)) return
        swap(parent, at)
        at = parent
      }
    },
    peek: () => heap[0],
    pop: () => {
      const last = heap.pop()
      if (heap.length === 0 || last === undefined) return
      heap[0] = last
      sink()
    },
  }
}
