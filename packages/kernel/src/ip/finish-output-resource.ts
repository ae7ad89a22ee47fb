import { defineResource } from '@softnet/ecs'

/** Resource key of `ip_finish_output2` for fragmenting, which it is reached by. */
export const IP_FINISH_OUTPUT2 = defineResource<{ run: (cpu: number, row: number) => number }>('ip_finish_output2')
