/** A server that prefers polling keeps its interrupt masked while there is work, and nobody waits for the timeout. */
import type { ScenarioInput } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runScenario } from './support/run-scenario.js'

const SCENARIO: ScenarioInput = {
  name: 'irq-suspension',
  duration: '4ms',
  warmup: 0,
  hosts: {
    server: {
      cpus: 1,
      devices: {
        eth0: {
          driver: 'mlx5',
          channels: { combined: 1 },
          coalesce: { 'adaptive-rx': 'off', 'rx-usecs': 8 },
          napi_defer_hard_irqs: 100,
          gro_flush_timeout: '20us',
          'irq-suspend-timeout': '20ms',
        },
      },
      apps: {
        server: {
          kind: 'udp_echo',
          cpus: [0],
          work: '2us',
          epoll: { prefer_busy_poll: 'on', busy_poll_budget: 64 },
          sockets: { bind: '0.0.0.0:9000' },
        },
      },
    },
  },
  traffic: { clients: { kind: 'closed', clients: 16, think: '100us', flows: { count: 16, dport: 9000 } } },
}

test('a suspended interrupt is resumed when a poll finds nothing', () => {
  const { report } = runScenario(SCENARIO)
  const [queue] = report.hosts.server?.queues ?? []
  // Without the resume the clients would wait for 20 ms after their first request.
  assert.ok(report.packets.delivered > 200, `${report.packets.delivered} requests`)
  assert.ok((report.latency_ns?.max ?? Number.POSITIVE_INFINITY) < 200_000)
  assert.ok((queue?.irqs ?? 99) <= 2, `${queue?.irqs} interrupts`)
  assert.ok((queue?.polls ?? 0) > 50)
})

test.run()
