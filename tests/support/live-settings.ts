import type { ScenarioInput } from '@softnet/scenario'

/** A host of two CPUs that answers, whose settings are changed by everything that can change them. */
export function settingsChange(): ScenarioInput {
  const one = { channels: { combined: 1 } }
  return {
    duration: '4ms',
    hosts: {
      h: {
        cpus: 2,
        devices: {
          eth0: { ...one, address: '192.0.2.1/24', queues: { rps_cpus: '2' } },
          eth1: { ...one, address: '198.18.0.1/24', irq: { smp_affinity_list: ['1'] } },
        },
        apps: { e: { kind: 'udp_echo', cpus: [0, 1] } },
      },
    },
    traffic: {
      t: { to: 'h/eth0', rate: '400kpps', flows: { count: 8 } },
      u: { to: 'h/eth1', rate: '300kpps', flows: { count: 8 } },
    },
    events: [
      { at: '500us', do: 'sysctl -w net.core.netdev_budget=20' },
      { at: '600us', do: 'sysctl -w net.core.netdev_max_backlog=30' },
      { at: '700us', do: 'sysctl -w net.core.gro_normal_batch=3' },
      { at: '800us', do: 'sysctl -w net.core.netdev_budget_usecs=9000' },
      { at: '900us', do: 'echo 1 > /sys/class/net/eth1/queues/rx-0/rps_cpus' },
      { at: '1ms', do: 'ethtool -G eth0 rx 128' },
      { at: '1500us', do: 'ethtool -K eth0 gro off' },
      { at: '1600us', do: 'echo 0 > /sys/class/net/eth0/queues/rx-0/rps_cpus' },
      { at: '1700us', do: 'echo 2 > /sys/class/net/eth1/queues/tx-0/xps_cpus' },
      { at: '2ms', do: 'tc qdisc replace dev eth0 root fq_codel limit 20' },
      { at: '2100us', do: 'ethtool -G eth1 rx 1024' },
      { at: '2105us', do: 'ethtool -G eth1 rx 512' },
      { at: '2200us', do: 'ip link set eth1 down' },
      { at: '2210us', do: 'ethtool -G eth1 rx 256' },
      { at: '2220us', do: 'tc qdisc replace dev eth1 root fq' },
      { at: '2300us', do: 'ip link set eth1 up' },
      { at: '3ms', do: 'ethtool -K eth0 gro on rx-udp-gro-forwarding on' },
    ],
  }
}
