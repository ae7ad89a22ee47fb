import { defineSystem, eventList, mix32, streamKey } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { EVENT } from '../cpu/event-kinds.js'
import { wheelExpiry } from '../defrag/timer-wheel.js'
import { devNet } from '../netns/dev-net.js'
import { IgmpDev, IgmpGroup, IgmpMember } from './components.js'
import { IGMP, IGMP_RECORD, igmpSend } from './igmp-send.js'

/** Timers of IGMP; each runs on the CPU that armed it. */
export interface IgmpTimers {
  /** The groups of a host are joined. Kernel: net/ipv4/igmp.c, igmp_group_added */
  join(cpu: number, host: number): void
  /** A device comes up: its groups are reported anew. Kernel: net/ipv4/igmp.c, ip_mc_up */
  up(cpu: number, dev: number): void
  /** A device goes down: nothing is reported any more. Kernel: ip_mc_down */
  down(cpu: number, dev: number): void
  /** One of them has run out: `what` as the event has it. */
  fire(cpu: number, what: number, sequence: number): void
  /** Answers a general query of version 3 within `maxDelayJiffies`. Kernel: igmp_gq_start_timer */
  answerAll(cpu: number, dev: number, maxDelayJiffies: number): void
  /** Answers for the groups of a device that a query names (0: all). Kernel: igmp_mod_timer */
  answer(cpu: number, dev: number, group: number, maxDelayJiffies: number): void
  /** Somebody else has reported a group. Kernel: igmp_heard_report */
  heard(cpu: number, dev: number, group: number): void
  /** A querier of an older version ends reports of changes. */
  stopChanges(cpu: number, dev: number): void
  /** Row of a device in `IgmpDev`. */
  row(cpu: number, dev: number): number
}

const KIND = { change: 0, query: 1, member: 2 } as const
const KINDS = 4
const ROBUSTNESS = 2
const QUERY_INTERVAL_SEC = 125
const RESPONSE_INTERVAL_SEC = 10
const V3_UNSOLICITED_SEC = 1
const V2_UNSOLICITED_SEC = 10
/** Timers run two jiffies longer than drawn. */
const LEAST_JIFFIES = 2
const PURPOSE = 0x69676d70

