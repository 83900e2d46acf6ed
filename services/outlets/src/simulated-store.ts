/** The objects of a simulated world. Their names are kept in order: a page of a listing costs what is on it, not what there is. */
type SimulatedObject = Readonly<{ bytes: Uint8Array; etag: string; lastModified: Date }>

export const createSimulatedStore = () => {
  const objects = new Map<string, SimulatedObject>()
  const names: string[] = []

  /** Where a name stands, or would stand. */
  const placeOf = (name: string): number => {
    let [low, high] = [0, names.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((names[middle] as string) < name) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    get: (key: string) => objects.get(key),
    set: (key: string, object: SimulatedObject) => {
      if (!objects.has(key)) names.splice(placeOf(key), 0, key)
      objects.set(key, object)
    },
    delete: (key: string) => {
      if (objects.delete(key)) names.splice(placeOf(key), 1)
    },
    /** In the order of their names, those after `startAfter`, at most `limit`. */
    list: (prefix: string, { startAfter = '', limit = Number.POSITIVE_INFINITY } = {}): [key: string, object: SimulatedObject][] => {
      const found: [string, SimulatedObject][] = []
      let at = placeOf(startAfter > prefix ? startAfter : prefix)
      if (names[at] === startAfter) at += 1
      for (let name = names[at]; name?.startsWith(prefix) && found.length < limit; name = names[++at])
        found.push([name, objects.get(name) as SimulatedObject])
      return found
    },
  }
}
