import { EventHeap, EventRow, eventList } from '@softnet/ecs'
import type { InterfaceConf } from '@softnet/scenario'
import * as wire from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cpu } from '../src/cpu/components.js'
import { EVENT } from '../src/cpu/event-kinds.js'
import { ipFinishOutput2 } from '../src/ip/ip-output.js'
import { arpRcv } from '../src/neigh/arp-rcv.js'
import { Neighbour, NeighTable, NUD } from '../src/neigh/components.js'
import { neighLookup } from '../src/neigh/neigh-lookup.js'
import { neighbours } from '../src/neigh/neighbour.js'
import { NetDev } from '../src/nic/components.js'
import { RTN } from '../src/route/components.js'
import { PACKET_TYPE, Skb } from '../src/skb/components.js'
import { type IpWorld, ip, makeIpWorld } from './support/ip-world.js'

const OUR_MAC = [0x0200, 0x00000001] as const
const PEER_MAC = [0x0200, 0x00000002] as const
const OTHER_MAC = [0x0200, 0x00000003] as const
const ADDRESSES = [
  { name: 'tap0', addresses: ['10.9.0.1/24', '10.9.0.9/24'] },
  { name: 'tap1', addresses: ['10.8.0.1/24'] },
]

function arpWorld(conf: Partial<InterfaceConf> = {}, routes: readonly string[] = []): IpWorld {
  const world = makeIpWorld({ devices: ADDRESSES.map((each) => ({ ...each, conf })), routes })
  const { arp, macHigh, macLow } = world.world.columns(NetDev)
  for (const dev of world.devs) {
    arp[dev] = 1
    macHigh[dev] = OUR_MAC[0]
    macLow[dev] = OUR_MAC[1] + (dev - (world.devs[0] ?? 0)) * 0x100
  }
  return world
}

interface Message {
  readonly op: number
  readonly from: string
  readonly to: string
  readonly mac?: readonly [number, number]
  readonly packetType?: number
}

/** Hands an ARP message to the host. */
function receive(world: IpWorld, { op, from, to, mac = PEER_MAC, packetType = PACKET_TYPE.broadcast }: Message): void {
  const bytes = new Uint8Array(28)
  const [targetHigh, targetLow] = op === wire.ARPOP_REPLY ? OUR_MAC : [0, 0]
  wire.emitArp(new DataView(bytes.buffer), 0, op, mac[0], mac[1], ip(from), targetHigh, targetLow, ip(to))
  const row = world.real(bytes)
  const skb = world.world.columns(Skb)
  skb.protocol[row] = wire.ETH_P_ARP
  skb.packetType[row] = packetType
  world.binder.bind(arpRcv).receive(1, row)
}

/** ARP messages sent so far, as text. */
function spoken(world: IpWorld): string[] {
  return world.sent
    .filter(({ bytes }) => bytes.length === 28)
    .map(({ bytes }) => wire.formatArp(new DataView(bytes.buffer, bytes.byteOffset, 28), 0))
}

/** State of a neighbour, or nothing. */
function stateOf(world: IpWorld, address: string): number | undefined {
  const row = world.binder.bind(neighLookup).find(1, ip(address) | 0, world.devs[0] ?? 0)
  return row === 0 ? undefined : world.world.columns(Neighbour).state[row]
}

/** Sends a packet to a neighbour on the first device. */
function send(world: IpWorld, to: string, columns: Readonly<Record<string, number>> = {}): void {
  const route = { rtType: RTN.unicast, rtFlags: 0, rtDev: world.devs[0] ?? 0, dev: world.devs[0] ?? 0 }
  const row = world.packet({ saddr: ip('10.9.0.1'), daddr: ip(to), ...route, ...columns })
  world.binder.bind(ipFinishOutput2)(1, row)
}

