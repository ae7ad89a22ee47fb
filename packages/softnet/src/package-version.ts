import { readFileSync } from 'node:fs'

/** Version of the package, as `--version` prints it. */
export function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return manifest.version
}
