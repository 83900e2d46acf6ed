import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FeedConfig, FeedProfile } from '@newswire/events/config'
import { feedProfiles } from '@newswire/events/config'
import { samplePicture } from '@newswire/events/sample-fact'
import { renderFragments } from './fragments.ts'
import { type FeedRule, findFeedBreach, type ItemRule, profiles } from './profiles.ts'
import { makeFact, makeProfile, makeRetraction } from './sample-facts.ts'

const MB = 1_000_000
const long = 'Một tiêu đề đủ dài cho mọi nơi đăng lại'
const good = { title: long, images: [samplePicture()] }
const under = (rules: FeedProfile) => makeProfile({ key: rules, rules })

/** For each item rule of each profile, an article that breaks it and nothing else. */
const breaking: Record<FeedProfile, Record<string, Parameters<typeof makeFact>[0]>> = {
  standard: { title: { article: { title: '\u0001' } } },
  msn: {
    'title-length': { article: { ...good, title: 'Mười chữ' } },
    age: {
      article: { ...good, publishedAt: '2025-02-28T00:00:00.000Z' },
    },
    'full-text': { article: { ...good, body: { html: `<p>${'x'.repeat(500_001)}</p>` } } },
    'html-depth': { article: { ...good, body: { html: `${'<blockquote>'.repeat(10)}x${'</blockquote>'.repeat(10)}` } } },
    language: { article: { ...good, language: 'en' } },
  },
  'google-news': { title: { article: { title: '\u0001' } }, language: { article: { language: 'en-GB' } } },
  smartnews: {
    title: { article: { title: '\u0001' } },
    'full-text': { article: { body: { html: `<p>${'x'.repeat(500_001)}</p>` } } },
    language: { article: { language: 'en' } },
  },
  flipboard: {
    title: { article: { ...good, title: '\u0001' } },
    'full-text': { article: { ...good, body: { html: `<p>${'x'.repeat(500_001)}</p>` } } },
    picture: { article: { title: long } },
  },
}

for (const name of feedProfiles) {
  test(`an article that keeps every rule of ${name} is shown, and what was taken back is held to none`, () => {
    assert.equal(renderFragments(makeFact({ article: good }), under(name)).ok, true)
    assert.equal(renderFragments(makeRetraction({ version: 2 }), under(name)).ok, true)
  })

  test(`each item rule of ${name} sets an article aside by its name, and has a test here`, () => {
    const rules: readonly ItemRule[] = profiles[name].items
    assert.deepEqual(rules.map(rule => rule.name).sort(), Object.keys(breaking[name]).sort())
    for (const [rule, changes] of Object.entries(breaking[name])) {
      const result = renderFragments(makeFact(changes), under(name))
      assert.ok(!result.ok, rule)
      assert.equal(result.code, 'NEWSWIRE_FEEDS_ITEM_RULE')
      assert.ok(result.reason.startsWith(`breaks ${rule} of profile ${name} `), result.reason)
    }
  })
}

test('each rule of a whole feed is broken by what it names, and kept one step before', () => {
  const feedOf = (profile: FeedProfile, changes: Partial<FeedConfig> = {}): FeedConfig => ({
    id: 'f',
    title: 'F',
    description: '',
    match: {},
    limit: 50,
    content: 'full',
    profile,
    ...changes,
  })
  const limits: Record<FeedProfile, number> = { standard: 15, msn: 15, 'google-news': 2, smartnews: 1, flipboard: 15 }
  for (const name of feedProfiles) {
    const sizes = { rss: 10, atom: 10, json: limits[name] * MB, sitemap: 10 }
    assert.equal(findFeedBreach(feedOf(name), sizes), null)
    const breach = findFeedBreach(feedOf(name), { ...sizes, json: sizes.json + 1 })
    assert.match(breach?.reason ?? '', new RegExp(`breaks file-size of profile ${name} .*json would have ${sizes.json + 1} bytes`))
    const rules: readonly FeedRule[] = profiles[name].feed
    const wantsWhole = rules.some(rule => rule.name === 'full-text')
    assert.equal(findFeedBreach(feedOf(name, { content: 'summary' }), sizes) !== null, wantsWhole)
  }
  assert.match(findFeedBreach(feedOf('flipboard', { limit: 29 }), { rss: 1, atom: 1, json: 1, sitemap: 1 })?.reason ?? '', /breaks limit/)
})

test('a title is counted as a person counts it: a letter with its marks is one', () => {
  const rule: ItemRule | undefined = profiles.msn.items[0]
  const titled = (title: string) => renderFragments(makeFact({ article: { ...good, title } }), under('msn'))
  assert.equal(rule?.name, 'title-length')
  assert.equal(titled('ế'.normalize('NFD').repeat(20)).ok, false)
  assert.equal(titled('ế'.normalize('NFD').repeat(21)).ok, true)
  const one = titled('A')
  assert.match(one.ok ? '' : one.reason, /the title has 1 character$/)
})
