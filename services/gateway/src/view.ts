/** The gateway's own view of `articles`: what the public may see now, what it may no longer see, and which pictures that takes. */
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { type Fact, isPublic, type LiveFact } from '@newswire/events/fact'
import { isInForce, toFactForAll } from '@newswire/events/public-article'
import { topics } from '@newswire/events/topics'
import type { Log } from '@newswire/log/log'
import { openProjection, type Projection } from '@newswire/log/projection'
import { inTransaction } from '@newswire/log/transaction'
import { factOf, type OnPoison } from './facts-of-records.ts'
import { toInstant } from './paging.ts'
import { createQueries, type Queries } from './view-queries.ts'

const schema = `
-- Facts are kept without pictures that are not for all, in their body too. With numbers for rows: a fact is larger than a page, and would be in the way of every look for an id.
CREATE TABLE article (id TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL, released_at TEXT NOT NULL, publisher TEXT NOT NULL, language TEXT, type TEXT, translation_of TEXT, fact TEXT NOT NULL) STRICT;
-- What is asked of the most articles at once, without their facts.
CREATE INDEX article_standing ON article (id, version, state);
CREATE INDEX article_public ON article (released_at, id) WHERE state = 'public';
CREATE INDEX article_translation ON article (translation_of) WHERE translation_of IS NOT NULL;
CREATE TABLE article_category (category TEXT NOT NULL, released_at TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (category, released_at, id)) STRICT, WITHOUT ROWID;
CREATE INDEX category_by_article ON article_category (id, category);
CREATE TABLE picture (sha256 TEXT NOT NULL, article TEXT NOT NULL, for_all INTEGER NOT NULL, PRIMARY KEY (sha256, article)) STRICT, WITHOUT ROWID;
CREATE INDEX picture_by_article ON picture (article);
-- What a publisher called its article, now and before: <publisher>.<slug>.
CREATE TABLE slug (name TEXT NOT NULL, article TEXT NOT NULL, is_now INTEGER NOT NULL, PRIMARY KEY (name, article)) STRICT, WITHOUT ROWID;
CREATE TABLE picture_ever (sha256 TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`

/** `gone`: was public once. What was never public is `hidden`, and nobody is told that it exists. */
export type Seen = Readonly<{ state: 'public'; fact: LiveFact }> | Readonly<{ state: 'gone'; fact: Fact }>

export type View = Queries &
  Readonly<{
    article(articleId: string): Seen | null
    isPublic(articleId: string): boolean
    /** The article that has, or once had, this `<publisher>.<slug>` while it was public; who has it now comes first. */
    named(name: string): string | null
    /** Whether a public article shows this source picture to everybody now, once did, has it for certain outlets alone and always had, or never. */
    picture(sha256: string): 'shown' | 'gone' | 'restricted' | 'unknown'
    /** A public article that has the picture now, one that shows it to everybody first. */
    shownBy(sha256: string): string | null
    isReady(): boolean
    /** Whether it has reached the log since the start, also while it cannot be written (a full disk): what it has then is what was public a moment ago. */
    isRead(): boolean
    /**
     * A fact that the store has, which is never behind the log: what the log tells later of this version, or of older ones, is known then. Whether it was
     * news.
     */
    take(fact: Fact): boolean
    /** Lets the view reach what is in the log now. */
    caughtUp(signal: AbortSignal): Promise<void>
    /** Rises whenever something was applied: as long as it stays, every answer stays. */
    revision(): number
    failure(): Error | null
    stop(): Promise<void>
  }>

const stateOf = (fact: Fact): 'public' | 'gone' | 'hidden' => (isPublic(fact) ? 'public' : fact.facetsEver.public ? 'gone' : 'hidden')

/** What the public may see of a fact, wherever it was read; `null`: that it exists is told to nobody. */
export const toSeen = (told: Fact): Seen | null => {
  const state = stateOf(told)
  if (state === 'hidden') return null
  return state === 'public' && told.state === 'live' ? { state, fact: toFactForAll(told) } : { state: 'gone', fact: told }
}

