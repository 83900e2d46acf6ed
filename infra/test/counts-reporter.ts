/** A reporter for `node --test` that writes one line of JSON for each skipped test and, last, one with the counts of the whole run. */
import type { TestEvent } from 'node:test/reporters'

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    if (event.type === 'test:pass' && event.data.skip !== undefined && event.data.skip !== false) {
      yield `${JSON.stringify({ skipped: event.data.name, reason: event.data.skip === true ? '' : event.data.skip })}\n`
    }
    if (event.type === 'test:summary' && event.data.file === undefined) yield `${JSON.stringify({ counts: event.data.counts })}\n`
  }
}
