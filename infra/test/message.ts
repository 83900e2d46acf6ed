/** The words of an error on one line, short enough for a summary. */
export const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .slice(0, 400)
