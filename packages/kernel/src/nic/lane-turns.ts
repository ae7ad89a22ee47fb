/** Frames a wire writes into a lane, whose mask is given, before the CPUs get their turn: half of it. */
export function turnFrames(laneMask: number): number {
  return (laneMask >>> 1) + 1
}

/**
 * The same while wires and CPUs run at the same time, and the most that a CPU reads in a turn: with short turns lanes run
 * neither empty nor full.
 */
export function freeTurnFrames(laneMask: number): number {
  return (laneMask >>> 2) + 1
}

/** All that a lane holds. */
export function wholeLane(laneMask: number): number {
  return laneMask + 1
}
