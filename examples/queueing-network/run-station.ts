/** The one system of a queueing network: a station does what is due. */
import { defineSystem, EventRow, eventList, randomStreams } from '@softnet/ecs'
import { EVENT, Route, SLOTS, Station, Walk, Walker } from './stations.js'

/** A station, by its entity. */
export interface RunStation {
  /** First customers from outside. */
  begin(id: number): void
  /** When it does something next; Infinity: never, if nobody comes. */
  nextUs(id: number): number
  /** Does everything strictly before a time, or until a walk is full; true if it did anything. */
  run(id: number, untilUs: number): boolean
  /** Takes in who was seen to leave for it. */
  takeIn(id: number): void
  /** Brings the integrals over time up to a time. */
  account(id: number, nowUs: number): void
}

/** Binds the system of a network of `n` stations with walks of a length. */
export const runStation = (n: number, walkUs: number) =>
  defineSystem<RunStation>('run_station', 'station', 'none', (context) => {
    const { servers, meanServiceUs, meanGapUs } = context.read(Station)
    const { busy, waiting, changedUs, busyUs, waitingUs, arrived } = context.write(Station)
    const { timePs: timeUs, kind } = context.read(EventRow)
    const { share } = context.read(Route)
    const { base, sent, sentSeen, taken, takenSeen } = context.write(Walk)
    const { atUs, order } = context.write(Walker)
    const events = context.system(eventList)
    const random = context.system(randomStreams)

    function account(id: number, nowUs: number): void {
      const length = nowUs - changedUs[id]
      busyUs[id] += busy[id] * length
      waitingUs[id] += waiting[id] * length
      changedUs[id] = nowUs
    }

    function serve(id: number, nowUs: number): void {
      busy[id]++
      events.push(id, id, nowUs + random.exponential(id) * meanServiceUs[id], EVENT.served, 0, 0, 0)
    }

    function arrive(id: number, nowUs: number): void {
      account(id, nowUs)
      arrived[id]++
      if (busy[id] < servers[id]) serve(id, nowUs)
      else waiting[id]++
    }

    function comeFromOutside(id: number, nowUs: number): void {
      events.push(id, id, nowUs + random.exponential(id) * meanGapUs[id], EVENT.fromOutside, 0, 0, 0)
    }

    /** A served customer walks to the next station, or leaves the network. */
    function leave(id: number, nowUs: number): void {
      let drawn = random.uniform(id)
      for (let to = 0; to < n; to++) {
        const walk = (id - 1) * n + to
        if (drawn < share[walk]) {
          const slot = base[walk] + (sent[walk] % SLOTS)
          events.nextOrder(id)
          atUs[slot] = nowUs + walkUs
          order[slot] = events.due[1]
          sent[walk]++
          return
        }
        drawn -= share[walk]
      }
    }

    /** A walk could be taken whichever way the next customer goes, so a station waits while any of its walks is full. */
    function hasRoom(id: number): boolean {
      for (let to = 0; to < n; to++) {
        const walk = (id - 1) * n + to
        if (sent[walk] - takenSeen[walk] >= SLOTS) return false
      }
      return true
    }

    return {
      begin(id) {
        if (meanGapUs[id] > 0) comeFromOutside(id, 0)
      },
      nextUs: (id) => events.peekPs(id),
      run(id, untilUs) {
        let progress = false
        while (events.peekPs(id) < untilUs && hasRoom(id)) {
          const row = events.pop(id)
          const nowUs = timeUs[row]
          const what = kind[row]
          if (what === EVENT.served) {
            account(id, nowUs)
            busy[id]--
            leave(id, nowUs)
            if (waiting[id] > 0) {
              waiting[id]--
              serve(id, nowUs)
            }
          } else {
            arrive(id, nowUs)
            if (what === EVENT.fromOutside) comeFromOutside(id, nowUs)
          }
          progress = true
        }
        return progress
      },
      takeIn(id) {
        for (let from = 0; from < n; from++) {
          const walk = from * n + id - 1
          for (; taken[walk] !== sentSeen[walk]; taken[walk]++) {
            const slot = base[walk] + (taken[walk] % SLOTS)
            events.due[0] = atUs[slot]
            events.due[1] = order[slot]
            events.insert(id, EVENT.fromStation, 0, 0, 0)
          }
        }
      },
      account,
    }
  })
