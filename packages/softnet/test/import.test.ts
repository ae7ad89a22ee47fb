import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import type { ImportDocument } from '../src/commands/import-command.js'
import { comparisonText } from '../src/import/compare-softnet-stat.js'
import { DEVICE_FOLDERS, HOST_FILES } from '../src/import/read-host-directory.js'
import type { ErrorDocument } from '../src/input-fault.js'
import { cliInside, inDirectory } from './cli-process.js'

const HOSTS = fileURLToPath(new URL('../../../../tests/data/hosts/', import.meta.url))
const DEVICE_FILES = DEVICE_FOLDERS.map((folder) => `${folder}/ens1f0`)

/** Calls a test with a directory that holds a copy of the host with four queues, as `host`. */
function withHost(body: (directory: string, host: string) => Promise<void>): () => Promise<void> {
  return inDirectory(async (directory) => {
    cpSync(join(HOSTS, 'ixgbe-4-queues'), join(directory, 'host'), { recursive: true })
    await body(directory, join(directory, 'host'))
  })
}

async function imported(directory: string, ...args: readonly string[]): Promise<ImportDocument> {
  const { code, stdout, stderr } = await cliInside(directory, 'import', 'host', '--format', 'json', ...args)
  assert.is(code, 0, `${stdout}${stderr}`)
  return JSON.parse(stdout)
}

async function refused(directory: string, ...args: readonly string[]): Promise<ErrorDocument['errors']> {
  const { code, stdout, stderr } = await cliInside(directory, 'import', '--format', 'json', ...args)
  assert.is(code, 2, `${stdout}${stderr}`)
  assert.is(stderr, '')
  return (JSON.parse(stdout) as ErrorDocument).errors
}

test(
  'the files of a host become its scenario',
  withHost(async (directory) => {
    const { scenario, remarks } = await imported(directory)
    const { hosts, traffic, ...rest } = scenario as Record<string, Record<string, Record<string, never>>>
    assert.equal(rest, {
      name: 'host',
      kernel: '6.5',
      profile: 'xeon-e5-1650-v4',
      duration: '50ms',
      warmup: '5ms',
    })
    const { devices, sysctl, cpus, hz } = (hosts?.server ?? {}) as Record<string, Record<string, unknown>>
    assert.is(hz, 1000)
    assert.equal(cpus, { count: 8, 'threads-per-core': 2, 'numa-nodes': 1, 'llc-per-node': 1, frequency: '3800MHz' })
    assert.equal(sysctl, {
      'net.core.netdev_budget': 600,
      'net.core.rmem_max': 16_777_216,
      'net.core.rps_sock_flow_entries': 32_768,
      'net.ipv4.udp_mem': [382_758, 510_345, 765_516],
      'net.ipv4.conf.all.rp_filter': 2,
    })
    const { rxfh, ...card } = (devices?.ens1f0 ?? {}) as Record<string, Record<string, unknown>>
    assert.equal(rxfh?.indir, [0, 0, 1, 2, 3, 1, 2, 3])
    assert.equal(card, {
      driver: 'ixgbe',
      address: ['198.51.100.7/24'],
      mtu: 1500,
      link: '10000Mbit',
      rings: { rx: 4096 },
      channels: { combined: 4 },
      coalesce: { 'rx-usecs': 50 },
      'rx-flow-hash': { udp4: 'sdfn' },
      features: { ntuple: 'on' },
      irq: { smp_affinity_list: [0, 2, 0, 6] },
      queues: { rps_cpus: 'aa', rps_flow_cnt: 8192 },
      napi_defer_hard_irqs: 2,
      gro_flush_timeout: 200_000,
    })
    assert.is(traffic?.ens1f0?.rate, '600000pps')
    assert.is(traffic?.ens1f0?.frame, 200)
    const ring = remarks.find((remark) => remark.path === 'hosts.server.devices.ens1f0.rings.rx')
    assert.is(ring?.source, 'ethtool-g/ens1f0:8')
    assert.ok(
      remarks.some(({ kind, text }) => kind === 'ignored' && /ring 8192; this family has 64 to 4096/.test(text)),
    )
    assert.ok(remarks.some(({ kind, text }) => kind === 'ignored' && /docker0/.test(text)))
  }),
)

