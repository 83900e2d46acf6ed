/** Time as it is known here: never runs backwards; `after` returns how to cancel. */
export type Clock = Readonly<{ now(): number; after(ms: number, run: () => void): () => void }>
