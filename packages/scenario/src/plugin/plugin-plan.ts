/** A plugin of a scenario: every thread loads its module anew. */
export interface PluginPlan {
  /** Name the scenario gives it. */
  readonly name: string
  /** Name it gives itself. */
  readonly plugin: string
  /** File URL of its module, and SHA-256 of that file, hex. */
  readonly url: string
  readonly sha256: string
  /** Values of its options, by its own schema. */
  readonly options: Readonly<Record<string, unknown>>
  /** Hooks at which it has systems. */
  readonly hooks: readonly string[]
  /** Plugins of the scenario whose systems run after those of this one, and before. */
  readonly before: readonly string[]
  readonly after: readonly string[]
}
