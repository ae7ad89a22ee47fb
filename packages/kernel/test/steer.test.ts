/** Where packets go between CPUs: the flow limit of a backlog and the order rule of RFS. Kernel: net/core/dev.c */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildModel } from '../src/build/build-model.js'
import { Cpu } from '../src/cpu/components.js'
import { steer } from '../src/netif/steer.js'
import { RxQueue } from '../src/nic/components.js'
import { SKB, Skb } from '../src/skb/components.js'
import { skbPool } from '../src/skb/skb-pool.js'
import { backlog } from '../src/softnet/backlog.js'
import { BacklogView, RpsFlow, SockFlow, Softnet } from '../src/softnet/components.js'
import { planOf } from './support/run-model.js'

/** Two CPUs, one queue on the first, RPS and RFS as given. */
function rig(sysctl: object, queues: object) {
  const model = buildModel(
    planOf({
      duration: '1ms',
      traffic: { load: { to: 'host/eth0', rate: '1kpps', start: '1ms' } },
      hosts: {
        host: {
          cpus: 2,
          sysctl,
          devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 1 }, queues } },
          apps: { sink: { sockets: { bind: '0.0.0.0:9000', connect: '198.51.100.1:10000' } } },
        },
      },
    }),
  )
  const { binder, world, layout } = model
  const skb = world.columns(Skb)
  const { packetPool } = world.columns(Cpu)
  const pool = binder.bind(skbPool)
  const cpu = layout.cpus[0] as number
  return {
    model,
    world,
    binder,
    cpu,
    other: layout.cpus[1] as number,
    packet(hash: number) {
      const row = pool.take(packetPool[cpu])
      assert.ok(row !== 0)
      skb.users[row] = 1
      skb.frames[row] = 1
      skb.dev[row] = layout.firstDevice
      skb.queue[row] = layout.firstQueue
      skb.hash[row] = hash
      skb.flags[row] = SKB.l4Hash
      skb.protocol[row] = 0x0800
      return row
    },
  }
}

test('the flow limit begins at half a backlog and drops a flow that is more than half of the last 128 packets', () => {
  const sysctl = { 'net.core.netdev_max_backlog': 400, 'net.core.flow_limit_cpu_bitmap': '1' }
  const { binder, world, cpu, other, packet } = rig(sysctl, { rps_cpus: '2' })
  const queue = binder.bind(backlog)
  const { flowLimitCount, inputCount } = world.columns(Softnet)
  for (let i = 0; i < 200; i++) assert.is(queue.enqueue(cpu, packet(7), 0), 1)
  assert.is(flowLimitCount[cpu], 0, 'below half the backlog nothing is looked at')
  for (let i = 0; i < 64; i++) assert.is(queue.enqueue(cpu, packet(7), 0), 1)
  assert.is(queue.enqueue(cpu, packet(7), 0), 0, 'the 65th of 65 is more than half of 128')
  assert.is(queue.enqueue(cpu, packet(1000), 0), 1, 'another flow goes on')
  assert.equal([flowLimitCount[cpu], flowLimitCount[other], inputCount[cpu]], [1, 0, 265])
  assert.is(queue.enqueue(other, packet(7), 0), 1, 'a CPU outside the bitmap has no limit')
})

test('RFS moves a flow only when its old CPU has taken all packets queued before', () => {
  const sysctl = { 'net.core.rps_sock_flow_entries': 64 }
  const { binder, world, cpu, other, packet, model } = rig(sysctl, { rps_cpus: '3', rps_flow_cnt: 1 })
  const steering = binder.bind(steer)
  const hash = 0xabcdef40
  const sockFlowLength = model.constants.sockFlowLength[cpu]
  const sockFlowCpuMask = model.constants.sockFlowCpuMask[cpu]
  const { entry } = world.columns(SockFlow)
  const { flowView } = world.columns(Cpu)
  const slot = world.columns(RxQueue).flowBase[model.layout.firstQueue]
  const wants = (number: number) => {
    entry[flowView[cpu] * sockFlowLength + (hash & (sockFlowLength - 1))] = ((hash & ~sockFlowCpuMask) | number) >>> 0
  }
  const flow = world.columns(RpsFlow)
  const { queueHead } = world.columns(Softnet)
  const view = world.columns(BacklogView)

  // The flow is on its own CPU, with packets up to number 5 in the backlog.
  flow.cpu[slot] = 0
  flow.lastTail[slot] = 5
  queueHead[cpu] = 4
  wants(1)
  assert.is(steering.cpuOf(cpu, packet(hash)), cpu, 'one is still queued')
  queueHead[cpu] = 5
  assert.is(steering.cpuOf(cpu, packet(hash)), other)
  assert.is(flow.cpu[slot], 1)

  // And back, from a CPU of which only the last report is known.
  const pair = cpu * model.layout.cpuRows + other
  flow.lastTail[slot] = 9
  view.taken[pair] = 8
  wants(0)
  assert.is(steering.cpuOf(cpu, packet(hash)), other)
  view.taken[pair] = 9
  assert.is(steering.cpuOf(cpu, packet(hash)), cpu)
})

test.run()
