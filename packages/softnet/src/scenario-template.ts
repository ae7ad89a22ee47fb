/** File beside a scenario that its editor line names. */
export const SCHEMA_FILE = 'softnet.schema.json'

/** A word as a shell takes it. */
export function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** A commented scenario that runs as it is: a four-CPU host that receives on four queues and reads with four tasks. */
export function scenarioTemplate(name: string): string {
  const file = shellWord(`${name}.yaml`)
  return `# yaml-language-server: $schema=./${SCHEMA_FILE}
# A softnet scenario. Every name is the one Linux uses; what is left out has Linux's default.
#   softnet check ${file}      says whether it is right
#   softnet run ${file}        runs it
#   softnet run ${file} --set hosts.server.devices.eth0.rings.rx=4096      with one value changed
name: ${JSON.stringify(name)}
description: A four-CPU host that receives small UDP packets on four queues

kernel: "6.18"      # whose policies apply: "4.14", "4.18", "5.1", "6.5" or "6.18"
seed: 1             # same seed, same result
duration: 100ms     # simulated time
warmup: 10ms        # left out of latency

hosts:
  server:
    cpus: 4
    sysctl:
      net.core.netdev_budget: 300          # packets one net_rx_action may handle
      net.core.netdev_budget_usecs: 8000   # and the time it may take
      net.core.rmem_max: 212992            # largest SO_RCVBUF
    devices:
      eth0:
        driver: ixgbe
        address: 192.0.2.1/24
        link: 10Gbit
        channels: { combined: 4 }          # ethtool -L
        rings: { rx: 512 }                 # ethtool -G
        rx-flow-hash: { udp4: sdfn }       # ethtool -N; by itself ixgbe hashes only the addresses of UDP
        coalesce: { rx-usecs: 20 }         # ethtool -C
        irq:
          smp_affinity_list: [0, 1, 2, 3]  # one CPU per queue
    apps:
      sink:
        kind: udp_sink
        cpus: [0, 1, 2, 3]                 # one task per entry
        wait: epoll_wait
        work: 200ns                        # user code per message
        sockets: { count: 16, bind: "0.0.0.0:9000" }

traffic:
  clients:
    to: server/eth0
    pattern: poisson
    rate: 1Mpps
    frame: 64                              # bytes on the wire, FCS included
    flows: { count: 16, dport: 9000, dport-count: 16 }
`
}
