/**
 * Who names whom, in the view of `articles`, and which articles should be released once more because of it. Those that may be are kept in a table of their
 * own, filled in the transaction that saw the change: so a difference outlives the process, and is found again for as long as it is one.
 */
import type { DatabaseSync } from 'node:sqlite'
import { isOutdated, type Naming, type Standing, type StandingOf, targetsOf } from './references.ts'

export const REFERRERS = `CREATE TABLE names (article TEXT PRIMARY KEY, naming TEXT NOT NULL) STRICT;
CREATE TABLE refers (article TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (article, target)) STRICT, WITHOUT ROWID;
CREATE INDEX refers_to ON refers (target, article);
CREATE TABLE unsettled (article TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;`

/** An article that may have to be released once more. */
export type Unsettled = Readonly<{ articleId: string; version: number; isOutdated: boolean }>

type Row = Readonly<{ article: string; newest: number; naming: string | null }>

/** Over a database that has `REFERRERS` beside the table `seen`. */
export const openReferrers = (db: DatabaseSync) => {
  const findStanding = db.prepare('SELECT standing FROM seen WHERE article = ?')
  const addNaming = db.prepare('INSERT INTO names (article, naming) VALUES (?, ?)')
  const dropNaming = db.prepare('DELETE FROM names WHERE article = ?')
  const addTarget = db.prepare('INSERT OR IGNORE INTO refers (article, target) VALUES (?, ?)')
  const dropTargets = db.prepare('DELETE FROM refers WHERE article = ?')
  const unsettleReferrers = db.prepare('INSERT OR IGNORE INTO unsettled SELECT article FROM refers WHERE target = ?')
  const unsettle = db.prepare('INSERT OR IGNORE INTO unsettled VALUES (?)')
  const settle = db.prepare('DELETE FROM unsettled WHERE article = ?')
  const after = db.prepare(`SELECT article, newest, naming FROM unsettled JOIN seen USING (article) LEFT JOIN names USING (article)
    WHERE article > ? ORDER BY article LIMIT ?`)

  const standingOf: StandingOf = articleId => (findStanding.get(articleId) as { standing: Standing } | undefined)?.standing ?? null

  const isBehind = (naming: string | null): boolean => naming !== null && isOutdated(JSON.parse(naming) as Naming, standingOf)

  return {
    standingOf,
    /** Within the view's transaction: the article is, or is no more, what others may name. True when one of them may have to be told. */
    onStanding: (articleId: string): boolean => Number(unsettleReferrers.run(articleId).changes) > 0,
    /** Within the view's transaction, with the newest version of an article. True when it should be released once more. */
    onNaming: (naming: Naming, isFirst: boolean): boolean => {
      const { articleId, names } = naming
      const wasNaming = !isFirst && Number(dropNaming.run(articleId).changes) > 0
      if (wasNaming) dropTargets.run(articleId)
      if (names.length > 0) {
        addNaming.run(articleId, JSON.stringify(naming))
        for (const name of names) for (const target of targetsOf(name, naming)) addTarget.run(articleId, target)
      }
      const isNow = names.length > 0 && isOutdated(naming, standingOf)
      if (isNow) unsettle.run(articleId)
      else if (wasNaming) settle.run(articleId)
      return isNow
    },
    /** Those after `articleId`, in their order. What turns out to be as it should be is not there any more the next time. */
    unsettledAfter: (articleId: string, limit: number): readonly Unsettled[] =>
      (after.all(articleId, limit) as Row[]).map(({ article, newest, naming }) => {
        const isOutdatedNow = isBehind(naming)
        if (!isOutdatedNow) settle.run(article)
        return { articleId: article, version: newest, isOutdated: isOutdatedNow }
      }),
  }
}
