import { defineResource } from '@softnet/ecs'

/** Resource key of the segment that `reject with tcp reset` sends: it goes out through the hooks it is sent from. */
export const NF_SEND_RESET = defineResource<{ send: (cpu: number, row: number) => void }>('nf_send_reset')
