/** Device counters kept per device and CPU. Kernel: include/uapi/linux/if_link.h, struct rtnl_link_stats64 */
export const DEVICE = {
  rxPackets: 0,
  rxBytes: 1,
  rxDropped: 2,
  rxNohandler: 3,
  rxOtherhost: 4,
  multicast: 5,
  txPackets: 6,
  txBytes: 7,
  rxErrors: 8,
  txDropped: 9,
} as const

/** GRO results and XDP verdicts counted per CPU. Kernel: include/linux/netdevice.h, enum gro_result */
export const GRO = {
  merged: 0,
  mergedFree: 1,
  held: 2,
  normal: 3,
  consumed: 4,
  drop: 5,
  delivered: 6,
  flushedAge: 7,
  xdpPass: 8,
  xdpDrop: 9,
  xdpAborted: 10,
  xdpTx: 11,
  xdpRedirect: 12,
} as const
