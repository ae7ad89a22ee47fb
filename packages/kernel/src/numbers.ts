import { CT_STATE, LATENCY_BUCKETS } from '@softnet/scenario/plan'
import {
  ETH_HLEN,
  ETH_P_IP,
  FAULT_IP_OPTIONS_SHORT,
  FAULT_IP_SHORT,
  FAULT_IP_TOT_LEN_LONG,
  FAULT_IP_TOT_LEN_SHORT,
  FAULT_IP_VERSION,
  FAULT_L4_SHORT,
  IP_DF,
  IP_MF,
  IP_OFFSET,
  IPPROTO_ICMP,
  IPPROTO_IGMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  TCP_ACK,
  TCP_CWR,
  TCP_FIN,
  TCP_PSH,
  VLAN_HLEN,
} from '@softnet/wire'
import { DEVICE_ROWS, DROP_ROWS, GRO_ROWS, SNMP_ROWS, TIMELINE_ROWS } from './count/components.js'
import { DEVICE, GRO } from './count/device.js'
import { DROP } from './count/drops.js'
import { SNMP } from './count/snmp.js'
import { CONTEXT, CONTEXT_ROWS, STAGE_ROWS, VIA } from './cpu/components.js'
import { EVENT } from './cpu/event-kinds.js'
import { STAGE } from './cpu/stage-ids.js'
import { GRO_BUCKETS, IP_HEADER_BYTES, OUTCOME, OUTCOME_LIMIT, PROTO_TCP, PROTO_UDP } from './gro/outcome.js'
import { ICMP_CODE, ICMP_TYPE } from './icmp/icmp-types.js'
import { MODERATION } from './irq/components.js'
import { DEV, NETDEV } from './link/components.js'
import { NAPIF, POLL_KIND } from './napi/components.js'
import { NUD } from './neigh/components.js'
import { NF_ENTRY, NF_HOOK, NFT_FIELD, NFT_OP, NFT_SET, NFT_VERDICT, NO_DEVICE } from './netfilter/components.js'
import { CONN, CTINFO, IPS, MANIP, TRACK } from './netfilter/conntrack-components.js'
import { TCP_CT, TCP_KIND } from './netfilter/tcp-states.js'
import { SEEN, WINDOW } from './netfilter/tcp-window-components.js'
import { RX_HANDLER } from './netif/components.js'
import { FEATURE, IFF, LOOK_FRAMES, XMIT } from './nic/components.js'
import { XOFF } from './nic/tx-components.js'
import { IRQ_KIND } from './observe/trace-sink.js'
import { NIC_FAULT } from './plugin/hooks.js'
import { BANDS, NET_XMIT, QDISC } from './qdisc/components.js'
import { ERRNO, RTCF, RTN, RULE, SCOPE, TABLE } from './route/components.js'
import { IPSKB, PACKET_TYPE, SKB } from './skb/components.js'
import { LIST } from './sock/components.js'
import { SOFTIRQ, SOFTIRQ_PHASE } from './softirq/components.js'
import { BACKLOG_LEVEL } from './softnet/components.js'
import { PC, TASK_KIND, TASK_STATE, WAIT } from './task/components.js'
import { ARRIVAL, MALFORM, PICK, REQUEST } from './traffic/components.js'
import { MSG } from './udp/msg.js'
import { PMTUDISC } from './udp/pmtudisc.js'
import { MIN_FRAME_BYTES, STEER } from './wire/components.js'
import { LINK_KIND } from './wire/link-components.js'
import { XDP } from './xdp/components.js'

/**
 * Tables of numbers: stages, counters, bits, protocol numbers. A system on a packet's way takes those it needs when it is
 * bound (`const { SKB, STAGE } = NUMBERS`), as it does with columns. Then the compiler knows them; what is imported is loaded
 * and checked at each use, which made a packet of `rss-4-queues` a quarter slower.
 */
export const NUMBERS = {
  ARRIVAL,
  BACKLOG_LEVEL,
  BANDS,
  CONN,
  CONTEXT,
  CONTEXT_ROWS,
  CTINFO,
  CT_STATE,
  DEV,
  DEVICE,
  DEVICE_ROWS,
  DROP,
  DROP_ROWS,
  ERRNO,
  ETH_HLEN,
  ETH_P_IP,
  EVENT,
  FAULT_IP_OPTIONS_SHORT,
  FAULT_IP_SHORT,
  FAULT_IP_TOT_LEN_LONG,
  FAULT_IP_TOT_LEN_SHORT,
  FAULT_IP_VERSION,
  FAULT_L4_SHORT,
  FEATURE,
  GRO,
  GRO_BUCKETS,
  GRO_ROWS,
  ICMP_CODE,
  ICMP_TYPE,
  IFF,
  IPPROTO_ICMP,
  IPPROTO_IGMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPS,
  IPSKB,
  IP_DF,
  IP_HEADER_BYTES,
  IP_MF,
  IP_OFFSET,
  IRQ_KIND,
  LATENCY_BUCKETS,
  LINK_KIND,
  LIST,
  LOOK_FRAMES,
  MALFORM,
  MANIP,
  MIN_FRAME_BYTES,
  MODERATION,
  NAPIF,
  NETDEV,
  MSG,
  NET_XMIT,
  NFT_FIELD,
  NFT_OP,
  NFT_SET,
  NFT_VERDICT,
  NF_ENTRY,
  NF_HOOK,
  NIC_FAULT,
  NO_DEVICE,
  NUD,
  OUTCOME,
  OUTCOME_LIMIT,
  PACKET_TYPE,
  PC,
  PICK,
  PMTUDISC,
  POLL_KIND,
  PROTO_TCP,
  PROTO_UDP,
  QDISC,
  REQUEST,
  RTCF,
  RTN,
  RULE,
  RX_HANDLER,
  SCOPE,
  SEEN,
  SKB,
  SNMP,
  SNMP_ROWS,
  SOFTIRQ,
  SOFTIRQ_PHASE,
  STAGE,
  STAGE_ROWS,
  STEER,
  TABLE,
  TASK_KIND,
  TASK_STATE,
  TCP_ACK,
  TCP_CT,
  TCP_CWR,
  TCP_FIN,
  TCP_KIND,
  TCP_PSH,
  TIMELINE_ROWS,
  TRACK,
  VIA,
  VLAN_HLEN,
  WAIT,
  WINDOW,
  XDP,
  XMIT,
  XOFF,
} as const
