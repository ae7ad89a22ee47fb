import { defineResource, defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { consumeSkb } from '../skb/skb-pool.js'

/** A handler given from outside (a harness, a plugin): takes CPU and packet row, answers like rx_handler_result. */
export type RxHandler = (cpu: number, row: number) => number

/** Resource key of the custom handler. */
export const CUSTOM_RX_HANDLER = defineResource<{ handle: RxHandler | null }>('custom_rx_handler')

/** Runs the rx_handler of a device. Kernel: net/core/dev.c, __netif_receive_skb_core (rx_handler) */
export const rxHandlers = defineSystem<(cpu: number, row: number, handler: number) => number>(
  'rx_handler',
  'netif',
  'net/core/dev.c, __netif_receive_skb_core',
  (context) => {
    const { RX_HANDLER } = NUMBERS

    const consume = context.system(consumeSkb)
    const custom = context.resource(CUSTOM_RX_HANDLER)
    return (cpu, row, handler) => {
      if (handler === RX_HANDLER.consume) {
        consume(cpu, row)
        return RX_HANDLER.consumed
      }
      if (handler === RX_HANDLER.custom && custom.handle !== null) return custom.handle(cpu, row)
      return RX_HANDLER.passed
    }
  },
)