test(
  'the scenario is written as YAML that says where each value is from, and is checked and run as any other',
  withHost(async (directory) => {
    const { stdout } = await cliInside(directory, 'import', 'host', '--out', 'host.yaml')
    assert.match(stdout, /^wrote host\.yaml: 27 settings found, \d+ guessed/)
    const text = readFileSync(join(directory, 'host.yaml'), 'utf8')
    assert.equal(parse(text), (await imported(directory)).scenario)
    assert.match(text, /rx: 4096 # ethtool-g\/ens1f0:8/)
    assert.match(text, /rate: 600000pps # guess: mean of the 10\.0 s that were watched/)
    assert.is((await cliInside(directory, 'check', 'host.yaml')).code, 0)
    const [fault] = await refused(directory, 'host', '--out', 'host.yaml')
    assert.match(fault?.accepted ?? '', /it exists/)
  }),
)

test(
  'softnet_stat of the host is compared with the simulated one over the time it was watched',
  withHost(async (directory) => {
    const { comparison } = await imported(directory, '--compare', '--duration', '10ms', '--set', 'warmup=0')
    assert.is(comparison?.host_counts, 'watched')
    assert.is(comparison?.host_seconds, 10)
    assert.is(comparison?.simulated_seconds, 0.01)
    const [cpu0, cpu1] = comparison?.cpus ?? []
    assert.is(cpu0?.host.processed, 1200)
    assert.is(cpu1?.host.processed, 1_501_000)
    assert.ok((cpu1?.simulated.processed ?? 0) > 500, 'RPS steers to the odd CPUs in the simulation too')
    assert.is(cpu0?.simulated.received_rps, 0)
    assert.ok(comparison)
    const text = comparisonText(comparison)
    assert.match(text, /host 10\.0 s while it was watched, 602 k\/s; softnet 10\.0 ms/)
    assert.match(text, /cpu1 {3}24\.9 % /)
  }),
)

test('a namespace with a veth device, collected by the script while packets came', async () => {
  const { code, stdout } = await cliInside(HOSTS, 'import', 'veth-namespace', '--format', 'json')
  assert.is(code, 0)
  const { scenario, remarks } = JSON.parse(stdout) as ImportDocument
  const { hosts, traffic } = scenario as Record<string, Record<string, Record<string, unknown>>>
  const devices = (hosts?.server?.devices ?? {}) as Record<string, { driver: string }>
  assert.is(devices.v0?.driver, 'virtio_net')
  assert.is(traffic?.v0?.rate, '16744pps')
  assert.ok(remarks.some(({ kind, text }) => kind === 'guessed' && /nothing sends to veth here/.test(text)))
})

test(
  'without a file its settings are defaults, and the remarks say so',
  withHost(async (directory, host) => {
    for (const file of [...HOST_FILES, ...DEVICE_FILES]) {
      const path = join(host, file)
      const text = readFileSync(path)
      rmSync(path)
      const { remarks } = await imported(directory)
      const isTold = remarks.some(
        (remark) => remark.kind !== 'found' && /no file|no ethtool|defaults?|not know|vector/.test(remark.text),
      )
      assert.ok(isTold, file)
      assert.not.ok(
        remarks.some(({ source }) => source?.startsWith(file)),
        file,
      )
      writeFileSync(path, text)
    }
    for (const file of ['lscpu', 'start/softnet_stat', 'end/softnet_stat', 'start/interrupts', 'end/interrupts']) {
      rmSync(join(host, file))
    }
    const { scenario } = await imported(directory)
    assert.is(
      (scenario as { hosts: { server: { cpus: { count: number } } } }).hosts.server.cpus.count,
      8,
      'as masks name',
    )
    rmSync(host, { recursive: true })
    mkdirSync(host)
    const [fault] = await refused(directory, 'host')
    assert.is(fault?.path, 'DIR')
  }),
)

test(
  'vectors of a card are known by the names of any driver',
  withHost(async (directory, host) => {
    const path = join(host, 'end/interrupts')
    const text = readFileSync(path, 'utf8')
    const names = ['ens1f0-Tx-Rx-', 'ens1f0-rx-', 'i40e-ens1f0-TxRx-', 'mlx5_comp', 'virtio2-input.']
    for (const name of names) {
      const bus = name.startsWith('mlx5') ? '@pci:0000:03:00.0' : ''
      const other = `${text.match(/^ {2}68:.*PCI-MSIX/m)?.[0]}-0000:03:00.0    9-edge      virtio2-output.0\n`
      const named = text.replace(/ens1f0-TxRx-(\d)/g, `${name}$1${bus}`).replace(/^( NMI:)/m, `${other}$1`)
      writeFileSync(path, named.replace(/(PCI-MSIX-0000:03:00\.0 +4-edge +)ens1f0$/m, '$1mlx5_async0@pci:0000:03:00.0'))
      const { scenario } = await imported(directory)
      const { hosts } = scenario as { hosts: { server: { devices: Record<string, { irq: unknown }> } } }
      assert.equal(hosts.server.devices.ens1f0?.irq, { smp_affinity_list: [0, 2, 0, 6] }, name)
    }
  }),
)

test(
  'a setting of words that is not modelled is told and left out',
  withHost(async (directory, host) => {
    const path = join(host, 'sysctl')
    const text = readFileSync(path, 'utf8')
    const qdisc = 'net.core.default_qdisc'
    for (const [word, isModelled] of [
      ['fq_codel', true],
      ['cake', false],
    ] as const) {
      writeFileSync(path, `${text}${qdisc} = ${word}\n`)
      const { scenario, remarks } = await imported(directory)
      const { hosts } = scenario as { hosts: { server: { sysctl: Record<string, unknown> } } }
      assert.is(hosts.server.sysctl[qdisc], isModelled ? word : undefined)
      assert.is(
        remarks.some((remark) => remark.kind === 'ignored' && remark.text.includes('cake')),
        !isModelled,
      )
    }
  }),
)

const WRONG: readonly (readonly [file: string, from: string | RegExp, to: string, at: RegExp, accepted: RegExp])[] = [
  ['uname', /^6.*/, 'Linux', /host\/uname:1$/, /kernel version/],
  ['kernel-config', '1000', '50', /host\/kernel-config:1$/, /CONFIG_HZ=100, 250/],
  ['lscpu', 'CPU(s):                               8', 'CPU(s):   many', /host\/lscpu:2$/, /whole number above 0/],
  ['lscpu', 'CPU(s):                               8', 'CPU(s): 99999', /host\/lscpu:2: hosts\.server\.cpus/, /8192/],
  ['lscpu', 'Architecture:', 'Architecture', /host\/lscpu:1$/, /Name: value/],
  ['sysctl', 'netdev_budget = 600', 'netdev_budget 600', /host\/sysctl:8$/, /name = value/],
  ['sysctl', 'netdev_budget = 600', 'netdev_budget = 0', /host\/sysctl:8: hosts\.server\.sysctl/, /1 to 2147483647/],
  ['sysctl', 'netdev_budget = 600', 'netdev_budget = six', /host\/sysctl:8$/, /a number/],
  ['ip-addr', '198.51.100.7/24', '198.51.100/24', /host\/ip-addr:2$/, /ip -o -4 addr show/],
  ['ip-addr', '198.51.100.7/24', '198.51.100.777/24', /host\/ip-addr:2: hosts/, /IPv4/],
  ['irq-affinity', ':01', ':xy', /host\/irq-affinity:1$/, /hex mask/],
  ['queues', ':aa', ':zz', /host\/queues:1$/, /rps_cpus: a hex mask/],
  ['queues', ':aa', ':aa00', /host\/queues:1$/, /CPUs below 8/],
  ['queues', ':8192', ':-1', /host\/queues:5$/, /whole number/],
  ['devices', 'mtu:1500', 'mtu:15', /host\/devices:1: hosts/, /68/],
  ['devices', '/sys/class/net/ens1f0/mtu:1500', 'ens1f0 1500', /host\/devices:1$/, /\/sys\/class\/net/],
  ['start/uptime', /^\S+/, 'up', /host\/start\/uptime:1$/, /seconds/],
  ['end/softnet_stat', /^\S+/, '12', /host\/end\/softnet_stat:1$/, /eight hex digits/],
  ['end/net_dev', 'ens1f0:', 'ens1f0: x', /host\/end\/net_dev:4$/, /16 numbers/],
  ['end/interrupts', 'CPU0', 'CPUX', /host\/end\/interrupts:1$/, /CPU0 CPU1/],
  ['end/interrupts', /64:\s+\d+/, '64: x', /host\/end\/interrupts:2$/, /8 counts/],
  ['ethtool-g/ens1f0', 'Current hardware settings', 'Now', /host\/ethtool-g\/ens1f0$/, /Current hardware settings/],
  [
    'ethtool-g/ens1f0',
    /RX:\t\t8192\nRX Mini:\tn\/a\nRX Jumbo:\tn\/a\nTX:\t\t512/,
    'RX:\t\tbig',
    /ens1f0:8$/,
    /whole number/,
  ],
  ['ethtool-c/ens1f0', 'rx-usecs:\t50', 'rx-usecs 50', /host\/ethtool-c\/ens1f0:5$/, /name: value/],
  ['ethtool-x/ens1f0', '    8: ', '    9: ', /host\/ethtool-x\/ens1f0:3$/, /from 8 on/],
  ['ethtool-k/ens1f0', 'generic-receive-offload: on', 'generic-receive-offload: maybe', /ens1f0:3$/, /on or off/],
]

test(
  'each fault names file, line and what was expected',
  withHost(async (directory, host) => {
    for (const [file, from, to, at, accepted] of WRONG) {
      const path = join(host, file)
      const text = readFileSync(path, 'utf8')
      assert.is.not(text.replace(from, to), text, `${file} holds ${from}`)
      writeFileSync(path, text.replace(from, to))
      const [fault] = await refused(directory, 'host')
      assert.match(fault?.path ?? '', at, `${file} ${to}`)
      assert.match(fault?.accepted ?? '', accepted, `${file} ${to}`)
      writeFileSync(path, text)
    }
  }),
)

test(
  'huge, binary and cut files are refused, and odd ones of any kind end in exit code 0 or 2',
  withHost(async (directory, host) => {
    const files = [...HOST_FILES, ...DEVICE_FILES]
    const path = join(host, 'lscpu')
    const lscpu = readFileSync(path)
    writeFileSync(path, '')
    truncateSync(path, 8 * 1024 * 1024 + 1)
    assert.match((await refused(directory, 'host'))[0]?.accepted ?? '', /larger than 8388608 bytes/)
    writeFileSync(
      path,
      Uint8Array.from({ length: 256 }, (_, i) => i),
    )
    assert.match((await refused(directory, 'host'))[0]?.accepted ?? '', /not UTF-8 text/)
    rmSync(path)
    mkdirSync(path)
    assert.match((await refused(directory, 'host'))[0]?.accepted ?? '', /it is a directory/)
    rmSync(path, { recursive: true })
    writeFileSync(path, lscpu.subarray(0, lscpu.length - 5))
    assert.match((await refused(directory, 'host'))[0]?.accepted ?? '', /the end of this line is missing/)
    writeFileSync(path, lscpu)
    const edit = fc.record({
      file: fc.constantFrom(...files),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat(40),
      text: fc.oneof(
        fc.string({ maxLength: 12 }),
        fc.constantFrom('0', '-1', '99999999999', ':', '\n', 'ffffffff,', 'CPU'),
      ),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        const before = new Map(edits.map(({ file }) => [file, readFileSync(join(host, file), 'utf8')]))
        for (const { file, at, cut, text } of edits) {
          const old = readFileSync(join(host, file), 'utf8')
          const from = Math.floor(at * old.length)
          writeFileSync(join(host, file), old.slice(0, from) + text + old.slice(from + cut))
        }
        const { code, stdout, stderr } = await cliInside(directory, 'import', 'host', '--format', 'json')
        for (const [file, text] of before) writeFileSync(join(host, file), text)
        assert.ok(code === 0 || code === 2, `${stdout}${stderr}`)
      }),
      { numRuns: 25 },
    )
  }),
)

test(
  'a command line without sense is refused',
  withHost(async (directory) => {
    assert.is((await refused(directory))[0]?.path, 'DIR')
    assert.is((await refused(directory, 'nowhere'))[0]?.path, 'DIR')
    assert.is((await refused(directory, 'host', '--seed', '1'))[0]?.path, '--seed')
    assert.equal(
      (await refused(directory, 'host', '--script', '--compare')).map(({ path }) => path),
      ['DIR', '--compare'],
    )
  }),
)

test(
  'the script is one that a POSIX shell runs, changes nothing, and leaves what import reads',
  inDirectory(async (directory) => {
    const { stdout } = await cliInside(directory, 'import', '--script')
    writeFileSync(join(directory, 'collect.sh'), stdout)
    assert.not.match(stdout, /ethtool -[A-Z] |sysctl -w|> *\/(proc|sys)/, 'options in capitals set something, but -S')
    if (process.platform !== 'linux' || !existsSync('/proc/net/softnet_stat')) return
    const ran = spawnSync('sh', ['collect.sh', 'host', '0'], { cwd: directory, encoding: 'utf8' })
    assert.is(ran.status, 0, ran.stderr)
    const { scenario } = await imported(directory)
    assert.is((scenario as { name: string }).name, 'host')
    assert.is(
      spawnSync('sh', ['collect.sh', 'host', '0'], { cwd: directory }).status,
      1,
      'it writes to a new directory',
    )
  }),
)

test.run()
