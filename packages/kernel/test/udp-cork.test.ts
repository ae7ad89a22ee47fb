import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FEATURE, NetDev } from '../src/nic/components.js'
import { ERRNO } from '../src/route/components.js'
import { SockSend } from '../src/sock/sock-wfree.js'
import { MSG } from '../src/udp/msg.js'
import { udpSendmsg } from '../src/udp/udp-sendmsg.js'
import { type IpWorld, ip, makeIpWorld, socket } from './support/ip-world.js'

/** What Linux 6.18 did, see tests/data/oracle/README.md. */
interface Recorded {
  readonly cork: readonly (readonly [0 | 1, number, readonly number[], readonly number[]])[]
  readonly cork_turns: readonly number[]
}
const FILE = new URL('../../../../tests/data/oracle/udp-send.json', import.meta.url)
const recorded = JSON.parse(readFileSync(FILE, 'utf8')) as Recorded

const TO = ip('192.0.2.9') | 0

function machine(gathers: boolean): IpWorld {
  const sockets = [socket({ send: { corks: true } }), socket({ port: 5001, send: { corks: true } })]
  const world = makeIpWorld({ sockets, routes: [] })
  for (const dev of world.devs) world.world.columns(NetDev).features[dev] = gathers ? FEATURE.scatterGather : 0
  return world
}

/** Writes `bytes` more; `sk_wmem_alloc` of the socket, or minus the errno. */
function write(world: IpWorld, sock: number, bytes: number): number {
  const sent = world.binder.bind(udpSendmsg).send(1, sock, bytes, TO, 7, null, 0, MSG.more)
  return sent < 0 ? sent : world.world.columns(SockSend).wmemAlloc[sock]
}

for (const [gathers, segment, payloads, wmem] of recorded.cork) {
  const what = `${payloads.length} calls from ${payloads[0]} bytes on, UDP_SEGMENT ${segment}, scatter-gather ${gathers}`
  test(`corked data takes as much of the send buffer as in Linux: ${what}`, () => {
    const world = machine(gathers === 1)
    world.world.columns(SockSend).segmentBytes[1] = segment
    assert.equal(
      payloads.map((bytes) => write(world, 1, bytes)),
      wmem,
    )
    world.binder.bind(udpSendmsg).uncork(1, 1)
    assert.is(world.alive(), 0)
    assert.is(world.world.columns(SockSend).wmemAlloc[1], 0)
  })
}

test('two sockets that take turns use up their fragments as in Linux', () => {
  const world = machine(true)
  const found = recorded.cork_turns.map(() => {
    const first = write(world, 1, 8)
    write(world, 2, 8)
    return first
  })
  assert.equal(found, recorded.cork_turns)
  assert.is(found[18], -ERRNO.EMSGSIZE)
  assert.equal(world.drops(), { 'NOT_SPECIFIED@__ip_flush_pending_frames': 2 })
})

test.run()
