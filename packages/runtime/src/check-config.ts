/** Whether a configuration may be applied: every complaint at once, with its path, what was expected and what was found. */
import { type NewswireConfig, newswireConfig, withAncestors } from '@newswire/events/config'

export type Complaint = Readonly<{ path: string; expected: string; found: string }>
export type CheckedConfig = Readonly<{ ok: true; config: NewswireConfig }> | Readonly<{ ok: false; complaints: readonly Complaint[] }>

const toPath = (path: readonly PropertyKey[]): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`)).join('') || 'the file'

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inside, part) => (inside as Record<PropertyKey, unknown> | null | undefined)?.[part], value)

const show = (value: unknown): string => (value === undefined ? 'nothing' : (JSON.stringify(value)?.slice(0, 80) ?? 'nothing'))

const findTwice = (list: string, ids: readonly string[]): Complaint[] =>
  ids.flatMap((id, index) =>
    ids.indexOf(id) === index ? [] : [{ path: `${list}[${index}].id`, expected: 'an id of its own', found: JSON.stringify(id) }],
  )

/** What the parts say of each other. */
const findLooseEnds = (config: NewswireConfig): Complaint[] => {
  const categories = new Map(config.categories.map(one => [one.id, one]))
  const publishers = new Set(config.publishers.map(one => one.id))
  const unknown = (path: string, what: string, ids: readonly string[] | undefined, known: { has(id: string): boolean }): Complaint[] =>
    (ids ?? []).flatMap((id, index) =>
      known.has(id) ? [] : [{ path: `${path}[${index}]`, expected: `the id of a ${what} in this file`, found: JSON.stringify(id) }],
    )
  const parents = config.categories.flatMap((one, index): Complaint[] => {
    if (one.parent === undefined) return []
    if (!categories.has(one.parent))
      return [{ path: `categories[${index}].parent`, expected: 'the id of a category in this file', found: JSON.stringify(one.parent) }]
    const line = withAncestors(one.id, categories)
    const top = categories.get(line.at(-1) ?? '')
    return top?.parent === undefined
      ? []
      : [{ path: `categories[${index}].parent`, expected: 'a line of parents that ends', found: `a circle: ${line.join(' → ')}` }]
  })
  const rules = (list: 'feeds' | 'outlets') =>
    config[list].flatMap((one, index) => [
      ...unknown(`${list}[${index}].match.categories`, 'category', one.match.categories, categories),
      ...unknown(`${list}[${index}].match.publishers`, 'publisher', one.match.publishers, publishers),
    ])
  return [
    ...findTwice(
      'publishers',
      config.publishers.map(one => one.id),
    ),
    ...findTwice(
      'categories',
      config.categories.map(one => one.id),
    ),
    ...findTwice(
      'feeds',
      config.feeds.map(one => one.id),
    ),
    ...findTwice(
      'outlets',
      config.outlets.map(one => one.id),
    ),
    ...parents,
    ...rules('feeds'),
    ...rules('outlets'),
  ]
}

export const checkConfig = (value: unknown): CheckedConfig => {
  const result = newswireConfig.safeParse(value)
  if (!result.success)
    return {
      ok: false,
      complaints: result.error.issues.flatMap((issue): Complaint[] =>
        issue.code === 'unrecognized_keys'
          ? issue.keys.map(key => ({ path: toPath([...issue.path, key]), expected: 'a known setting', found: JSON.stringify(key) }))
          : [
              {
                path: toPath(issue.path),
                expected: issue.code === 'invalid_type' ? `a ${issue.expected}` : issue.message.replace(/^expected /, ''),
                found: show(at(value, issue.path)),
              },
            ],
      ),
    }
  const complaints = findLooseEnds(result.data)
  return complaints.length === 0 ? { ok: true, config: result.data } : { ok: false, complaints }
}