const writer = (db: DatabaseSync) => {
  const known = db.prepare('SELECT version FROM article INDEXED BY article_standing WHERE id = ?')
  const put = db.prepare(
    'INSERT OR REPLACE INTO article (id, version, state, released_at, publisher, language, type, translation_of, fact) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const dropCategories = db.prepare('DELETE FROM article_category WHERE id = ?')
  const addCategory = db.prepare('INSERT OR IGNORE INTO article_category (category, released_at, id) VALUES (?, ?, ?)')
  const dropPictures = db.prepare('DELETE FROM picture WHERE article = ?')
  const addPicture = db.prepare('INSERT OR IGNORE INTO picture (sha256, article, for_all) VALUES (?, ?, ?)')
  const addPictureEver = db.prepare('INSERT OR IGNORE INTO picture_ever (sha256) VALUES (?)')
  const putSlug = db.prepare('INSERT OR REPLACE INTO slug (name, article, is_now) VALUES (?, ?, ?)')
  return (told: Fact) => {
    // Here and nowhere else, so that pages, lists, JSON and renditions cannot differ in what they show.
    const fact = told.state === 'live' ? toFactForAll(told) : told
    const before = known.get(fact.articleId) as { version: number } | undefined
    if (isPublic(fact)) for (const { sha256 } of fact.article.images) if (sha256 !== undefined) addPictureEver.run(sha256)
    // Also of a version that comes after a newer one, which the store may have told: its pictures were public.
    if (before !== undefined && before.version >= fact.version) return
    const state = stateOf(fact)
    const { language = null, type = null, translationOf = null } = isPublic(fact) ? fact.article : {}
    put.run(
      fact.articleId,
      fact.version,
      state,
      toInstant(fact.firstReleasedAt),
      fact.publisher,
      language,
      type,
      translationOf,
      JSON.stringify(fact),
    )
    if (before !== undefined) {
      dropPictures.run(fact.articleId)
      dropCategories.run(fact.articleId)
    }
    if (!isPublic(fact)) return
    for (const alias of fact.aliases) putSlug.run(`${fact.publisher}.${alias}`, fact.articleId, 0)
    if (fact.article.slug !== undefined) putSlug.run(`${fact.publisher}.${fact.article.slug}`, fact.articleId, 1)
    for (const category of fact.article.categories) addCategory.run(category, toInstant(fact.firstReleasedAt), fact.articleId)
    for (const { sha256 } of fact.article.images) if (sha256 !== undefined) addPicture.run(sha256, fact.articleId, 1)
    if (told.state !== 'live') return
    for (const image of told.article.images)
      if (image.sha256 !== undefined && isInForce(image, told.releasedAt)) addPicture.run(image.sha256, told.articleId, 0)
  }
}

/** How late a page may show what is in the log, ms. */
const PATIENCE_MS = 100

type ViewOptions = Readonly<{ log: Log; dataDir: string; onPoison: OnPoison }>

const lookUps = (projection: Projection): Pick<View, 'article' | 'isPublic' | 'named' | 'picture' | 'shownBy'> => {
  const { db } = projection
  const one = db.prepare('SELECT state, fact FROM article WHERE id = ?')
  const standing = db.prepare('SELECT state FROM article INDEXED BY article_standing WHERE id = ?')
  const slug = db.prepare('SELECT article FROM slug WHERE name = ? ORDER BY is_now DESC, article LIMIT 1')
  const shown = db.prepare('SELECT max(for_all) AS forAll FROM picture WHERE sha256 = ?')
  const shower = db.prepare('SELECT article FROM picture WHERE sha256 = ? ORDER BY for_all DESC LIMIT 1')
  const ever = db.prepare('SELECT 1 FROM picture_ever WHERE sha256 = ?')
  return {
    article: articleId => {
      const row = one.get(articleId) as { state: string; fact: string } | undefined
      if (row === undefined || row.state === 'hidden') return null
      const fact = JSON.parse(row.fact) as Fact
      if (row.state === 'public' && fact.state === 'live') return { state: 'public', fact }
      return { state: 'gone', fact }
    },
    isPublic: articleId => (standing.get(articleId) as { state: string } | undefined)?.state === 'public',
    named: name => (slug.get(name) as { article: string } | undefined)?.article ?? null,
    shownBy: sha256 => (shower.get(sha256) as { article: string } | undefined)?.article ?? null,
    picture: sha256 => {
      const { forAll } = shown.get(sha256) as { forAll: number | null }
      if (forAll === 1) return 'shown'
      if (ever.get(sha256) !== undefined) return 'gone'
      return forAll === 0 ? 'restricted' : 'unknown'
    },
  }
}

export const openView = async ({ log, dataDir, onPoison }: ViewOptions): Promise<View> => {
  let write: ReturnType<typeof writer> | undefined
  let revision = 0
  const writeAll = (db: DatabaseSync, facts: readonly Fact[]) => {
    write ??= writer(db)
    for (const fact of facts) write(fact)
    revision += 1
  }
  const projection = await openProjection({
    log,
    topic: topics.articles.name,
    file: join(dataDir, 'views', 'gateway-articles.db'),
    schema,
    patienceMs: PATIENCE_MS,
    apply: (db, records) =>
      writeAll(
        db,
        records.flatMap(record => factOf(record, onPoison) ?? []),
      ),
  })
  const { db } = projection
  const versionOf = db.prepare('SELECT version FROM article INDEXED BY article_standing WHERE id = ?')
  return {
    ...lookUps(projection),
    ...createQueries(db),
    take: fact => {
      const before = versionOf.get(fact.articleId) as { version: number } | undefined
      if (before !== undefined && before.version >= fact.version) return false
      inTransaction(db, () => writeAll(db, [fact]))
      return true
    },
    isReady: projection.isReady,
    isRead: projection.isRead,
    caughtUp: projection.caughtUp,
    revision: () => revision,
    failure: projection.failure,
    stop: projection.stop,
  }
}
