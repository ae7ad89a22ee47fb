/** The machine's clock; results never depend on it, only progress, slices and `wall_ms` do. */

/** Wall milliseconds since some fixed moment, with fraction. */
export function wallMs(): number {
  return performance.now()
}
