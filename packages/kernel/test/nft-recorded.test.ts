import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeNftWorld } from './support/nft-world.js'

const test = suite('rulesets recorded on Linux')

interface Recording {
  readonly cases: readonly {
    readonly nft: string
    readonly packets: readonly string[]
    readonly counters: readonly (readonly [packets: number, bytes: number])[]
    readonly entries?: readonly string[]
    readonly invalid?: number
    readonly icmp_error?: number
  }[]
}

/** Time between two packets; limits of the cases fill by less than one packet in a whole case. */
const GAP_NS = 20_000

function read(name: string): Recording {
  return JSON.parse(readFileSync(new URL(`../../../../tests/data/nft/${name}`, import.meta.url), 'utf8')) as Recording
}

/** As the recordings of connections were made: what the host itself sent was not tracked. */
const UNTRACKED = 'table ip sent { chain o { type filter hook output priority -300; notrack; } }'

/** A line of /proc/net/nf_conntrack without what depends on time and references. */
function withoutTime(line: string): string {
  return line.replace(/^(\S+ +\d+ +\S+ +\d+) \d+ /, '$1 ').replace(/ use=\d+$/, '')
}

for (const name of ['rules.json', 'connections.json']) {
  read(name).cases.forEach(({ nft, packets, counters, entries, invalid, icmp_error }, index) => {
    test(`${name} ${index}`, () => {
      const world = makeNftWorld(entries === undefined ? nft : `${nft}\n${UNTRACKED}`, {
        'net.netfilter.nf_conntrack_tcp_be_liberal': name === 'connections.json' ? 1 : 0,
      })
      for (const hex of packets) {
        world.deliver(world.packet(Uint8Array.from(Buffer.from(hex, 'hex'))))
        world.wait(GAP_NS)
      }
      const counted = world.listing().flatMap((text) => [...text.matchAll(/packets (\d+) bytes (\d+)/g)])
      assert.equal(
        counted.map(([, count, bytes]) => [Number(count), Number(bytes)]),
        counters,
        nft,
      )
      const { conntrack } = world.netfilter()
      if (entries === undefined || conntrack === undefined) return
      assert.equal(conntrack.entries.map(withoutTime).sort(), entries)
      const total = (key: 'invalid' | 'icmp_error'): number => conntrack.stat.reduce((sum, row) => sum + row[key], 0)
      assert.equal([total('invalid'), total('icmp_error')], [invalid, icmp_error])
    })
  })
}

test.run()
