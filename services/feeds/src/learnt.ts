/**
 * What a slow renderer writes, learnt from it: it is shown an item of each shape once, with stand-ins for the values, and what it writes around them
 * is kept. The renderer stays the author of every byte that is not a value; how it writes a value must be known. Pure, but for what it keeps.
 */

/** How one value is written, escaped as its place wants it; `''` when the item has none, and then the place may not be there. */
type Place<T> = Readonly<{
  write: (item: T) => string
  /** A value that is found nowhere else in what is written. */
  standIn: Partial<T>
}>

type Learnt<T> = Readonly<{
  /** Writes an item as the renderer does. Throws what it throws. */
  render: (item: T) => string
  /** An item without values. */
  blank: T
  /** In the order in which they are written. */
  places: readonly Place<T>[]
}>

/** The pieces between the stand-ins that the shape has. */
const learn = <T extends object>({ render, blank, places }: Learnt<T>, values: readonly string[]): readonly string[] => {
  const used = places.filter((_, index) => values[index] !== '')
  const standIn: T = Object.assign({ ...blank }, ...used.map(place => place.standIn))
  let rest = render(standIn)
  const pieces = used.map(place => {
    const [before, after, more] = rest.split(place.write(standIn))
    if (after === undefined || more !== undefined)
      throw new Error(
        `it cannot be told where ${JSON.stringify(place.standIn)} was written; another version of the renderer writes otherwise`,
      )
    rest = after
    return before as string
  })
  return [...pieces, rest]
}

/** Writes what `render` would, from what was learnt of it. */
export const createLearnt = <T extends object>(learnt: Learnt<T>): ((item: T) => string) => {
  const shapes = new Map<string, readonly string[]>()
  return item => {
    const values = learnt.places.map(place => place.write(item))
    const shape = values.map(value => (value === '' ? '-' : '+')).join('')
    const pieces = shapes.get(shape) ?? learn(learnt, values)
    shapes.set(shape, pieces)
    let next = 0
    return values.reduce((written, value) => (value === '' ? written : `${written}${pieces[next++]}${value}`), '') + pieces[next]
  }
}
