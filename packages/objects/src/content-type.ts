/** Content types by a key's ending: what we write ourselves. */
const TYPES: Readonly<Record<string, string>> = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  jsonl: 'application/x-ndjson',
  xml: 'application/xml',
  html: 'text/html; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  avif: 'image/avif',
  gif: 'image/gif',
  zst: 'application/zstd',
  gz: 'application/gzip',
}

/** The type that goes with a key's ending, else `application/octet-stream`. */
export const contentTypeOf = (key: string): string => {
  const name = key.slice(key.lastIndexOf('/') + 1)
  const ending = name.slice(name.lastIndexOf('.') + 1)
  return (Object.hasOwn(TYPES, ending) ? TYPES[ending] : undefined) ?? 'application/octet-stream'
}