/** Lets time pass and the timers run out. */
function runUntil(world: IpWorld, ms: number): void {
  const events = world.binder.bind(eventList)
  const { a, b, kind, timePs } = world.world.columns(EventRow)
  const { count } = world.world.columns(EventHeap)
  const { clockPs } = world.world.columns(Cpu)
  while ((count[1] ?? 0) > 0 && events.peekPs(1) <= ms * 1e9) {
    const row = events.pop(1)
    clockPs[1] = timePs[row] as number
    if (kind[row] === EVENT.neighTimer) world.binder.bind(neighbours).timer(1, a[row] as number, b[row] as number)
    else world.binder.bind(arpRcv).redo(1, a[row] as number)
  }
  clockPs[1] = ms * 1e9
}

test('a packet waits while three requests are sent, then its sender is told', () => {
  const world = arpWorld()
  send(world, '10.9.0.2')
  send(world, '10.9.0.2')
  assert.equal(spoken(world), ['ARP who-has 10.9.0.2 tell 10.9.0.1'])
  assert.is(stateOf(world, '10.9.0.2'), NUD.incomplete)
  runUntil(world, 999)
  assert.is(spoken(world).length, 1)
  runUntil(world, 2500)
  assert.is(spoken(world).length, 3)
  assert.equal(world.drops(), {})
  runUntil(world, 3010)
  assert.is(spoken(world).length, 3)
  assert.is(stateOf(world, '10.9.0.2'), NUD.failed)
  assert.equal(world.drops(), { 'NEIGH_FAILED@arp_error_report': 2 })
  // The sender is the host itself: the errors come back by loopback.
  assert.is(world.looped.length, 2)
  send(world, '10.9.0.2')
  assert.is(spoken(world).length, 4, 'a failed neighbour is asked again at once')
})

test('an answer lets all waiting packets go in order', () => {
  const world = arpWorld()
  for (const idFrag of [1 << 16, 2 << 16, 3 << 16]) send(world, '10.9.0.2', { idFrag })
  receive(world, { op: wire.ARPOP_REPLY, from: '10.9.0.2', to: '10.9.0.1', packetType: PACKET_TYPE.host })
  assert.is(stateOf(world, '10.9.0.2'), NUD.reachable)
  const packets = world.sent.filter(({ bytes }) => bytes.length !== 28)
  assert.equal(
    packets.map(({ bytes }) => bytes[5]),
    [1, 2, 3],
  )
  assert.is(world.alive(), 0)
})

test('the oldest waiting packet makes room beyond the limit of bytes', () => {
  const world = arpWorld()
  for (let i = 0; i < 3; i++) send(world, '10.9.0.2', { truesize: 100_000 })
  assert.equal(world.drops(), { 'NEIGH_QUEUEFULL@__neigh_event_send': 1 })
})

test('reachable ends after its time; an old address is used at once and asked about later', () => {
  const world = arpWorld()
  receive(world, { op: wire.ARPOP_REQUEST, from: '10.9.0.2', to: '10.9.0.1' })
  assert.is(stateOf(world, '10.9.0.2'), NUD.stale)
  send(world, '10.9.0.2')
  assert.is(world.sent.length, 2, 'the answer and the packet')
  assert.is(stateOf(world, '10.9.0.2'), NUD.delay)
  runUntil(world, 5100)
  assert.is(stateOf(world, '10.9.0.2'), NUD.probe)
  assert.equal(spoken(world).slice(1), ['ARP who-has 10.9.0.2 tell 10.9.0.1'])
  receive(world, { op: wire.ARPOP_REPLY, from: '10.9.0.2', to: '10.9.0.1', packetType: PACKET_TYPE.host })
  assert.is(stateOf(world, '10.9.0.2'), NUD.reachable)
  runUntil(world, 5100 + 45_100)
  assert.is(stateOf(world, '10.9.0.2'), NUD.stale, 'base 30 s, drawn from half to one and a half')
})

test('a probed neighbour that keeps silent fails after three unicast requests', () => {
  const world = arpWorld()
  receive(world, { op: wire.ARPOP_REQUEST, from: '10.9.0.2', to: '10.9.0.1' })
  send(world, '10.9.0.2')
  runUntil(world, 7900)
  assert.is(spoken(world).length, 4)
  runUntil(world, 8100)
  assert.is(stateOf(world, '10.9.0.2'), NUD.failed)
})

