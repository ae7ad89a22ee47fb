/** Random cases in the form of recordings: a host with two devices, its settings, and what is written to it. */
import { Draw } from '../support/draw.js'
import { drawFilter } from './draw-filter.js'
import { drawFragments, drawPacket, mutatePacket } from './draw-packet.js'
import type { CaseInput, CaseStep } from './kernel-case.js'

const SYSCTLS: readonly (readonly [string, readonly number[]])[] = [
  ['conf.all.rp_filter', [1, 2]],
  ['conf.tun0.rp_filter', [1, 2]],
  ['conf.tun0.accept_local', [1]],
  ['conf.all.route_localnet', [1]],
  ['conf.tun0.send_redirects', [0]],
  ['conf.all.send_redirects', [0]],
  ['conf.all.shared_media', [0]],
  ['conf.tun0.shared_media', [0]],
  ['icmp_echo_ignore_broadcasts', [0]],
  ['icmp_errors_use_inbound_ifaddr', [1]],
  ['icmp_ratemask', [0, 8]],
  ['ip_default_ttl', [32]],
  ['conf.tun0.forwarding', [0, 1]],
  ['icmp_ignore_bogus_error_responses', [0]],
  ['ipfrag_max_dist', [0, 2]],
  ['ip_forward_use_pmtu', [1]],
]

const RULES = [
  'table ip t1 { chain i { type filter hook input priority 0; udp dport 5001 drop; icmp type echo-request counter;\n }\n}',
  'table ip t2 { chain i { type filter hook input priority 0; udp dport 5000 reject; tcp dport 80 reject with tcp reset;\n }\n}',
  'table ip t3 { chain f { type filter hook forward priority 0; ip ttl < 3 drop; meta l4proto udp reject with icmp host-unreachable;\n }\n}',
  'table ip t4 { chain o { type filter hook output priority 0; icmp type { echo-reply, destination-unreachable } drop;\n }\n}',
  'table ip t5 { chain p { type filter hook postrouting priority 0; oifname "tun1" ip dscp != 0 drop;\n }\n}',
  'table ip t6 { chain p { type filter hook prerouting priority -300; ip saddr 192.0.2.0/24 drop;\n }\n}',
  'table ip t7 { chain p { type nat hook prerouting priority -100; udp dport 5001 dnat to 10.8.0.2:53; tcp dport 80 redirect to :5000;\n }\n}',
  'table ip t8 { chain p { type nat hook postrouting priority 100; oifname "tun1" masquerade;\n }\n}',
  'table ip t9 { chain p { type nat hook postrouting priority 100; oifname "tun1" snat to 10.8.0.1;\n }\n}',
  'table ip t10 { chain o { type nat hook output priority -100; udp dport 53 dnat to 10.8.0.2:5353;\n }\n}',
  'table ip t11 { chain i { type filter hook input priority 0; policy drop; ct state established,related accept; ct state new meta l4proto { icmp, udp } accept;\n }\n}',
  'table ip t12 { chain f { type filter hook forward priority 0; ct state invalid drop;\n }\n}',
]

function drawSysctls(draw: Draw): Record<string, number> {
  const chosen: Record<string, number> = {}
  if (draw.chance(0.6)) chosen['net.ipv4.ip_forward'] = 1
  for (const [name, values] of SYSCTLS) if (draw.chance(0.1)) chosen[`net.ipv4.${name}`] = draw.pick(values)
  if (draw.chance(0.4)) {
    chosen['net.ipv4.conf.all.accept_source_route'] = 1
    chosen['net.ipv4.conf.tun0.accept_source_route'] = 1
  }
  return chosen
}

function drawRoutes(draw: Draw): string[] {
  const routes: string[] = []
  if (draw.chance(0.6)) {
    routes.push('unreachable 198.51.100.0/24', 'prohibit 198.51.101.0/24', 'blackhole 198.51.102.0/24')
    routes.push('throw 198.51.103.0/24', `203.0.113.0/24 via 10.8.0.9${draw.pick(['', ' mtu 500'])}`)
    routes.push('203.0.113.128/25 via 10.8.0.7 metric 5', '203.0.113.128/25 via 10.8.0.8 metric 3')
  }
  if (draw.chance(0.4)) routes.push(`default via ${draw.pick(['10.8.0.254', '10.9.0.254'])}`)
  return routes
}

