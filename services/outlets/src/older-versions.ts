/** For outlets that want every version: those that are no longer the newest, from the archive, but none that was taken back since. */
import type { Fact } from '@newswire/events/fact'

/** One version from the archive; `null` while it is not there. */
type ReadVersion = (articleId: string, version: number) => Promise<Fact | null>
/** Version `want`, or the newest retraction between it and `latest`, which takes its place; `null` while one of them is not in the archive. */
export type ReadOlder = (articleId: string, want: number, latest: number) => Promise<Fact | null>

const MOST_KNOWN = 10_000

/** A version never changes once it is archived, so each is looked at for a retraction once. */
export const createOlderVersions = (readVersion: ReadVersion): ReadOlder => {
  const live = new Set<string>()
  return async (articleId, want, latest) => {
    for (let version = latest - 1; version > want; version--) {
      const name = `${articleId}/${version}`
      if (live.has(name)) continue
      const fact = await readVersion(articleId, version)
      if (fact === null || fact.state !== 'live') return fact
      if (live.size >= MOST_KNOWN) live.clear()
      live.add(name)
    }
    return readVersion(articleId, want)
  }
}
