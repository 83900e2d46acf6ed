/** What every answer to a partner carries: kept by nobody, found by nobody, and never told to another site. */
export const PARTNER_HEADERS = {
  'cache-control': 'private, no-store',
  'x-robots-tag': 'noindex',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const
