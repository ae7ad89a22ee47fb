import { NO_TRACE, type TraceSink } from '@softnet/kernel'
import type { HostPlan } from '@softnet/scenario'

const NET_RX = 3

/** A sink that watches the limits of reception while a machine runs. */
export interface LimitSink extends TraceSink {
  readonly faults: string[]
  /** Polls and softirq runs seen, so that a test can tell that it saw any. */
  seen: number
}

/** Packets that one net_rx_action of a host can handle. */
function mostOfRun({ sysctl, devices }: HostPlan): number {
  const weights = devices.map((device) => device.napiWeight)
  const backlogWeight = sysctl['net.core.dev_weight'] * sysctl['net.core.dev_weight_rx_bias']
  return sysctl['net.core.netdev_budget'] + Math.max(backlogWeight, ...weights)
}

/** Watches that no poll exceeds its budget, no net_rx_action its own by more than a weight, and no clock goes back. */
export function limitSink(hosts: readonly HostPlan[]): LimitSink {
  const most = Math.max(...hosts.map(mostOfRun))
  const clocks = new Map<number, number>()
  const running = new Map<number, number>()
  const faults: string[] = []
  const fault = (text: string) => {
    if (faults.length < 5) faults.push(text)
  }
  const at = (what: string, cpu: number, nowPs: number) => {
    sink.seen++
    const before = clocks.get(cpu) ?? 0
    if (nowPs < before) fault(`${what}: clock of CPU ${cpu} goes back from ${before} to ${nowPs} ps`)
    clocks.set(cpu, nowPs)
  }
  const sink: LimitSink = {
    ...NO_TRACE,
    on: true,
    faults,
    seen: 0,
    softirqEntry(cpu, nowPs, vector) {
      at('softirq_entry', cpu, nowPs)
      if (vector === NET_RX) running.set(cpu, 0)
    },
    softirqExit(cpu, nowPs, vector) {
      at('softirq_exit', cpu, nowPs)
      if (vector === NET_RX) running.delete(cpu)
    },
    napiPoll(cpu, nowPs, napi, work, budget) {
      at('napi_poll', cpu, nowPs)
      if (work > budget) fault(`napi ${napi} did ${work} packets with a budget of ${budget}`)
      const sofar = running.get(cpu)
      if (sofar === undefined) return
      running.set(cpu, sofar + work)
      if (sofar + work > most) fault(`net_rx_action of CPU ${cpu} handled ${sofar + work} packets, at most ${most} fit`)
    },
    netifReceiveSkb: (cpu, nowPs) => at('netif_receive_skb', cpu, nowPs),
    kfreeSkb: (cpu, nowPs) => at('kfree_skb', cpu, nowPs),
  }
  return sink
}
