import { defineSystem, drawFrom } from '@softnet/ecs'
import { BPF } from '@softnet/scenario/plan'
import { Cpu } from '../cpu/components.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { ethHeader } from '../packet/eth-header.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { BpfInsn, BpfRandom } from './sk-filter-components.js'

/** Runs the program at row `first` over `length` bytes of a packet from position `start` on; what it returns, unsigned. */
export type BpfRun = (cpu: number, row: number, first: number, start: number, length: number) => number

const MEMORY_WORDS = 16
const MOST_BYTES = 65_600
/** Negative offsets: fields of the sk_buff, the network header, the link header. Kernel: SKF_AD_OFF, SKF_NET_OFF, SKF_LL_OFF */
const AD_OFF = -0x1000
const NET_OFF = -0x100000
/** Fields of the sk_buff. Kernel: include/uapi/linux/filter.h, SKF_AD_* */
const AD = { protocol: 0, packetType: 4, ifindex: 8, mark: 20, queue: 24, hardwareType: 28, hash: 32, cpu: 36 } as const
const AD_VLAN_TAG = 44
const AD_VLAN_PRESENT = 48
const AD_PAY_OFFSET = 52
const AD_RANDOM = 56
const AD_XOR_X = 40
const AD_VLAN_PROTOCOL = 60
const ETH_P_8021Q = 0x8100
const ARPHRD_ETHER = 1
const ARPHRD_NONE = 0xfffe
/** No value: the program ends and returns 0. */
const OUT = -1

