/** Which feeds render alike. */
import { canonicalSha256 } from '@newswire/events/canonical'
import type { FeedConfig } from '@newswire/events/config'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import type { Profile } from './item.ts'

/** The profile of a feed under a configuration. The same snapshot and kind of content give the same object. */
export const createProfiles = (): ((snapshot: ConfigSnapshot, feed: FeedConfig) => Profile) => {
  const made = new WeakMap<ConfigSnapshot, Map<FeedConfig['content'], Profile>>()
  return (snapshot, { content }) => {
    const ofSnapshot = made.get(snapshot) ?? new Map<FeedConfig['content'], Profile>()
    made.set(snapshot, ofSnapshot)
    const known = ofSnapshot.get(content)
    if (known) return known
    const { site, categories, publishers } = snapshot
    const names = [...publishers.values()].map(({ id, name, pages }) => [id, name, pages])
    const key = canonicalSha256([content, site.id, site.publicUrl, site.language, site.title, [...categories.values()], names]).slice(0, 16)
    const profile: Profile = { key, site, categories, publishers, content }
    ofSnapshot.set(content, profile)
    return profile
  }
}
