/** Refusals as pages, for who asks with a browser. */
import type { RefusalPage } from '@newswire/http/refusals'
import type { Configuration } from '@newswire/runtime/configuration'
import { pagePolicy } from './answers.ts'
import { toFrame } from './page-data.ts'
import { toRefusalPage } from './pages/notice-page.ts'
import type { View } from './view.ts'

type Needs = Readonly<{ view: Pick<View, 'hasAny'>; configuration: Pick<Configuration, 'current'> }>

export const createRefusalPage =
  ({ view, configuration }: Needs): RefusalPage =>
  (problem, correlationId) => {
    const config = configuration.current()
    return {
      html: toRefusalPage(problem, correlationId, toFrame(view, config)),
      headers: { 'content-security-policy': pagePolicy(config.site), 'x-robots-tag': 'noindex' },
    }
  }