interface Answer {
  readonly name: string
  readonly conf?: Partial<InterfaceConf>
  readonly from?: string
  readonly to: string
  readonly answered: boolean
}

const answers: readonly Answer[] = [
  { name: 'own address', to: '10.9.0.1', answered: true },
  { name: 'another one', to: '10.9.0.77', answered: false },
  { name: 'own address of another device', to: '10.8.0.1', answered: true },
  { name: 'sender of another subnet', from: '172.16.0.5', to: '10.9.0.1', answered: true },
  { name: 'is the address free', from: '0.0.0.0', to: '10.9.0.1', answered: true },
  { name: 'arp_ignore 1, own device', conf: { arp_ignore: 1 }, to: '10.9.0.1', answered: true },
  { name: 'arp_ignore 1, another device', conf: { arp_ignore: 1 }, to: '10.8.0.1', answered: false },
  { name: 'arp_ignore 2, same subnet', conf: { arp_ignore: 2 }, to: '10.9.0.1', answered: true },
  {
    name: 'arp_ignore 2, another subnet',
    conf: { arp_ignore: 2 },
    from: '172.16.0.5',
    to: '10.9.0.1',
    answered: false,
  },
  { name: 'arp_ignore 3', conf: { arp_ignore: 3 }, to: '10.8.0.1', answered: true },
  { name: 'arp_ignore 8', conf: { arp_ignore: 8 }, to: '10.9.0.1', answered: false },
  { name: 'arp_filter, way back by this device', conf: { arp_filter: 1 }, to: '10.9.0.1', answered: true },
  { name: 'arp_filter, no way back', conf: { arp_filter: 1 }, from: '172.16.0.5', to: '10.9.0.1', answered: false },
  { name: 'loopback', to: '127.0.0.1', answered: false },
  { name: 'a group', to: '224.0.0.1', answered: false },
  { name: 'another subnet, proxy_arp without forwarding', conf: { proxy_arp: 1 }, to: '10.8.0.2', answered: false },
  { name: 'same device, proxy_arp', conf: { proxy_arp: 1, forwarding: 1 }, to: '10.9.0.77', answered: false },
  {
    name: 'same device, proxy_arp_pvlan',
    conf: { proxy_arp_pvlan: 1, forwarding: 1 },
    to: '10.9.0.77',
    answered: true,
  },
]

for (const { name, conf, from = '10.9.0.2', to, answered } of answers) {
  test(`who-has: ${name}`, () => {
    const world = arpWorld(conf)
    receive(world, { op: wire.ARPOP_REQUEST, from, to, packetType: PACKET_TYPE.host })
    assert.equal(spoken(world), answered ? [`ARP ${to} is-at 02:00:00:00:00:01`] : [])
    assert.is(world.alive(), 0)
  })
}

test('a request for somebody else is answered after a random time below 0.8 s', () => {
  const world = arpWorld({ proxy_arp: 1, forwarding: 1 })
  receive(world, { op: wire.ARPOP_REQUEST, from: '10.9.0.2', to: '10.8.0.2' })
  assert.equal(spoken(world), [])
  assert.is(world.world.columns(NeighTable).proxyQueued[1], 1)
  runUntil(world, 801)
  assert.equal(spoken(world), ['ARP 10.8.0.2 is-at 02:00:00:00:00:01'])
  assert.is(world.alive(), 0)
})

test('nobody gets an entry unasked, unless arp_accept says so', () => {
  const unasked = { op: wire.ARPOP_REPLY, from: '10.9.0.2', to: '10.9.0.1', packetType: PACKET_TYPE.host }
  const make = (arp_accept: number, from: string) => {
    const world = arpWorld({ arp_accept })
    receive(world, { ...unasked, from })
    return stateOf(world, from)
  }
  assert.is(make(0, '10.9.0.2'), undefined)
  assert.is(make(1, '10.9.0.2'), NUD.reachable)
  assert.is(make(1, '172.16.0.5'), NUD.reachable)
  assert.is(make(2, '10.9.0.2'), NUD.reachable)
  assert.is(make(2, '172.16.0.5'), undefined)
})

