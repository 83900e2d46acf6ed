/** Which test files there are, and the tier that each one's name puts it in. */
import { glob } from 'node:fs/promises'

export type Tier = 'unit' | 'integration' | 'e2e'
export const tiers: readonly Tier[] = ['unit', 'integration', 'e2e']

const TESTS = [
  'packages/*/src/**/*.test.ts',
  'services/*/src/**/*.test.ts',
  'infra/**/*.test.ts',
  'bench/**/*.test.ts',
  'test/**/*.test.ts',
  'examples/**/*.test.ts',
]

export const tierOf = (file: string): Tier => {
  if (file.endsWith('.e2e.test.ts')) return 'e2e'
  if (file.endsWith('.integration.test.ts')) return 'integration'
  return 'unit'
}

/** Tests that stop the broker or the store: nothing else may run beside them. */
export const needsThePartsAlone = (file: string): boolean => /\.fault\.(integration|e2e)\.test\.ts$/.test(file)

/** Test files below `root`, in a fixed order; with patterns only those whose path contains one of them. */
export const findTestFiles = async (root: string, patterns: readonly string[]): Promise<string[]> => {
  const found: string[] = []
  for await (const file of glob(TESTS, { cwd: root, exclude: name => name === 'node_modules' })) found.push(file.replaceAll('\\', '/'))
  return found.filter(file => patterns.length === 0 || patterns.some(pattern => file.includes(pattern.replace(/^\.\//, '')))).sort()
}
