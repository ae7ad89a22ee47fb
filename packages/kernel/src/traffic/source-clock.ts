import { defineSystem, randomStreams } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { ReadyRequest, ReplayFrame, Source, SourceState } from './components.js'

/** When sources send. */
export interface SourceClock {
  /** Sets the time of a source's first frame. */
  start(source: number): void
  /** Moves a source on to its next frame, after one was decided; `SourceState.sent` already counts it. */
  advance(source: number): void
}

/** From here on the law of large numbers stands for drawing every period of an on/off source. */
const MANY_PERIODS = 1000

/**
 * Times at which sources want to send, in whole ps with the rest carried on, so that mean rates are exact. A source
 * that wants more than the link carries falls behind and then sends back to back. Kernel: net/core/pktgen.c, spin
 */
export const sourceClock = defineSystem<SourceClock>(
  'source_clock',
  'traffic',
  'net/core/pktgen.c, spin',
  (context) => {
    const { ARRIVAL } = NUMBERS

    const source = context.read(Source)
    const {
      kind,
      stream,
      startPs,
      stopPs,
      limitPackets,
      gapWhole,
      gapRest: gapRestStep,
      gapDenominator,
      onPs,
      offPs,
      random: randomPeriods,
      rampFrom,
      rampGrowth2,
      burstFrames,
      everyPs,
      readyBase,
      readyMask,
      frameBase,
      frameCount,
      roundPs,
      rounds,
    } = source
    const state = context.write(SourceState)
    const { nextPs, sent, gapRest, onEndPs, burstLeft, readyHead, readyTail, replayIndex, round } = state
    const { timePs: readyPs } = context.read(ReadyRequest)
    const { offsetPs } = context.read(ReplayFrame)
    const random = context.system(randomStreams)

    /** Adds one gap of the nominal rate to the source's time. */
    function addGap(s: number): void {
      let gap = gapWhole[s]
      if (gapRestStep[s] !== 0) {
        const rest = gapRest[s] + gapRestStep[s]
        if (rest >= gapDenominator[s]) {
          gap++
          gapRest[s] = rest - gapDenominator[s]
        } else {
          gapRest[s] = rest
        }
      }
      nextPs[s] += gap
    }

    function addRandomGap(s: number): void {
      const mean = gapWhole[s] + gapRestStep[s] / gapDenominator[s]
      const gap = random.exponential(stream[s]) * mean + gapRest[s]
      const whole = Math.floor(gap)
      gapRest[s] = gap - whole
      nextPs[s] += whole
    }

    function period(s: number, mean: number): number {
      return randomPeriods[s] === 0 ? mean : Math.floor(random.exponential(stream[s]) * mean)
    }

    /** The source's rate runs on its on time only: what falls behind the end of an on period moves past the pause. */
    function skipPauses(s: number): void {
      const over = nextPs[s] - onEndPs[s]
      if (over < 0) return
      const on = onPs[s]
      if (randomPeriods[s] === 0 || over > MANY_PERIODS * on) {
        const periods = Math.floor(over / on) + 1
        nextPs[s] += periods * offPs[s]
        onEndPs[s] += periods * (on + offPs[s])
        return
      }
      while (nextPs[s] >= onEndPs[s]) {
        const off = period(s, offPs[s])
        nextPs[s] += off
        onEndPs[s] += off + period(s, on)
      }
    }

    /** Packet k of a ramp is sent when the integral of the rate reaches k. */
    function rampTime(s: number): number {
      const k = sent[s]
      const from = rampFrom[s]
      if (k === 0) return from === 0 && rampGrowth2[s] <= 0 ? Number.POSITIVE_INFINITY : startPs[s]
      const square = from * from + rampGrowth2[s] * k
      if (square < 0) return Number.POSITIVE_INFINITY
      return startPs[s] + Math.floor((2 * k) / (from + Math.sqrt(square)))
    }

    function nextReplay(s: number): void {
      let index = replayIndex[s] + 1
      if (index >= frameCount[s]) {
        index = 0
        round[s]++
      }
      replayIndex[s] = index
      nextPs[s] =
        round[s] >= rounds[s]
          ? Number.POSITIVE_INFINITY
          : startPs[s] + round[s] * roundPs[s] + offsetPs[frameBase[s] + index]
    }

    function stopIfDone(s: number): void {
      if (nextPs[s] >= stopPs[s] || sent[s] >= limitPackets[s]) nextPs[s] = Number.POSITIVE_INFINITY
    }

    return {
      start(s) {
        nextPs[s] = startPs[s]
        const k = kind[s]
        if (k === ARRIVAL.ramp) nextPs[s] = rampTime(s)
        else if (k === ARRIVAL.burst) burstLeft[s] = burstFrames[s]
        else if (k === ARRIVAL.poisson) addRandomGap(s)
        else if (k === ARRIVAL.onoff) {
          onEndPs[s] = startPs[s] + period(s, onPs[s])
          skipPauses(s)
        } else if (k === ARRIVAL.replay && (frameCount[s] === 0 || rounds[s] === 0))
          nextPs[s] = Number.POSITIVE_INFINITY
        else if (k === ARRIVAL.closed) {
          nextPs[s] =
            readyHead[s] === readyTail[s]
              ? Number.POSITIVE_INFINITY
              : readyPs[readyBase[s] + ((readyHead[s] & readyMask[s]) >>> 0)]
        }
        stopIfDone(s)
      },
      advance(s) {
        const k = kind[s]
        if (k === ARRIVAL.constant) addGap(s)
        else if (k === ARRIVAL.poisson) addRandomGap(s)
        else if (k === ARRIVAL.onoff) {
          addGap(s)
          skipPauses(s)
        } else if (k === ARRIVAL.ramp) nextPs[s] = rampTime(s)
        else if (k === ARRIVAL.burst) {
          burstLeft[s]--
          if (burstLeft[s] === 0) {
            burstLeft[s] = burstFrames[s]
            nextPs[s] += everyPs[s]
          }
        } else if (k === ARRIVAL.replay) nextReplay(s)
        // A closed source's ring of ready requests has set its time already.
        stopIfDone(s)
      },
    }
  },
)
