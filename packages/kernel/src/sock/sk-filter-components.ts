import { defineComponent, i32, RandomStream, streamKey, u8, u16, u32, type World } from '@softnet/ecs'
import type { BpfProgram, Plan } from '@softnet/scenario/plan'
import type { Layout } from '../build/layout.js'

/** Instructions of all filters. Constant in a run. Kernel: include/uapi/linux/filter.h, struct sock_filter */
export const BpfInsn = defineComponent('bpf_insn', { code: u16, jt: u8, jf: u8, k: u32 })

/** Filter of each socket: row of `Sock`. Kernel: include/net/sock.h, sk_filter */
export const SockFilter = defineComponent('sock_filter', {
  /** Row of `BpfInsn` where its program begins; 0: none is attached. */
  first: i32,
})

/** Stream of random words of each CPU for filters that ask for them: row of `Cpu`. Kernel: kernel/bpf/core.c, bpf_user_rnd_state */
export const BpfRandom = defineComponent('bpf_user_rnd_state', RandomStream.schema)

const PURPOSE_RANDOM = 0x62706672

/** Whether any socket of a plan can have a filter: without one no table is declared and no datagram pays. */
export function hasFilters(plan: Plan): boolean {
  return plan.hosts.some(({ apps }) => apps.some(({ sockets }) => sockets.some((each) => each.filters !== undefined)))
}

interface PlacedProgram {
  readonly sock: number
  /** Row of its first instruction. */
  readonly first: number
  readonly program: BpfProgram
  readonly attached: boolean
}

/** Programs with the rows of their sockets and instructions, in order. */
function placedPrograms(layout: Layout): PlacedProgram[] {
  const placed: PlacedProgram[] = []
  let first = 1
  for (const host of layout.hosts) {
    host.plan.apps.forEach(({ sockets }, app) => {
      sockets.forEach(({ filters = [], attachedFilter = 0 }, i) => {
        filters.forEach((program, index) => {
          const sock = host.appSockets[app]?.[i] ?? 0
          placed.push({ sock, first, program, attached: attachedFilter === index + 1 })
          first += program.length
        })
      })
    })
  }
  return placed
}

/** First row of program `index` of a socket. */
export function filterRow(layout: Layout, sock: number, index: number): number {
  return placedPrograms(layout).filter((each) => each.sock === sock)[index]?.first ?? 0
}

/** Declares the tables of filters, if any socket has one. */
export function declareFilters(world: World, layout: Layout): void {
  if (!hasFilters(layout.plan)) return
  const rows = placedPrograms(layout).reduce((sum, { program }) => sum + program.length, 0)
  world.pool(BpfInsn, rows)
  world.spacedPool(SockFilter, Math.max(1, layout.socketRows - 1), layout.socketStep)
  world.pool(BpfRandom, layout.cpuRows)
}

/** Writes programs, attaches those that are attached from the start and keys the random streams. */
export function fillFilters(world: World, layout: Layout): void {
  if (!hasFilters(layout.plan)) return
  const insn = world.columns(BpfInsn)
  const { first: attachedAt } = world.columns(SockFilter)
  for (const { sock, first, program, attached } of placedPrograms(layout)) {
    program.forEach(([code, jt, jf, k], i) => {
      insn.code[first + i] = code
      insn.jt[first + i] = jt
      insn.jf[first + i] = jf
      insn.k[first + i] = k
    })
    if (attached) attachedAt[sock] = first
  }
  const stream = world.columns(BpfRandom)
  layout.cpus.forEach((cpu, index) => {
    const [low, high] = streamKey(layout.plan.seed, 1 + index, PURPOSE_RANDOM)
    stream.keyLow[cpu] = low
    stream.keyHigh[cpu] = high
  })
}
