/** Values of IP_MTU_DISCOVER. Kernel: include/uapi/linux/in.h, IP_PMTUDISC_* */
export const PMTUDISC = { dont: 0, want: 1, do: 2, probe: 3, interface: 4, omit: 5 } as const
