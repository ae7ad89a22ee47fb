/**
 * One stage of the receive pipeline: handles the packets `ids[0 … count − 1]` in order on a CPU, moves the survivors to
 * the front of `ids` in order and returns how many there are. Packets that end in the stage are freed by it.
 */
export type Stage = (ids: Int32Array, count: number, cpu: number) => number
