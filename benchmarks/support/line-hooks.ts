import { linesBefore } from './line-map.js'

interface Loaded {
  readonly source?: string | ArrayBuffer | Uint8Array | null
}

/** Module hook: puts the empty lines before each compiled file of the project that give it its own line numbers. */
export async function load<Context>(
  url: string,
  context: Context,
  nextLoad: (url: string, context: Context) => Promise<Loaded>,
): Promise<Loaded> {
  const loaded = await nextLoad(url, context)
  const lines = linesBefore(url)
  if (lines === 0 || loaded.source === undefined || loaded.source === null) return loaded
  const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
  return { ...loaded, source: '\n'.repeat(lines) + text }
}
