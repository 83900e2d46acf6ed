/**
 * What stands in a picture's place until it has come: its colour, as one of sixty-four classes of the style sheet, because the pages' policy lets
 * no element carry a style of its own. Seen for a moment, nobody tells the nearest of sixty-four from the colour itself.
 */

const LEVELS = '05af'

/** The class for `#rrggbb`; what is no such colour gets a grey. */
export const colorClass = (color: string): string => {
  const [, ...parts] = /^#(..)(..)(..)$/.exec(color) ?? ['', 'aa', 'aa', 'aa']
  return `c-${parts.map(part => LEVELS[Math.round(Number.parseInt(part, 16) / 85)] ?? 'a').join('')}`
}

export const colorRules = [...LEVELS]
  .flatMap(red => [...LEVELS].flatMap(green => [...LEVELS].map(blue => red + green + blue)))
  .map(color => `.c-${color}{background:#${color}}`)
  .join('')
