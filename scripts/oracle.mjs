// `pnpm oracle [FILE…] [--case NAME] [--format json]`: installs and builds when needed, then compares with the real kernel's records.
import { become, ensureBuilt, ensureInstalled, requireNode } from './workspace.mjs'

requireNode()
await ensureInstalled()
await ensureBuilt()
await become(
  'oracle',
  process.argv.slice(2).filter((arg) => arg !== '--'),
)