function drawSockets(draw: Draw): CaseInput['setup']['sockets'] {
  const sockets: {
    name: string
    type: string
    bind: [string, number]
    connect?: [string, number]
    opts?: unknown[]
  }[] = []
  if (draw.chance(0.8)) {
    const opts = draw.chance(0.2) ? { opts: [['IPPROTO_IP', 'IP_ADD_MEMBERSHIP', 'ef0102030a090001']] } : {}
    sockets.push({ name: 'u', type: 'udp', bind: [draw.pick(['0.0.0.0', '10.9.0.1']), 5000], ...opts })
  }
  if (draw.chance(0.4))
    sockets.push({ name: 'c', type: 'udp', bind: ['10.9.0.1', 5001], connect: ['10.9.0.2', 40_000] })
  return sockets
}

/** Calls of the programs behind the sockets between packets. */
function drawCall(draw: Draw, sockets: CaseInput['setup']['sockets']): string | null {
  const socket = sockets.length === 0 ? null : draw.pick(sockets)
  if (socket === null) return null
  const { name } = socket
  const to = draw.pick([
    '10.9.0.2:40000',
    '10.9.0.2:53',
    '10.8.0.2:53',
    '10.9.0.255:53',
    '192.0.2.77:53',
    '203.0.113.5:53',
  ])
  const bytes = draw.pick([4, 4, 100, 1472, 1473, 3000])
  return draw.pick([`recv(${name})`, `recv(${name})`, `SO_ERROR(${name})`, `send(${name},${bytes} bytes, to ${to})`])
}

/** Case number `index` of a seed. */
export function drawCase(seed: number, index: number): CaseInput {
  const draw = new Draw(seed, 0x4000 + index)
  const sockets = drawSockets(draw)
  const steps: CaseStep[] = []
  const packets: { dev: string; hex: string; dynamic: boolean }[] = []
  const write = (dev: string, bytes: Uint8Array): void => {
    steps.push({ do: 'packet', dev })
    packets.push({ dev, hex: Buffer.from(bytes).toString('hex'), dynamic: false })
  }
  const [filtered] = sockets
  if (filtered !== undefined && draw.chance(0.25))
    steps.push({ do: 'app', op: `SO_ATTACH_FILTER(${filtered.name}, ${drawFilter(draw)})` })
  for (let left = draw.between(1, 6); left > 0; left--) {
    const dev = draw.chance(0.85) ? 'tun0' : 'tun1'
    if (draw.chance(0.2)) for (const piece of drawFragments(draw)) write(dev, piece)
    else write(dev, draw.chance(0.2) ? mutatePacket(draw, drawPacket(draw)) : drawPacket(draw))
    const op = draw.chance(0.4) ? drawCall(draw, sockets) : null
    if (op !== null) steps.push({ do: 'app', op })
  }
  const nft = draw.chance(0.3) ? Array.from({ length: draw.between(1, 2) }, () => draw.pick(RULES)) : []
  return {
    name: `random-${seed}-${index}`,
    desc: 'drawn at random',
    setup: {
      devices: [
        {
          name: 'tun0',
          kind: 'tun',
          addrs: draw.pick([['10.9.0.1/24'], ['10.9.0.1/24', '10.9.0.9/24'], ['10.9.0.1/24', '172.16.9.1/16']]),
        },
        { name: 'tun1', kind: 'tun', addrs: ['10.8.0.1/24'], mtu: draw.pick([1500, 600, 1280, 68]) },
      ],
      routes: drawRoutes(draw),
      sysctls: drawSysctls(draw),
      commands: [],
      nft: [...new Set(nft)].join('\n') || null,
      sockets,
    },
    steps,
    packets_in: packets,
  }
}
