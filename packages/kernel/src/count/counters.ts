import { type BindContext, defineSystem } from '@softnet/ecs'
import { dropPlace } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { netRow } from '../netns/net-row.js'
import { NUMBERS } from '../numbers.js'
import {
  DeviceCount,
  DropCount,
  DropTimeline,
  GroCount,
  ICMP_MSG_ROWS,
  IcmpMsgCount,
  PacketCount,
  SnmpCount,
  Timeline,
} from './components.js'
import { DROP_PLACES } from './drops.js'

/** Functions that move counters; all take the CPU entity the code runs on (0: a wire). */
export interface Counters {
  snmp(cpu: number, id: number, n: number): void
  device(deviceIndex: number, cpu: number, id: number, n: number): void
  gro(cpu: number, id: number, n: number): void
  /** Loses `frames` wire frames at time `nowPs`. */
  drop(cpu: number, id: number, frames: number, nowPs: number): void
  /** Frames that the kernel used up itself. */
  consume(cpu: number, frames: number): void
  /** Counts an ICMP message of a type, received or sent. Kernel: ICMPMSGIN_INC_STATS, ICMPMSGOUT_INC_STATS */
  icmpMsg(cpu: number, type: number, sent: boolean): void
  /** Packets that the host has made itself. */
  created(cpu: number, frames: number): void
  /** Frames that left a device of the host. */
  sent(cpu: number, frames: number): void
  /** Wire frames that a reader on this CPU has just got. */
  delivered(cpu: number, frames: number): void
}

/** Counters per CPU, so that no two CPUs write one cache line. Kernel: include/net/snmp.h, SNMP_ADD_STATS */
export const counters = defineSystem<Counters>(
  'counters',
  'count',
  'include/net/snmp.h, SNMP_ADD_STATS',
  (context: BindContext) => {
    const { DEVICE_ROWS, DROP_ROWS, GRO_ROWS, SNMP_ROWS, TIMELINE_ROWS } = NUMBERS

    const { value: snmpValue } = context.write(SnmpCount)
    const { value: deviceValue } = context.write(DeviceCount)
    const { value: groValue } = context.write(GroCount)
    const { frames: dropFrames } = context.write(DropCount)
    const { delivered, dropped, consumed, created, sent } = context.write(PacketCount)
    const { value: icmpValue } = context.write(IcmpMsgCount)
    const { delivered: timelineDelivered } = context.write(Timeline)
    const droppedAt = context.write(DropTimeline)
    const timelineDropped = DROP_PLACES.map((place) => droppedAt[dropPlace(place)])
    const { cpuRows, timelinePs, plan, nets } = context.resource(PLAN_CONSTANTS)
    const { clockPs, intervalRow, intervalEndPs, net } = context.write(Cpu)
    const several = nets !== undefined && nets.length > plan.hosts.length
    const firstRow = several ? Int32Array.from(nets, (_, at) => netRow(at, plan.hosts.length, cpuRows)) : null

    function nextInterval(cpu: number): void {
      const interval = Math.min(TIMELINE_ROWS - 1, Math.floor(clockPs[cpu] / timelinePs))
      intervalRow[cpu] = cpu * TIMELINE_ROWS + interval
      intervalEndPs[cpu] = interval === TIMELINE_ROWS - 1 ? Number.POSITIVE_INFINITY : (interval + 1) * timelinePs
    }

    return {
      snmp:
        firstRow === null
          ? (cpu, id, n) => {
              snmpValue[cpu * SNMP_ROWS + id] += n
            }
          : (cpu, id, n) => {
              snmpValue[(firstRow[net[cpu]] + cpu) * SNMP_ROWS + id] += n
            },
      device(deviceIndex, cpu, id, n) {
        deviceValue[(deviceIndex * cpuRows + cpu) * DEVICE_ROWS + id] += n
      },
      gro(cpu, id, n) {
        groValue[cpu * GRO_ROWS + id] += n
      },
      drop(cpu, id, frames, nowPs) {
        dropFrames[cpu * DROP_ROWS + id] += frames
        dropped[cpu] += frames
        timelineDropped[id][cpu * TIMELINE_ROWS + Math.min(TIMELINE_ROWS - 1, Math.floor(nowPs / timelinePs))] += frames
      },
      consume(cpu, frames) {
        consumed[cpu] += frames
      },
      icmpMsg(cpu, type, isSent) {
        const first = firstRow === null ? 0 : firstRow[net[cpu]]
        icmpValue[(first + cpu) * ICMP_MSG_ROWS + type + (isSent ? 256 : 0)]++
      },
      created(cpu, frames) {
        created[cpu] += frames
      },
      sent(cpu, frames) {
        sent[cpu] += frames
      },
      delivered(cpu, frames) {
        delivered[cpu] += frames
        if (clockPs[cpu] >= intervalEndPs[cpu]) nextInterval(cpu)
        timelineDelivered[intervalRow[cpu]] += frames
      },
    }
  },
)
