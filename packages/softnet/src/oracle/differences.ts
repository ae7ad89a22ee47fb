/** How what was simulated differs from what was recorded, in words. */

/** Collects differences of one case. */
export class Differences {
  readonly #lines: string[] = []

  /** Notes a value that is not the one recorded. */
  value(name: string, recorded: unknown, simulated: unknown): void {
    const [left, right] = [JSON.stringify(recorded), JSON.stringify(simulated)]
    if (left !== right) this.#lines.push(`${name}: recorded ${left}, simulated ${right}`)
  }

  /** The same for several values, by position. */
  values(names: readonly string[], recorded: readonly unknown[], simulated: readonly unknown[]): void {
    for (const [i, name] of names.entries()) this.value(name, recorded[i], simulated[i])
  }

  /** Notes the first place where two sequences part. */
  sequence(name: string, recorded: readonly string[], simulated: readonly string[]): void {
    const length = Math.max(recorded.length, simulated.length)
    for (let i = 0; i < length; i++) {
      if (recorded[i] === simulated[i]) continue
      const show = (list: readonly string[]) => (i < list.length ? `'${list.slice(i, i + 4).join(' ')}'` : 'the end')
      this.#lines.push(`${name} from entry ${i + 1} on: recorded ${show(recorded)}, simulated ${show(simulated)}`)
      return
    }
  }

  /** All of it, or null if nothing differs. */
  text(): string | null {
    return this.#lines.length === 0 ? null : this.#lines.join('; ')
  }
}
