import { defineSystem } from '@softnet/ecs'
import { NapiQuota, pluginHook } from '../plugin/hooks.js'
import { Napi } from './components.js'

/** Packets that the next poll of an instance may take. */
export type NapiQuotaOf = (cpu: number, napi: number) => number

/**
 * Its weight, or what systems of plugins make of it: at least one packet, since a poll without budget serves transmit
 * only. Kernel: net/core/dev.c, napi_poll, napi_threaded_poll_loop (n->weight)
 */
export const napiQuota = defineSystem<NapiQuotaOf>('napi_quota', 'napi', 'net/core/dev.c, napi_poll', (context) => {
  const { weight } = context.read(Napi)
  const plugins = pluginHook(context, 'napi_poll')
  if (plugins === null) return (_cpu, napi) => weight[napi]
  const { packets } = context.write(NapiQuota)
  const one = new Int32Array(1)
  return (cpu, napi) => {
    one[0] = napi
    packets[napi] = weight[napi]
    plugins(one, 1, cpu)
    return packets[napi] < 1 ? 1 : packets[napi]
  }
})
