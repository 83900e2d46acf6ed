/** Equal work that is wanted again while it is under way is done once, and all who want it get what came of it. */
export type Shared<T> = (key: string, work: () => Promise<T>) => Promise<T>

export const createShared = <T>(): Shared<T> => {
  const running = new Map<string, Promise<T>>()
  return (key, work) => {
    const known = running.get(key)
    if (known !== undefined) return known
    const begun = work().finally(() => running.delete(key))
    running.set(key, begun)
    return begun
  }
}
