/** Said at the start of every script of ours, because an older Node fails later and with words that do not help. */
const major = Number(process.versions.node.split('.')[0])

/** Ends the process with a clear message when this is not Node 24 or newer. `npm run` takes the one from devDependencies by itself. */
export const requireNode24 = (): void => {
  if (major >= 24) return
  console.error(
    `Newswire needs Node 24, and this is ${process.version} (${process.execPath}). "npm ci" installs Node 24 into node_modules; start scripts with "npm run …", "npm test" or "npx node …". If its install script was skipped, run: npm rebuild node`,
  )
  process.exit(1)
}
