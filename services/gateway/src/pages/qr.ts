/** An address as a QR code, for who holds the paper: drawn in the page itself, so that it needs no picture and no script. The one importer of `uqr`. */
import { escapeMarkup } from '@newswire/events/text'
import { encode } from 'uqr'

/** Characters: more make modules so small that a phone cannot read them off a printed page. */
const MAX_LENGTH = 300
/** Modules of white around it (ISO/IEC 18004 §9.1). */
const QUIET = 4

/** Dark modules as one path, a rectangle for each run of a row. */
const toPath = (rows: readonly (readonly boolean[])[]): string => {
  let path = ''
  for (const [y, row] of rows.entries())
    for (let x = 0; x < row.length; x += 1) {
      if (row[x] !== true || row[x - 1] === true) continue
      let end = x
      while (row[end] === true) end += 1
      path += `M${x} ${y}h${end - x}v1h-${end - x}z`
    }
  return path
}

/** `label`: what a screen reader says. Empty for an address that is too long to be read again. Black on white in every scheme, or scanners fail. */
export const toQrCode = (address: string, label: string): string => {
  if (address.length > MAX_LENGTH) return ''
  const { data, size } = encode(address, { ecc: 'M', border: QUIET })
  return `<svg class="qr" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" width="112" height="112" shape-rendering="crispEdges" role="img" aria-label="${escapeMarkup(label)}"><rect width="${size}" height="${size}" fill="#fff"/><path fill="#000" d="${toPath(data)}"/></svg>`
}
