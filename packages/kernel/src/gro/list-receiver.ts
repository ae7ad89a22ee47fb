import { defineResource } from '@softnet/ecs'

/**
 * Takes the packets that wait on a NAPI's list (`Napi.listHead` … linked by `Skb.next`) up the stack, in order. It has
 * taken all of them when it returns; GRO then empties the list. Kernel: net/core/dev.c, netif_receive_skb_list_internal
 */
export type ListReceiver = (cpu: number, napi: number) => void

/** Resource key of the receiver; provided before `gro` is bound, so that GRO and the stack above do not bind each other. */
export const LIST_RECEIVER = defineResource<ListReceiver>('list_receiver')
