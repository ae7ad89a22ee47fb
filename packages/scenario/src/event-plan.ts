/** The part of the plan that says what happens to hosts during a run. */

import type { QdiscPlan } from './tx-plan.js'

/** Settings that `sysctl -w` may change during a run. */
export const LIVE_SYSCTLS = [
  'net.core.netdev_budget',
  'net.core.netdev_budget_usecs',
  'net.core.netdev_max_backlog',
  'net.core.gro_normal_batch',
] as const

/** One of them. */
export type LiveSysctl = (typeof LIVE_SYSCTLS)[number]

/** What happens: a cable is pulled or plugged in, or somebody types a command. */
export type EventAction =
  /** The link of a device loses or regains its signal. */
  | { readonly kind: 'cable'; readonly dev: string; readonly up: boolean }
  /** `ip link set DEV up` or `down`. */
  | { readonly kind: 'link'; readonly dev: string; readonly up: boolean }
  /** A transmit queue of the card hangs: it fetches nothing until its driver resets it. */
  | { readonly kind: 'stall'; readonly dev: string; readonly queue: number }
  /** `ethtool -C DEV …`; null where a value is not given. */
  | {
      readonly kind: 'coalesce'
      readonly dev: string
      readonly rxUsecs: number | null
      readonly rxFrames: number | null
      readonly txUsecs: number | null
    }
  /** `ethtool -K DEV …`; null where a feature is not given. */
  | {
      readonly kind: 'features'
      readonly dev: string
      readonly gro: boolean | null
      readonly groList: boolean | null
      readonly udpGroForwarding: boolean | null
    }
  /** `ethtool -G DEV rx N`. */
  | { readonly kind: 'rings'; readonly dev: string; readonly rx: number }
  /** `tc qdisc replace dev DEV root …`. */
  | { readonly kind: 'qdisc'; readonly dev: string; readonly qdisc: QdiscPlan }
  /** `echo MASK > /sys/class/net/DEV/queues/rx-N/rps_cpus`, or `tx-N/xps_cpus`; CPUs of the mask, ascending. */
  | {
      readonly kind: 'mask'
      readonly dev: string
      readonly of: 'rps' | 'xps'
      readonly queue: number
      readonly cpus: readonly number[]
    }
  /** `sysctl -w NAME=VALUE`. */
  | { readonly kind: 'sysctl'; readonly dev: null; readonly name: LiveSysctl; readonly value: number }

/** Something that happens to a host at a time of the run, ps. */
export interface EventPlan {
  readonly atPs: number
  readonly host: string
  readonly action: EventAction
}
