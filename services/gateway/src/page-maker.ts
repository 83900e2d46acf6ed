/** Pages from what is known now: made once for each state of view and configuration. */
import type { ConfigSnapshot, Configuration } from '@newswire/runtime/configuration'
import { HTML, pagePolicy } from './answers.ts'
import { createPageCache, type Page, type RenderedPage } from './page-cache.ts'
import type { View } from './view.ts'

export type PageMaker = Readonly<{
  config(): ConfigSnapshot
  /** What `render` gives, which must follow from view and configuration alone. */
  kept(key: string, render: (config: ConfigSnapshot) => Page): RenderedPage
}>

export const createPageMaker = (view: View, configuration: Pick<Configuration, 'current'>): PageMaker => {
  const cache = createPageCache()
  return {
    config: () => configuration.current(),
    kept: (key, render) => {
      const config = configuration.current()
      return cache.get(key, [view.revision(), view.isRead(), config], () => render(config))
    },
  }
}

type HtmlOptions = Readonly<{ config: ConfigSnapshot; robots?: string | null; script?: boolean; form?: boolean }>

/** `script`: it names the one script that we have. `form`: it has the search form. `robots` is said in the header too, for who does not read pages. */
export const toHtmlPage = (text: string, { config, robots = null, script = false, form = false }: HtmlOptions): Page => ({
  text,
  type: HTML,
  headers: {
    'content-security-policy': pagePolicy(config.site, { script, form }),
    ...(robots === null ? {} : { 'x-robots-tag': robots }),
  },
})

/** For programs and for no search engine. */
export const toJsonPage = (value: unknown): Page => ({
  text: JSON.stringify(value),
  type: 'application/json; charset=utf-8',
  headers: { 'x-robots-tag': 'noindex' },
})
