import { defineComponent, i32, u8, u16, u32 } from '@softnet/ecs'

/** Verdicts of a program. Kernel: include/uapi/linux/bpf.h, enum xdp_action */
export const XDP = { aborted: 0, drop: 1, pass: 2, tx: 3, redirect: 4 } as const

/** Name of a verdict, as scenarios write it. */
export type XdpVerdictName = keyof typeof XDP

/** Program of a device: row `device − firstDevice + 1`. Constant in a run. */
export const XdpProgram = defineComponent('xdp_program', {
  /** First row of its rules in `XdpRule`. */
  base: i32,
  /** Number of rules; 0: everything passes. */
  count: u16,
})

/** What a rule asks of a packet before it compares; bits of `XdpRule.needs`. */
export const XDP_NEEDS = { ipv4: 1, ports: 2 } as const

/** Rules of all programs, in order. A masked field that differs makes the rule miss. Constant in a run. */
export const XdpRule = defineComponent('xdp_rule', {
  needs: u8,
  /** IPv4 protocol and its mask (255 or 0). */
  proto: u8,
  protoMask: u8,
  saddr: u32,
  saddrMask: u32,
  daddr: u32,
  daddrMask: u32,
  /** Source port × 65536 + destination port. */
  ports: u32,
  portsMask: u32,
  /** One of `XDP`. */
  verdict: u8,
})