test('for a second another address does not replace one just learnt, unless announced', () => {
  const learn = (mac: readonly [number, number], ms: number, to: string, op: number = wire.ARPOP_REPLY) => {
    const world = arpWorld()
    send(world, '10.9.0.2')
    receive(world, { op: wire.ARPOP_REPLY, from: '10.9.0.2', to: '10.9.0.1', packetType: PACKET_TYPE.host })
    world.world.columns(Cpu).clockPs[1] = ms * 1e9
    receive(world, { op, from: '10.9.0.2', to, mac })
    const row = world.binder.bind(neighLookup).find(1, ip('10.9.0.2') | 0, world.devs[0] ?? 0)
    return world.world.columns(Neighbour).macLow[row]
  }
  assert.is(learn(OTHER_MAC, 500, '10.9.0.1'), PEER_MAC[1])
  assert.is(learn(OTHER_MAC, 1100, '10.9.0.1'), OTHER_MAC[1])
  assert.is(learn(OTHER_MAC, 500, '10.9.0.2', wire.ARPOP_REQUEST), OTHER_MAC[1])
})

test('the source of a request follows arp_announce', () => {
  const source = (arp_announce: number, saddr: string) => {
    const world = arpWorld({ arp_announce })
    send(world, '10.9.0.2', { saddr: ip(saddr) })
    return spoken(world)[0]?.split(' ').at(-1)
  }
  assert.is(source(0, '10.8.0.1'), '10.8.0.1')
  assert.is(source(0, '172.16.0.5'), '10.9.0.1', 'a forwarded packet')
  assert.is(source(1, '10.8.0.1'), '10.9.0.1')
  assert.is(source(1, '10.9.0.9'), '10.9.0.9')
  assert.is(source(2, '10.9.0.9'), '10.9.0.1')
})

test('a full table gives up what nobody uses, and refuses where there is nothing', () => {
  const world = arpWorld()
  const { rows, thresh2, thresh3, entries } = world.world.columns(NeighTable)
  const lookup = world.binder.bind(neighLookup)
  const limit = rows[1] as number
  thresh2[1] = limit / 2
  thresh3[1] = limit
  for (let i = 0; i < limit; i++) assert.ok(lookup.create(1, (ip('10.9.0.0') + i) | 0, world.devs[0] ?? 0) > 0)
  send(world, '10.20.0.1')
  assert.equal(world.drops(), { 'NEIGH_CREATEFAIL@ip_finish_output2': 1 })
  world.world.columns(Cpu).clockPs[1] = 6e12
  send(world, '10.20.0.1')
  assert.ok((entries[1] as number) <= limit / 2 + 1)
})

test('short and foreign messages are dropped, those for others are not looked at', () => {
  const cases = [
    [new Uint8Array(10), 'PKT_TOO_SMALL@arp_rcv'],
    [Uint8Array.from({ length: 28 }, () => 1), 'NOT_SPECIFIED@arp_rcv'],
    [Uint8Array.from([0, 1, 8, 0, 6, 4, 0, 3, ...new Array<number>(20).fill(9)]), 'NOT_SPECIFIED@arp_process'],
  ] as const
  for (const [bytes, drop] of cases) {
    const world = arpWorld()
    world.binder.bind(arpRcv).receive(1, world.real(bytes))
    assert.equal(world.drops(), { [drop]: 1 })
  }
  const world = arpWorld()
  receive(world, { op: 1, from: '10.9.0.2', to: '10.9.0.1', packetType: PACKET_TYPE.otherhost })
  assert.equal([world.drops(), spoken(world)], [{}, []])
})

test.run()
