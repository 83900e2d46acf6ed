/** The configuration in force, kept current by following `config-changes`; the objects under `config/` are the truth. */
import type { CategoryConfig, ConfigKind, FeedConfig, NetworkConfig, OutletConfig, PublisherConfig, SiteConfig } from '@newswire/events/config'

export type ConfigSnapshot = Readonly<{
  site: SiteConfig
  network: NetworkConfig
  publishers: ReadonlyMap<string, PublisherConfig>
  categories: ReadonlyMap<string, CategoryConfig>
  /** Feeds in force; retired ones are not here. */
  feeds: ReadonlyMap<string, FeedConfig>
  /** Outlets with retired ones (`retired: true`), because kills still go to them. */
  outlets: ReadonlyMap<string, OutletConfig>
}>

export type Configuration = Readonly<{
  current(): ConfigSnapshot
  /** Called after every change with the kinds that changed; returns how to stop being called. */
  onChange(listener: (changed: ReadonlySet<ConfigKind>) => void): () => void
  close(): Promise<void>
}>
