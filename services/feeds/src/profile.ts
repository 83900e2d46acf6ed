/** Which feeds render alike. */
import { canonicalSha256 } from '@newswire/events/canonical'
import type { FeedConfig } from '@newswire/events/config'
import type { ConfigSnapshot } from '@newswire/runtime/configuration'
import type { Profile } from './item.ts'

/** The profile of a feed under a configuration. Feeds of one snapshot that render alike get the same object. */
export const createProfiles = (): ((snapshot: ConfigSnapshot, feed: FeedConfig) => Profile) => {
  const made = new WeakMap<ConfigSnapshot, Map<string, Profile>>()
  return (snapshot, { content, profile: rules, language: stated }) => {
    const { site, categories, publishers } = snapshot
    // Only rules look at the language of the feed, and `standard` has none that does: its feeds share their fragments whatever they say.
    const language = rules === 'standard' ? site.language : (stated ?? site.language)
    const name = [content, rules, language].join(' ')
    const ofSnapshot = made.get(snapshot) ?? new Map<string, Profile>()
    made.set(snapshot, ofSnapshot)
    const known = ofSnapshot.get(name)
    if (known) return known
    const says = [...publishers.values()].map(({ id, name, pages }) => [id, name, pages])
    const key = canonicalSha256([name, site.id, site.publicUrl, site.language, site.title, [...categories.values()], says]).slice(0, 16)
    const profile: Profile = { key, site, categories, publishers, content, rules, language }
    ofSnapshot.set(name, profile)
    return profile
  }
}
