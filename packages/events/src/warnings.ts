/** What a submission was taken with, and perhaps not meant: told in the answer, and kept as words with the milestone of its taking. Pure. */

/** `pointer`: RFC 6901, into what was sent; empty for all of it. */
export type Warning = Readonly<{ pointer: string; detail: string }>

/** A line each; a pointer of ours has no space in it. */
export const toWarningText = (warnings: readonly Warning[]): string => warnings.map(one => `${one.pointer} ${one.detail}`).join('\n')

export const parseWarnings = (text: string): readonly Warning[] =>
  text.split('\n').flatMap(line => {
    const space = line.indexOf(' ')
    return space === 0 || (line.startsWith('/') && space > 0) ? [{ pointer: line.slice(0, space), detail: line.slice(space + 1) }] : []
  })
