/** Jiffies of the first level, a power of two, minus one: what no longer fits goes to the next, eight times coarser. */
const FIRST_LEVEL_JIFFIES = 63
const LEVEL_BITS = 3
const LEVELS = 9

/**
 * Jiffy at which a timer of the wheel fires that is set at `nowJiffy` to run for `deltaJiffies`: rounded up to the
 * granularity of the level it falls into, 1, 8, 64, 512 … jiffies. Jiffies count from the start of the run.
 * Kernel: kernel/time/timer.c, calc_wheel_index
 */
export function wheelExpiry(nowJiffy: number, deltaJiffies: number): number {
  let level = 0
  let granularity = 1
  while (level < LEVELS - 1 && deltaJiffies >= FIRST_LEVEL_JIFFIES * granularity) {
    level++
    granularity *= 2 ** LEVEL_BITS
  }
  return (Math.floor((nowJiffy + deltaJiffies) / granularity) + 1) * granularity
}
