/** What strangers wrote (titles, reasons, what a record held), as it may go to a terminal. */

/** Our own colours (`show.ts`) and their end stay, whoever writes them: they hide nothing, as black or white would on a ground of the same. */
const COLOURS = /\u001b\[(?:3[1239]|90)m/
/** Controls but new lines and tabs, which a terminal obeys; and what turns the direction of the text around it. */
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
const SOUGHT = new RegExp(`${COLOURS.source}|${OBEYED.source}`, 'g')

/** `text` with these as JSON writes them (`\u001b`), so that JSON says the same as before. */
export const printable = (text: string): string =>
  text.replace(SOUGHT, found => (found.length > 1 ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`))
