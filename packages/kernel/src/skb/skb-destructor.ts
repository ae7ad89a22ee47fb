import { defineResource } from '@softnet/ecs'

/** What is done for the socket of a packet that is freed. Kernel: include/linux/skbuff.h, sk_buff.destructor */
export interface SkbDestructor {
  orphan: (cpu: number, row: number) => void
}

/** Resource key of the destructor: sockets wake tasks, whose code frees packets. */
export const SKB_DESTRUCTOR = defineResource<SkbDestructor>('skb_destructor')
