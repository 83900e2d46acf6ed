/** Where a picture is cut for a shape, so that what matters stays in it. Pure. */

export type Size = Readonly<{ width: number; height: number }>
/** A place in a picture, as shares of its width and height. */
export type Focus = Readonly<{ x: number; y: number }>
type Box = Readonly<{ left: number; top: number; width: number; height: number }>

const within = (value: number, most: number): number => Math.min(Math.max(0, value), most)

/** The largest part of `source` that has the shape of `shape`, with `focus` as near to its middle as the edges let it. */
export const cropBox = (source: Size, shape: Size, focus: Focus): Box => {
  const scale = Math.min(source.width / shape.width, source.height / shape.height)
  const width = Math.max(1, Math.min(source.width, Math.round(shape.width * scale)))
  const height = Math.max(1, Math.min(source.height, Math.round(shape.height * scale)))
  return {
    left: within(Math.round(focus.x * source.width - width / 2), source.width - width),
    top: within(Math.round(focus.y * source.height - height / 2), source.height - height),
    width,
    height,
  }
}

/** The size that a crop is shown at: the shape's, or the cut part's own where that is smaller (nothing is enlarged). */
export const cropSize = (box: Size, shape: Size): Size => (box.width < shape.width ? { width: box.width, height: box.height } : shape)
