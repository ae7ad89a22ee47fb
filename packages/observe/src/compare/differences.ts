/** How two scenarios differ, as they were written. */

/** A setting that is not the same in two scenarios; undefined where one of them does not have it. */
export interface Difference {
  /** Path as `--set` takes it. */
  readonly path: string
  readonly from: unknown
  readonly to: unknown
}

/** What says nothing about the simulated host. */
const NAMES: ReadonlySet<string> = new Set(['name', 'description'])

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function collect(from: unknown, to: unknown, path: string, found: Difference[]): void {
  if ((isMap(from) && (isMap(to) || to === undefined)) || (isMap(to) && from === undefined)) {
    const [before, after] = [from ?? {}, to ?? {}] as Readonly<Record<string, unknown>>[]
    const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])
    for (const key of keys) {
      if (path === '' && NAMES.has(key)) continue
      collect(before?.[key], after?.[key], path === '' ? key : `${path}.${key}`, found)
    }
  } else if (JSON.stringify(from) !== JSON.stringify(to)) found.push({ path, from, to })
}

/** The settings that differ between two scenarios, both plain data, in the order of the first. */
export function differencesOf(from: unknown, to: unknown): Difference[] {
  const found: Difference[] = []
  collect(from, to, '', found)
  return found
}
