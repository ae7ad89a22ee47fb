import { defineSystem, randomStreams } from '@softnet/ecs'
import { Flow, Source, SourceState } from './components.js'
import { flowPick } from './flow-pick.js'
import { sourceClock } from './source-clock.js'

/** Sources whose datagrams come in fragments. */
export interface FragmentSource {
  /** Begins the first datagram; after the source's clock was started. */
  begin(source: number): void
  /** Goes on to the next fragment that is not lost: of this datagram, at the same time, or of a later one. */
  advance(source: number): void
  /** Position of the next fragment among all of its datagram, from 0. */
  index(source: number): number
}

/**
 * Fragments of a datagram want to be sent at the same time: the link spaces them. Lost ones are left out.
 * Kernel: net/ipv4/ip_output.c, ip_do_fragment (of the sender)
 */
export const fragmentSource = defineSystem<FragmentSource>(
  'fragment_source',
  'traffic',
  'net/ipv4/ip_output.c, ip_do_fragment',
  (context) => {
    const { fragFirst, fragCount, fragReverse, fragLoseShare, stream } = context.read(Source)
    const { fragFlow, fragAt, nextPs, sent } = context.write(SourceState)
    const { ipId } = context.write(Flow)
    const random = context.system(randomStreams)
    const flows = context.system(flowPick)
    const clock = context.system(sourceClock)

    function datagram(s: number): void {
      fragFlow[s] = flows.next(s)
      fragAt[s] = 0
      sent[s]++
    }

    function isLost(s: number): boolean {
      return fragLoseShare[s] > 0 && random.word(stream[s]) < fragLoseShare[s]
    }

    function step(s: number): void {
      fragAt[s]++
      if (fragAt[s] < fragCount[s]) return
      ipId[fragFlow[s]]++
      clock.advance(s)
      if (nextPs[s] !== Number.POSITIVE_INFINITY) datagram(s)
    }

    function skipLost(s: number): void {
      while (nextPs[s] !== Number.POSITIVE_INFINITY && isLost(s)) step(s)
    }

    return {
      begin(s) {
        if (nextPs[s] === Number.POSITIVE_INFINITY) return
        datagram(s)
        skipLost(s)
      },
      advance(s) {
        step(s)
        skipLost(s)
      },
      index: (s) => fragFirst[s] + (fragReverse[s] === 0 ? fragAt[s] : fragCount[s] - 1 - fragAt[s]),
    }
  },
)
