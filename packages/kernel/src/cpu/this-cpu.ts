import { defineSystem } from '@softnet/ecs'

/** The CPU whose code runs. */
export interface ThisCpu {
  /** CPU entity, 0 outside of a run. */
  id(): number
  /** Said by the machine of a CPU whenever it goes on. */
  set(cpu: number): void
}

/** Number of the CPU that runs, for code that is not told. Kernel: include/linux/smp.h, smp_processor_id */
export const thisCpu = defineSystem<ThisCpu>('smp_processor_id', 'cpu', 'include/linux/smp.h', () => {
  let current = 0
  return {
    id: () => current,
    set(cpu) {
      current = cpu
    },
  }
})
