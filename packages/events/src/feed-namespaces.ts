/** The XML namespaces of what a feed of ours says, by the prefix that it has there. Feeds are written with them, and read again by an import. */
export const feedNamespaces = {
  atom: 'http://www.w3.org/2005/Atom',
  at: 'http://purl.org/atompub/tombstones/1.0',
  content: 'http://purl.org/rss/1.0/modules/content/',
  dc: 'http://purl.org/dc/elements/1.1/',
  dcterms: 'http://purl.org/dc/terms/',
  media: 'http://search.yahoo.com/mrss/',
  /** Ours; services/feeds/README.md says what is in it. */
  nw: 'urn:x-newswire:feed:1',
} as const
