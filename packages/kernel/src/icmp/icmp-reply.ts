import { defineSystem } from '@softnet/ecs'
import { ICMP_HLEN } from '@softnet/wire'
import { ipOptions } from '../ip/ip-options.js'
import { ipOptionsEcho } from '../ip/ip-options-echo.js'
import { NUMBERS } from '../numbers.js'
import { Flow } from '../route/flow.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { RouteResult } from '../route/route-result.js'
import { specDst } from '../route/spec-dst.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { ICMP_ALLOW, icmpLimits } from './icmp-limit.js'
import { IcmpMessage, icmpPushReply } from './icmp-push-reply.js'

/** Answers to queries. The request stays as it is; its `len` counts from the ICMP header. */
export interface IcmpReply {
  /** Kernel: net/ipv4/icmp.c, icmp_echo */
  echo(cpu: number, row: number): void
  /** Kernel: net/ipv4/icmp.c, icmp_timestamp */
  timestamp(cpu: number, row: number): void
}

const TIME_BYTES = 12

/** Sends what a request asks for, to where it came from. Kernel: net/ipv4/icmp.c, icmp_reply */
export const icmpReply = defineSystem<IcmpReply>('icmp_reply', 'icmp', 'net/ipv4/icmp.c, icmp_reply', (context) => {
  const { ICMP_TYPE, IPPROTO_ICMP } = NUMBERS

  const { ipWord, len, saddr, tcpSeq, tcpWord } = context.read(Skb)
  const result = context.read(RouteResult)
  const limits = context.system(icmpLimits)
  const bytes = context.system(skbBytes)
  const options = context.system(ipOptions)
  const echoOptions = context.system(ipOptionsEcho)
  const route = context.system(ipRouteOutput)
  const flow = new Flow()
  const spec = context.system(specDst)
  const push = context.system(icmpPushReply)
  const message = new IcmpMessage()

  function reply(cpu: number, row: number): void {
    const echoed = echoOptions(cpu, row)
    if (echoed === null) return
    const { type, code } = message
    const allow = limits.globalAllow(cpu, type, code)
    if (allow === ICMP_ALLOW.no) return
    const source = saddr[row] | 0
    const target = echoed.srr !== 0 ? echoed.faddr : source
    message.tos = (ipWord[row] >>> 8) & 0xff
    message.countedAs = ICMP_TYPE.echoReply
    message.finalDestination = source
    if (route.find(cpu, target, spec(cpu, row), message.tos, 0, flow.set(0, 0, IPPROTO_ICMP, 0, 0)) < 0) return
    if (!limits.peerAllow(cpu, allow, result.daddr[cpu], result.dev[cpu])) return
    push(cpu, message, echoed)
  }

  function begin(row: number, type: number): void {
    message.type = type
    message.rest = tcpSeq[row]
    message.source = row
    message.dataOffset = ((ipWord[row] >>> 24) & 15) * 4 + ICMP_HLEN
  }

  return {
    echo(cpu, row) {
      begin(row, ICMP_TYPE.echoReply)
      message.code = (tcpWord[row] >>> 8) & 255
      message.headBytes = ICMP_HLEN
      message.dataBytes = len[row] - ICMP_HLEN
      reply(cpu, row)
    },
    timestamp(cpu, row) {
      begin(row, ICMP_TYPE.timestampReply)
      message.code = 0
      message.headBytes = ICMP_HLEN + TIME_BYTES
      message.dataBytes = 0
      message.times[0] = bytes.u32(row, message.dataOffset)
      message.times[1] = options.timestamp(cpu)
      message.times[2] = message.times[1]
      reply(cpu, row)
    },
  }
})
