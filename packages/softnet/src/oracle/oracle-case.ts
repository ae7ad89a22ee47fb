/** One recorded case, ready to be run. */
export interface OracleCase {
  readonly name: string
  /** False: the recordings themselves differed, so a difference is shown and nothing more. */
  readonly gated: boolean
  /** Why it cannot be run: something it needs is not modelled yet. Left out: it can. */
  readonly missing?: string
  /** Runs it on the simulated stack; null if everything agrees, else what differs. */
  run(): string | null
}
