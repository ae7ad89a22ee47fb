import { dropPlace, PATH_PLACES } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { conservation, pathStages } from '../src/path-stages.js'
import { drop, hostResult, result } from './fixtures.js'

const PLACES: readonly (readonly [where: string, reason: string, place: string])[] = [
  ['wire', 'NIC_WIRE_ERROR', 'wire'],
  ['nic_packet_buffer', 'NIC_RX_MISSED', 'nic'],
  ['nic_ntuple', 'NIC_RX_MISSED', 'nic'],
  ['rx_ring', 'NIC_RX_NO_BUFFER', 'ring'],
  ['bpf_prog_run_xdp', 'XDP_NATIVE_DROP', 'napi'],
  ['xdp_do_redirect', 'XDP', 'napi'],
  ['__alloc_skb', 'NOMEM', 'napi'],
  ['enqueue_to_backlog', 'DEV_READY', 'backlog'],
  ['enqueue_to_backlog', 'CPU_BACKLOG', 'backlog'],
  ['skb_flow_limit', 'CPU_BACKLOG', 'backlog'],
  ['do_xdp_generic', 'NOT_SPECIFIED', 'core'],
  ['__netif_receive_skb_core', 'UNHANDLED_PROTO', 'core'],
  ['ip_rcv_core', 'OTHERHOST', 'ip'],
  ['ip_rcv_core', 'NOT_SPECIFIED', 'ip'],
  ['ip_rcv_finish_core', 'IP_RPFILTER', 'ip'],
  ['ip_rcv_finish_core', 'IP_INVALID_SOURCE', 'ip'],
  ['ip_local_deliver_finish', 'IP_NOPROTO', 'ip'],
  ['__udp4_lib_rcv', 'PKT_TOO_SMALL', 'socket'],
  ['__udp4_lib_rcv', 'NO_SOCKET', 'socket'],
  ['udp_queue_rcv_one_skb', 'SOCKET_RCVBUFF', 'socket'],
  ['tcp_v4_rcv', 'PKT_TOO_SMALL', 'socket'],
  ['icmp_rcv', 'INVALID_PROTO', 'socket'],
  ['udp_recvmsg', 'UDP_CSUM', 'app'],
  ['somewhere_new', 'IP_SOMETHING', 'ip'],
  ['somewhere_new', 'TCP_SOMETHING', 'socket'],
  ['somewhere_new', 'SOMETHING', 'core'],
]

test('every drop has its place on the path', () => {
  for (const [where, reason, place] of PLACES) assert.is(dropPlace({ where, reason }), place, `${where} ${reason}`)
})

test('places pass on what they did not lose, keep or still hold, and the last passes what was delivered', () => {
  const document = result(
    hostResult(),
    [
      drop('rx_ring', 'NIC_RX_NO_BUFFER', 300),
      drop('ip_rcv_core', 'IP_CSUM', 20),
      drop('ip_rcv_core', 'OTHERHOST', 30),
    ],
    { offered: 1000, inFlight: 50 },
  )
  const waiting = { wire: 1, nic: 20, ring: 9, softirq: 5, backlog: 3, socket: 12 }
  const stages = pathStages({ ...document, waiting, packets: { ...document.packets, consumed: 40, delivered: 560 } })
  assert.equal(
    stages.map(({ place }) => place),
    [...PATH_PLACES],
  )
  assert.equal(
    stages.map(({ passed }) => passed),
    [999, 979, 670, 665, 662, 662, 572, 560, 560, 0],
  )
  assert.equal(
    stages.map(({ entered }) => entered),
    [1000, 999, 979, 670, 665, 662, 662, 572, 560, 0],
  )
  assert.equal(
    stages[6]!.drops.map(({ reason }) => reason),
    ['OTHERHOST', 'IP_CSUM'],
  )
  assert.is(
    stages.reduce((sum, { lost }) => sum + lost, 0),
    document.packets.dropped,
  )
})

test('what a router passes on leaves the path at IP for the way out', () => {
  const document = result(hostResult(), [drop('ip_forward', 'IP_INHDR', 10)], { offered: 1000, inFlight: 5 })
  const packets = { ...document.packets, delivered: 0, sent: 985 }
  const waiting = { ...document.waiting, socket: 0, out: 5 }
  const stages = pathStages({ ...document, packets, waiting })
  assert.equal(
    stages
      .filter(({ forwarded }) => forwarded > 0)
      .map(({ place, entered, forwarded, passed }) => [place, entered, forwarded, passed]),
    [['ip', 1000, 990, 0]],
  )
  assert.equal([stages.at(-1)?.entered, stages.at(-1)?.passed], [990, 985])
})

test('conservation names every term and notices a sum that does not hold', () => {
  const packets = { offered: 10, created: 2, delivered: 5, consumed: 1, sent: 2, dropped: 3, in_flight: 1 }
  assert.equal(conservation(packets), {
    text: '10 offered + 2 created = 5 delivered + 1 consumed + 2 sent + 3 dropped + 1 in flight',
    left: 12,
    right: 12,
    holds: true,
  })
  const broken = conservation({ ...packets, dropped: 0, consumed: 0 })
  assert.is(broken.text, '10 offered + 2 created ≠ 5 delivered + 2 sent + 1 in flight')
  assert.not.ok(broken.holds)
})

test.run()