/** Delays, repetitions and what is sent then. Kernel: net/ipv4/igmp.c, igmp_timer_expire, igmp_ifc_timer_expire, igmp_gq_timer_expire */
export const igmpTimers = defineSystem<IgmpTimers>(
  'igmp_timers',
  'igmp',
  'net/ipv4/igmp.c, igmp_timer_expire',
  (context) => {
    const { dev: groupDev, address, host: groupHost } = context.read(IgmpGroup)
    const m = context.write(IgmpMember)
    const d = context.write(IgmpDev)
    const { clockPs, home } = context.read(Cpu)
    const { plan, hz, jiffyPs, firstDevice, cpuRows } = context.resource(PLAN_CONSTANTS)
    const events = context.system(eventList)
    const send = context.system(igmpSend)
    const space = context.system(devNet)
    const groups = groupDev.length - 1
    const devices = (d.drawn.length - 1) / cpuRows
    const [keyLow, keyHigh] = streamKey(plan.seed, 0, PURPOSE)

    function jiffies(cpu: number): number {
      return Math.floor(clockPs[cpu] / jiffyPs[cpu])
    }

    function row(cpu: number, dev: number): number {
      return 1 + home[cpu] * devices + dev - firstDevice
    }

    function member(cpu: number, group: number): number {
      return home[cpu] * groups + group
    }

    /** Random number of jiffies below `most`, and two. */
    function delay(cpu: number, dev: number, most: number): number {
      const at = row(cpu, dev)
      const word = mix32((keyLow ^ d.drawn[at]) >>> 0, (keyHigh + at) >>> 0)
      d.drawn[at]++
      return Math.floor((word * most) / 4294967296) + LEAST_JIFFIES
    }

    function arm(cpu: number, kind: number, which: number, sequence: number, jiffy: number): void {
      events.push(cpu, cpu, jiffy * jiffyPs[cpu], EVENT.igmpTimer, which * KINDS + kind, sequence, 0)
    }

    function speaks(cpu: number, dev: number): number {
      const now = jiffies(cpu)
      if (d.v1UntilJiffy[row(cpu, dev)] > now) return 1
      return d.v2UntilJiffy[row(cpu, dev)] > now ? 2 : 3
    }

    /** Kernel: igmp_ifc_start_timer */
    function startChange(cpu: number, dev: number, most: number): void {
      const at = row(cpu, dev)
      d.changeSequence[at]++
      arm(cpu, KIND.change, dev, d.changeSequence[at], wheelExpiry(jiffies(cpu), delay(cpu, dev, most)))
    }

    /** Kernel: igmp_start_timer */
    function startMember(cpu: number, group: number, most: number): void {
      const at = member(cpu, group)
      m.running[at] = 1
      m.sequence[at]++
      m.expiresJiffy[at] = wheelExpiry(jiffies(cpu), delay(cpu, groupDev[group], most))
      arm(cpu, KIND.member, group, m.sequence[at], m.expiresJiffy[at])
    }

    /** Kernel: igmpv3_send_cr */
    function change(cpu: number, dev: number): void {
      const at = row(cpu, dev)
      send.begin()
      for (let group = 1; group <= groups; group++) {
        const own = member(cpu, group)
        if (groupDev[group] !== dev || m.changes[own] === 0) continue
        m.changes[own]--
        send.record(cpu, dev, IGMP_RECORD.changeToExclude, address[group])
      }
      send.end(cpu, dev)
      if (d.changeCount[at] === 0) return
      d.changeCount[at]--
      startChange(cpu, dev, V3_UNSOLICITED_SEC * hz[cpu])
    }

    function all(cpu: number, dev: number): void {
      d.queryRunning[row(cpu, dev)] = 0
      send.begin()
      for (let group = 1; group <= groups; group++)
        if (groupDev[group] === dev) send.record(cpu, dev, IGMP_RECORD.isExclude, address[group])
      send.end(cpu, dev)
    }

    /** Kernel: igmp_timer_expire */
    function one(cpu: number, group: number): void {
      const at = member(cpu, group)
      const dev = groupDev[group]
      const version = speaks(cpu, dev)
      m.running[at] = 0
      if (m.unsolicited[at] > 0) {
        m.unsolicited[at]--
        if (m.unsolicited[at] > 0)
          startMember(cpu, group, (version === 3 ? V3_UNSOLICITED_SEC : V2_UNSOLICITED_SEC) * hz[cpu])
      }
      if (version < 3) send.report(cpu, dev, version === 1 ? IGMP.v1Report : IGMP.v2Report, address[group])
      else {
        send.begin()
        send.record(cpu, dev, IGMP_RECORD.isExclude, address[group])
        send.end(cpu, dev)
      }
    }

    function answerOne(cpu: number, group: number, most: number): void {
      const at = member(cpu, group)
      m.unsolicited[at] = 0
      if (m.running[at] !== 0 && m.expiresJiffy[at] - jiffies(cpu) < most) return
      startMember(cpu, group, most)
    }

    /** Kernel: igmp_group_added */
    function added(cpu: number, group: number): void {
      const dev = groupDev[group]
      const at = row(cpu, dev)
      m.unsolicited[member(cpu, group)] = ROBUSTNESS
      m.changes[member(cpu, group)] = ROBUSTNESS
      d.changeCount[at] = ROBUSTNESS
      d.queryIntervalJiffies[at] = QUERY_INTERVAL_SEC * hz[cpu]
      d.responseIntervalJiffies[at] = RESPONSE_INTERVAL_SEC * hz[cpu]
      startChange(cpu, dev, 1)
    }

    return {
      row,
      join(cpu, host) {
        for (let group = 1; group <= groups; group++) if (groupHost[group] === host) added(cpu, group)
      },
      up(cpu, dev) {
        d.v1UntilJiffy[row(cpu, dev)] = 0
        d.v2UntilJiffy[row(cpu, dev)] = 0
        for (let group = 1; group <= groups; group++) if (groupDev[group] === dev) added(cpu, group)
      },
      down(cpu, dev) {
        d.changeCount[row(cpu, dev)] = 0
        d.changeSequence[row(cpu, dev)]++
        d.queryRunning[row(cpu, dev)] = 0
        for (let group = 1; group <= groups; group++) {
          if (groupDev[group] !== dev) continue
          m.running[member(cpu, group)] = 0
          m.unsolicited[member(cpu, group)] = 0
        }
      },
      fire(cpu, what, sequence) {
        const which = Math.floor(what / KINDS)
        const kind = what % KINDS
        space.ofDevice(cpu, kind === KIND.member ? groupDev[which] : which)
        if (kind === KIND.change && d.changeSequence[row(cpu, which)] === sequence) change(cpu, which)
        if (
          kind === KIND.query &&
          d.queryRunning[row(cpu, which)] !== 0 &&
          d.querySequence[row(cpu, which)] === sequence
        )
          all(cpu, which)
        if (kind === KIND.member && m.running[member(cpu, which)] !== 0 && m.sequence[member(cpu, which)] === sequence)
          one(cpu, which)
      },
      answerAll(cpu, dev, maxDelayJiffies) {
        const at = row(cpu, dev)
        const expires = wheelExpiry(jiffies(cpu), delay(cpu, dev, maxDelayJiffies))
        if (d.queryRunning[at] !== 0 && expires >= d.queryExpiresJiffy[at]) return
        d.queryRunning[at] = 1
        d.queryExpiresJiffy[at] = expires
        d.querySequence[at]++
        arm(cpu, KIND.query, dev, d.querySequence[at], expires)
      },
      answer(cpu, dev, wanted, maxDelayJiffies) {
        for (let group = 1; group <= groups; group++) {
          if (groupDev[group] !== dev || (wanted !== 0 && (address[group] | 0) !== wanted)) continue
          answerOne(cpu, group, maxDelayJiffies)
        }
      },
      heard(cpu, dev, wanted) {
        for (let group = 1; group <= groups; group++) {
          if (groupDev[group] !== dev || (address[group] | 0) !== wanted) continue
          m.running[member(cpu, group)] = 0
          m.unsolicited[member(cpu, group)] = 0
          return
        }
      },
      stopChanges(cpu, dev) {
        d.changeCount[row(cpu, dev)] = 0
        d.changeSequence[row(cpu, dev)]++
      },
    }
  },
)
