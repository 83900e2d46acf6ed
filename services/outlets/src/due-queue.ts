/** Things and when they are due: a binary heap, earliest first. Equal times keep no order. */

export type DueQueue<T> = Readonly<{
  push(atMs: number, item: T): void
  peek(): Readonly<{ atMs: number; item: T }> | undefined
  pop(): void
}>

export const createDueQueue = <T>(): DueQueue<T> => {
  const heap: { atMs: number; item: T }[] = []
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
  return {
    push: (atMs, item) => {
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
