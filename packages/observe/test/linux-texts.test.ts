import type { CpuRow, HostResult } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ethtoolText, interruptsText, softirqsText } from '../src/proc/interrupts.js'
import { linuxTexts } from '../src/proc/linux-texts.js'
import { netDevText, netstatText, snmpText, softnetStatText } from '../src/proc/net.js'
import { cpu, hostResult, queue, result } from './fixtures.js'
import { ETHTOOL, INTERRUPTS, NET_DEV, NETSTAT, SNMP, SOFTIRQS, SOFTNET_STAT } from './linux-samples.js'

type Groups = Record<string, Record<string, number>>

/** Counters out of a text in the layout of /proc/net/snmp, so that writing them again must give the text back. */
function readGroups(text: string): Groups {
  const lines = text.trimEnd().split('\n')
  const groups: Groups = {}
  for (let i = 0; i < lines.length; i += 2) {
    const [name = '', ...keys] = lines[i]!.split(' ')
    const [, ...values] = lines[i + 1]!.split(' ')
    groups[name.slice(0, -1)] = Object.fromEntries(keys.map((key, at) => [key, Number(values[at])]))
  }
  return groups
}

/** Rows `name: numbers` of /proc/softirqs and /proc/interrupts, by name. */
function readRows(text: string): Record<string, number[]> {
  const rows = text
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
  return Object.fromEntries(
    rows.map((line) => {
      const [name = '', rest = ''] = line.split(':', 2)
      const numbers = rest.trim().split(/\s+/)
      return [
        name.trim(),
        numbers
          .slice(0, 2)
          .map(Number)
          .filter((value) => !Number.isNaN(value)),
      ]
    }),
  )
}

const two = [cpu(0), cpu(1)]

test('softnet_stat is what Linux 6.18 printed', () => {
  const cpus = [
    cpu(0, {}, { processed: 0x09f90f0b, time_squeeze: 8 }),
    cpu(1, {}, { processed: 0x2230bfa6, dropped: 0x000cdcdc, time_squeeze: 0x000570f7, received_rps: 0x00829b0b }),
  ]
  assert.is(softnetStatText(cpus, '6.18'), SOFTNET_STAT)
})

test('softnet_stat has lengths of queues, and 11 columns on 4.14 and 5.1', () => {
  const cpus: CpuRow[] = [cpu(3, {}, { processed: 2 ** 32 + 5, flow_limit_count: 7, input_qlen: 2, process_qlen: 10 })]
  const start = `00000005${' 00000000'.repeat(9)} 00000007`
  assert.is(softnetStatText(cpus, '4.14'), `${start}\n`)
  assert.is(softnetStatText(cpus, '5.1'), `${start}\n`)
  assert.is(softnetStatText(cpus, '6.5'), `${start} 0000000c 00000003 00000002 0000000a\n`)
})

test('snmp and netstat are what Linux 6.18 printed', () => {
  assert.is(snmpText({ snmp: readGroups(SNMP) }, '6.18'), SNMP)
  assert.is(netstatText({ netstat: readGroups(NETSTAT) }, '6.18'), NETSTAT)
})

test('counters that nothing counted are zero, constants keep their value', () => {
  const text = snmpText({ snmp: {} }, '6.18')
  assert.match(text, /^Ip: Forwarding DefaultTTL .*\nIp: 2 64 0 0/)
  assert.match(text, /\nTcp: 1 200 120000 -1 0 /)
  assert.not.match(text, /IcmpMsg/)
})

