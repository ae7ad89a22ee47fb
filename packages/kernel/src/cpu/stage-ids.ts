import { STAGES, type StageName } from '@softnet/scenario/plan'

/** Number of each stage: its position in `STAGES`. */
export const STAGE: Readonly<Record<StageName, number>> = Object.freeze(
  Object.fromEntries(STAGES.map((name, index) => [name, index])) as Record<StageName, number>,
)
