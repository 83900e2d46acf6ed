/** Everything below a prefix, a page at a time. */
import type { ListedObject, Objects } from './objects.ts'

/** What a store gives at once. */
const PAGE = 1000

/** Never yields an empty page. What is put or deleted while it goes on may be missing, or still there. */
export async function* listPages(objects: Pick<Objects, 'list'>, prefix: string): AsyncGenerator<readonly ListedObject[]> {
  for (let startAfter: string | undefined; ; ) {
    const page = await objects.list(prefix, { limit: PAGE, ...(startAfter === undefined ? {} : { startAfter }) })
    if (page.length > 0) yield page
    startAfter = page.at(-1)?.key
    if (page.length < PAGE || startAfter === undefined) return
  }
}

/** The keys of all of it. */
export const listKeys = async (objects: Pick<Objects, 'list'>, prefix: string): Promise<string[]> => {
  const keys: string[] = []
  for await (const page of listPages(objects, prefix)) keys.push(...page.map(one => one.key))
  return keys
}