test('older kernels print the columns they had', () => {
  const names = (text: string, group: string) =>
    text
      .split('\n')
      .find((line) => line.startsWith(`${group}: `))!
      .split(' ')
      .slice(1)
  const snmp = (kernel: string) => snmpText({ snmp: {} }, kernel)
  assert.is(names(snmp('4.14'), 'Ip').at(-1), 'FragCreates')
  assert.is(names(snmp('6.5'), 'Ip').at(-1), 'FragCreates')
  assert.is(names(snmp('6.18'), 'Ip').at(-1), 'OutTransmits')
  assert.ok(!names(snmp('5.1'), 'Icmp').includes('OutRateLimitGlobal'))
  assert.is(names(snmp('5.1'), 'Udp').at(-1), 'IgnoredMulti')
  assert.is(names(snmp('6.5'), 'Udp').at(-1), 'MemErrors')
  const ext = (kernel: string) => names(netstatText({ netstat: {} }, kernel), 'TcpExt')
  assert.ok(ext('4.14').includes('TCPFACKReorder') && !ext('4.18').includes('TCPFACKReorder'))
  assert.ok(!ext('4.14').includes('TCPDelivered') && ext('4.18').includes('TCPDelivered'))
  assert.ok(!ext('4.18').includes('TCPRcvQDrop') && ext('5.1').includes('TCPRcvQDrop'))
  assert.ok(!ext('6.5').includes('BeyondWindow') && ext('6.18').includes('BeyondWindow'))
  assert.is(ext('6.5').at(-1), 'TCPPLBRehash')
})

test('net/dev is what Linux printed, with missed frames in the drop column', () => {
  const [device] = hostResult().devices
  const none = { ...device!, rx_packets: 0, rx_bytes: 0 }
  const lo = { ...none, name: 'lo' }
  const vb = { ...none, name: 'vb', rx_bytes: 889, rx_packets: 8, tx_bytes: 3435, tx_packets: 6 }
  assert.is(netDevText([lo, vb]), NET_DEV)
  const lossy = {
    ...none,
    name: 'eth0',
    rx_bytes: 1,
    rx_packets: 2,
    rx_errors: 3,
    rx_dropped: 4,
    rx_missed_errors: 5,
    rx_crc_errors: 6,
    multicast: 7,
  }
  assert.is(
    netDevText([lossy]).split('\n')[2],
    '  eth0:       1       2    3    9    0     6          0         7        0       0    0    0    0     0       0          0',
  )
})

test('softirqs is what Linux 6.18 printed', () => {
  assert.is(softirqsText({ cpus: two, softirqs: readRows(SOFTIRQS) }), SOFTIRQS)
})

test('interrupts is what Linux 6.18 printed for a card', () => {
  const dev = 'virtio2'
  const host: HostResult = hostResult({
    cpus: two,
    queues: [37, 38, 39].map((irq, i) => queue(i, 0, { dev, irq })),
    devices: [{ ...hostResult().devices[0]!, name: dev }],
    interrupts: readRows(INTERRUPTS),
    interrupt_names: { '37': 'virtio2-config', '38': 'virtio2-input.0', '39': 'virtio2-output.0' },
  })
  assert.is(interruptsText(host, '6.18'), INTERRUPTS)
})

test('interrupts of older kernels have the old controller name and no row that was not counted', () => {
  const text = interruptsText(hostResult({ cpus: two, interrupts: { '24': [7, 0], LOC: [1, 2] } }), '4.14')
  assert.match(text, /\n 24: {10}7 {10}0 {3}PCI-MSI 49152-edge {6}eth0-rx-0\n/)
  assert.match(text, /\nLOC: {10}1 {10}2 {3}Local timer interrupts\n/)
  assert.not.match(text, /HYP/)
})

test('ethtool -S is what ethtool printed', () => {
  const counters = Object.fromEntries(
    ETHTOOL.trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(': '))
      .map(([name, value]) => [name!, Number(value)]),
  )
  assert.is(ethtoolText(counters), ETHTOOL)
})

test('a host has all its files, each namespace its own', () => {
  const { netns } = hostResult()
  const host = hostResult({
    ethtool: { eth0: { rx_packets: 5 }, 'blue/eth1': { rx_packets: 6 } },
    netns: { blue: netns.init!, init: netns.init! },
  })
  const texts = linuxTexts(result(host), 'server')
  assert.equal(
    texts.map(({ path }) => path),
    [
      'proc/net/softnet_stat',
      'proc/interrupts',
      'proc/softirqs',
      'netns/blue/proc/net/snmp',
      'netns/blue/proc/net/netstat',
      'netns/blue/proc/net/dev',
      'proc/net/snmp',
      'proc/net/netstat',
      'proc/net/dev',
      'ethtool-S/eth0',
      'netns/blue/ethtool-S/eth1',
    ],
  )
  for (const { text } of texts) assert.ok(text.endsWith('\n'))
  assert.equal(linuxTexts(result(host), 'nobody'), [])
})

test.run()
