/** Whether a configuration may be applied: every complaint at once, with its path, what was expected and what was found. */
import { findMeantField } from '@newswire/events/closest-field'
import { toComplaints } from '@newswire/events/complaints'
import {
  type CategoryConfig,
  configKinds,
  type NetworkConfig,
  type NewswireConfig,
  newswireConfig,
  withAncestors,
} from '@newswire/events/config'
import { addressOf, deliverConfig, httpUrl } from '@newswire/events/deliver'
import { findHostOffence, findUrlOffence, isNetwork, SSH_PORTS, toHost } from '@newswire/outbound/addresses'

export type Complaint = Readonly<{ path: string; expected: string; found: string }>
type CheckedConfig = Readonly<{ ok: true; config: NewswireConfig }> | Readonly<{ ok: false; complaints: readonly Complaint[] }>

const toPath = (path: readonly PropertyKey[]): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`)).join('') || 'the file'

type Item = Readonly<Record<string, unknown>>
const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null && !Array.isArray(value)
/** The things of a list, also of a file that is wrong elsewhere; what is no thing holds its place. */
const itemsOf = (value: unknown, list: string): readonly Item[] => {
  const found = isItem(value) ? value[list] : undefined
  return Array.isArray(found) ? found.map(one => (isItem(one) ? one : {})) : []
}
const idOf = (item: Item): string | null => (typeof item['id'] === 'string' ? item['id'] : null)

const findTwice = (path: (index: number) => string, expected: string, values: readonly (string | null)[]): Complaint[] =>
  values.flatMap((value, index) =>
    value === null || values.indexOf(value) === index ? [] : [{ path: path(index), expected, found: JSON.stringify(value) }],
  )

/** A token's hash says whose it is, so it may stand only once in the whole file. */
const findSharedTokens = (publishers: readonly Item[]): Complaint[] => {
  const tokens = publishers.flatMap((publisher, owner) =>
    itemsOf(publisher, 'tokens').map((token, index) => ({ path: `publishers[${owner}].tokens[${index}]`, sha256: token['sha256'] })),
  )
  return findTwice(
    index => `${tokens[index]?.path}.sha256`,
    'a token of its own',
    tokens.map(one => (typeof one.sha256 === 'string' ? one.sha256.toLowerCase() : null)),
  )
}

const findWrongParents = (categories: readonly Item[]): Complaint[] => {
  const known = new Map<string, CategoryConfig>()
  for (const item of categories) {
    const [id, parent] = [idOf(item), item['parent']]
    if (id !== null) known.set(id, { id, name: '', ...(typeof parent === 'string' ? { parent } : {}) })
  }
  /** Whose line is known to end, so that a long one is walked once. */
  const ending = new Set<string>()
  return categories.flatMap(({ id, parent }, index): Complaint[] => {
    if (typeof parent !== 'string') return []
    const path = `categories[${index}].parent`
    if (!known.has(parent)) return [{ path, expected: 'the id of a category in this file', found: JSON.stringify(parent) }]
    if (ending.has(parent)) {
      ending.add(String(id))
      return []
    }
    const line = withAncestors(String(id), known)
    const endsInCircle = known.get(line.at(-1) ?? '')?.parent !== undefined
    if (!endsInCircle) for (const one of line) ending.add(one)
    return endsInCircle ? [{ path, expected: 'a line of parents that ends', found: `a circle: ${line.join(' → ')}` }] : []
  })
}

const findUnknownIds = (items: readonly Item[], list: string, field: string, what: string, known: readonly Item[]): Complaint[] => {
  const ids = new Set(known.map(idOf))
  return items.flatMap((item, index) => {
    const named = isItem(item['match']) ? item['match'][field] : undefined
    if (!Array.isArray(named)) return []
    return named.flatMap((id: unknown, place) =>
      typeof id !== 'string' || ids.has(id)
        ? []
        : [{ path: `${list}[${index}].match.${field}[${place}]`, expected: `the id of a ${what} in this file`, found: JSON.stringify(id) }],
    )
  })
}

/** Its path and query may be what opens it. */
const withoutPath = (url: string): string => {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}

const findNoNetworks = (network: unknown): Complaint[] =>
  (configKinds.network.shape.allow.safeParse(isItem(network) ? network['allow'] : undefined).data ?? []).flatMap((cidr, index) =>
    isNetwork(cidr)
      ? []
      : [
          {
            path: `network.allow[${index}]`,
            expected: 'a network in CIDR form, like 127.0.0.0/8 or fd00::/8',
            found: JSON.stringify(cidr),
          },
        ],
  )

const findUnreachableCallbacks = (publishers: readonly Item[], network: NetworkConfig): Complaint[] =>
  publishers.flatMap((publisher, index) => {
    const url = httpUrl.safeParse(publisher['callbackUrl']).data
    const offence = url === undefined ? null : findUrlOffence(url, network)
    if (url === undefined || offence === null) return []
    const path = `publishers[${index}].callbackUrl`
    return [{ path, expected: 'an address that callbacks may reach', found: `${withoutPath(url)}: ${offence}` }]
  })

const findUnreachableOutlets = (outlets: readonly Item[], network: NetworkConfig): Complaint[] =>
  outlets.flatMap((outlet, index) => {
    const deliver = deliverConfig.safeParse(outlet['deliver']).data
    if (deliver === undefined) return []
    const { field, url } = addressOf(deliver)
    const offence =
      deliver.kind === 'sftp' ? findHostOffence(toHost(deliver.host), deliver.port, network, SSH_PORTS) : findUrlOffence(url, network)
    if (offence === null) return []
    const path = `outlets[${index}].deliver.${field}`
    return [{ path, expected: 'an address that deliveries may reach', found: `${withoutPath(url)}: ${offence}` }]
  })

/** What could never be reached is found now, rather than by an alarm of every delivery; also in a file that is wrong elsewhere. */
const findUnreachable = (value: unknown): readonly Complaint[] => {
  const found = isItem(value) ? (value['network'] ?? {}) : {}
  const network = configKinds.network.safeParse(found).data
  return [
    ...findNoNetworks(found),
    ...(network === undefined ? [] : findUnreachableCallbacks(itemsOf(value, 'publishers'), network)),
    ...(network === undefined ? [] : findUnreachableOutlets(itemsOf(value, 'outlets'), network)),
  ]
}

/** A callback goes out signed, or not at all. */
const findUnsigned = (publishers: readonly Item[]): Complaint[] =>
  publishers.flatMap(({ callbackUrl, callbackSecretEnv }, index) =>
    callbackUrl === undefined || callbackSecretEnv !== undefined
      ? []
      : [
          {
            path: `publishers[${index}].callbackSecretEnv`,
            expected: 'the name of the environment variable with the secret that signs callbacks',
            found: 'nothing',
          },
        ],
  )

/** Hooks of one publisher by their ids, and categories that they file under. */
const findHookEnds = (publishers: readonly Item[], categories: readonly Item[]): Complaint[] => {
  const known = new Set(categories.map(idOf))
  return publishers.flatMap((publisher, owner) => {
    const hooks = itemsOf(publisher, 'hooks')
    const path = (index: number) => `publishers[${owner}].hooks[${index}]`
    const filed = hooks.flatMap((hook, index) => {
      const { categories: named, everyCategory: every } = isItem(hook['mapping']) ? hook['mapping'] : ({} as Item)
      return [
        ...Object.entries(isItem(named) ? named : {}).map(([name, id]) => ({ path: `${path(index)}.mapping.categories.${name}`, id })),
        ...(Array.isArray(every) ? every : []).map((id, place) => ({
          path: `${path(index)}.mapping.everyCategory[${place}]`,
          id: id as unknown,
        })),
      ]
    })
    return [
      ...findTwice(index => `${path(index)}.id`, 'an id of its own', hooks.map(idOf)),
      ...filed.flatMap(one =>
        typeof one.id !== 'string' || known.has(one.id)
          ? []
          : [{ path: one.path, expected: 'the id of a category in this file', found: JSON.stringify(one.id) }],
      ),
    ]
  })
}

/** What the parts say of each other. */
const findLooseEnds = (value: unknown): readonly Complaint[] => {
  const [publishers, categories] = [itemsOf(value, 'publishers'), itemsOf(value, 'categories')]
  return [
    ...['publishers', 'categories', 'feeds', 'outlets'].flatMap(list =>
      findTwice(index => `${list}[${index}].id`, 'an id of its own', itemsOf(value, list).map(idOf)),
    ),
    ...findSharedTokens(publishers),
    ...findUnsigned(publishers),
    ...findHookEnds(publishers, categories),
    ...findWrongParents(categories),
    ...['feeds', 'outlets'].flatMap(list => [
      ...findUnknownIds(itemsOf(value, list), list, 'categories', 'category', categories),
      ...findUnknownIds(itemsOf(value, list), list, 'publishers', 'publisher', publishers),
    ]),
  ]
}

const toKnownSetting = (path: readonly PropertyKey[]): string => {
  const meant = findMeantField(newswireConfig, path)
  return meant === null ? 'a known setting' : `a known setting, like ${JSON.stringify(meant)}`
}

/** `value` is what a YAML or JSON file holds. */
export const checkConfig = (value: unknown): CheckedConfig => {
  const result = newswireConfig.safeParse(value)
  const wrong = result.success
    ? []
    : toComplaints(result.error, value).map(({ path, expected, found, isUnknownField }) => ({
        path: toPath(path),
        expected: isUnknownField ? toKnownSetting(path) : expected,
        found,
      }))
  const complaints = [...wrong, ...findLooseEnds(value), ...findUnreachable(value)]
  return result.success && complaints.length === 0 ? { ok: true, config: result.data } : { ok: false, complaints }
}
