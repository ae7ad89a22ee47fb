// `npm start [-- COMMAND …]`: installs and builds when needed, then is softnet. Without arguments it runs the default scenario.
import { become, ensureBuilt, ensureInstalled, requireNode } from './workspace.mjs'

requireNode()
await ensureInstalled()
await ensureBuilt()

const given = process.argv.slice(2)
const isOptionOfRun = given[0]?.startsWith('-') && !['-h', '--help', '-V', '--version'].includes(given[0])
await become('softnet', given.length === 0 || isOptionOfRun ? ['run', ...given] : given)