/** Classic BPF by its own machine: accumulator, index register, sixteen words. Kernel: net/core/filter.c, bpf_prog_run (of a converted program) */
export const bpfRun = defineSystem<BpfRun>('bpf_prog_run', 'sock', 'net/core/filter.c, sk_run_filter', (context) => {
  const { SKB, ETH_HLEN } = NUMBERS

  const { code, jt, jf, k } = context.read(BpfInsn)
  const skb = context.read(Skb)
  const { index } = context.read(NetDev)
  const { number } = context.read(Cpu)
  const random = drawFrom(context.write(BpfRandom))
  const bytes = context.system(skbBytes)
  const header = context.system(ethHeader)
  const memory = new Uint32Array(MEMORY_WORDS)
  const scratch = new DataView(new ArrayBuffer(MOST_BYTES))
  let isCopied = false

  /** What is in front of the network header: packet sockets see it. */
  function linkBytes(row: number, at: number, size: number, end: number): number {
    if (at < -ETH_HLEN || at + size > end) return OUT
    let value = 0
    for (let i = at; i < at + size; i++) {
      const byte = i < 0 ? header.byte(row, ETH_HLEN + i) : number_(row, i, 1, end)
      value = value * 256 + byte
    }
    return value
  }

  function number_(row: number, at: number, size: number, end: number): number {
    if (at < 0) return linkBytes(row, at, size, end)
    if (at + size > end) return OUT
    if (bytes.has(row)) return size === 1 ? bytes.u8(row, at) : size === 2 ? bytes.u16(row, at) : bytes.u32(row, at)
    if (!isCopied) {
      bytes.copyFrom(row, 0, scratch, 0, Math.min(end, MOST_BYTES))
      isCopied = true
    }
    return size === 1 ? scratch.getUint8(at) : size === 2 ? scratch.getUint16(at) : scratch.getUint32(at)
  }

  function ancillary(cpu: number, row: number, field: number, a: number, x: number): number {
    switch (field) {
      case AD.protocol:
        return skb.protocol[row]
      case AD.packetType:
        return skb.packetType[row]
      case AD.ifindex:
        // Device 1 is the loopback device.
        return index[skb.dev[row]] + 2
      case AD.mark:
        return 0
      case AD.queue:
        return skb.queue[row] === 0 ? 0 : skb.queue[row]
      case AD.hardwareType:
        return (skb.flags[row] & SKB.noEthernet) !== 0 ? ARPHRD_NONE : ARPHRD_ETHER
      case AD.hash:
        return skb.hash[row]
      case AD.cpu:
        return number[cpu]
      case AD_VLAN_TAG:
        return (skb.flags[row] & SKB.vlan) !== 0 ? skb.vlanTci[row] : 0
      case AD_VLAN_PRESENT:
        return (skb.flags[row] & SKB.vlan) !== 0 ? 1 : 0
      case AD_PAY_OFFSET:
        return bytes.length(row) - skb.payload[row]
      case AD_XOR_X:
        return (a ^ x) >>> 0
      case AD_VLAN_PROTOCOL:
        return (skb.flags[row] & SKB.vlan) !== 0 ? ETH_P_8021Q : 0
      case AD_RANDOM:
        return random.word(cpu)
      default:
        // Attributes of netlink messages: none is in a packet.
        return 0
    }
  }

  /** A load from the packet; `offset` as signed 32 bits. */
  function load(row: number, offset: number, size: number, start: number, length: number): number {
    if (offset >= 0) return number_(row, start + offset, size, start + length)
    if (offset >= NET_OFF) return number_(row, offset - NET_OFF, size, bytes.length(row))
    return OUT
  }

  function arithmetic(operation: number, a: number, b: number): number {
    switch (operation) {
      case BPF.addK:
        return (a + b) >>> 0
      case BPF.subK:
        return (a - b) >>> 0
      case BPF.mulK:
        return Math.imul(a, b) >>> 0
      case BPF.divK:
        return b === 0 ? OUT : Math.floor(a / b)
      case BPF.modK:
        return b === 0 ? OUT : a % b
      case BPF.orK:
        return (a | b) >>> 0
      case BPF.andK:
        return (a & b) >>> 0
      case BPF.xorK:
        return (a ^ b) >>> 0
      case BPF.lshK:
        return (a << (b & 31)) >>> 0
      case BPF.rshK:
        return a >>> (b & 31)
      default:
        return -a >>> 0
    }
  }

  function holds(operation: number, a: number, b: number): boolean {
    if (operation === BPF.jeqK) return a === b
    if (operation === BPF.jgtK) return a > b
    return operation === BPF.jgeK ? a >= b : (a & b) !== 0
  }

  const CLASS = 7
  const FROM_X = 8
  const SIZES = Uint8Array.of(4, 2, 1)

  return (cpu, row, first, start, length) => {
    let a = 0
    let x = 0
    isCopied = false
    for (let at = first; ; at++) {
      const op = code[at]
      const value = k[at]
      switch (op & CLASS) {
        case 0: {
          const mode = op & 0xe0
          if (mode === 0x20 || mode === 0x40) {
            const offset = mode === 0x20 ? value | 0 : (value + x) | 0
            const isField = mode === 0x20 && offset < 0 && offset >= AD_OFF
            a = isField
              ? ancillary(cpu, row, offset - AD_OFF, a, x)
              : load(row, offset, SIZES[(op >>> 3) & 3], start, length)
            if (a === OUT) return 0
          } else a = op === BPF.ldLen ? length : op === BPF.ldMem ? memory[value] : value
          break
        }
        case 1:
          if (op === BPF.ldxMsh) {
            const byte = load(row, value | 0, 1, start, length)
            if (byte === OUT) return 0
            x = (byte & 15) * 4
          } else x = op === BPF.ldxLen ? length : op === BPF.ldxMem ? memory[value] : value
          break
        case 2:
          memory[value] = a
          break
        case 3:
          memory[value] = x
          break
        case 4:
          a = arithmetic(op & ~FROM_X, a, (op & FROM_X) !== 0 ? x : value)
          if (a === OUT) return 0
          break
        case 5:
          if (op === BPF.ja) at += value
          else at += holds(op & ~FROM_X, a, (op & FROM_X) !== 0 ? x : value) ? jt[at] : jf[at]
          break
        case 6:
          return op === BPF.retA ? a : value
        default:
          if (op === BPF.tax) x = a
          else a = x
      }
    }
  }
})
