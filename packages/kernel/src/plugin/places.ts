import type { Layout } from '../build/layout.js'
import type { Per, PluginComponent } from './define-component.js'

/** An entity that can have rows of a plugin. */
export interface Place {
  readonly id: number
  /** `cpu3`, `eth0`, `eth0-rx-1`, `eth0-napi-1`, `backlog-3`, `eth0-tx-1`; with the host in front where there are several. */
  readonly name: string
  readonly host: string
  /** Device of a wire, queue or NAPI instance; empty otherwise. */
  readonly device: string
}

/** Entities by what components are per. */
export type Places = Readonly<Record<Per, readonly Place[]>>

/** Entities of a layout that can have rows of a plugin. */
export function placesOf(layout: Layout): Places {
  const places: Record<Per, Place[]> = { cpu: [], wire: [], queue: [], napi: [], txqueue: [] }
  const backlogs = layout.backlogNapis[Symbol.iterator]()
  for (const host of layout.hosts) {
    const before = layout.hosts.length > 1 ? `${host.plan.name}/` : ''
    const add = (per: Per, id: number, name: string, device = ''): void => {
      places[per].push({ id, name: `${before}${name}`, host: host.plan.name, device })
    }
    host.cpus.forEach((id, i) => {
      add('cpu', id, `cpu${i}`)
    })
    for (const { plan, wire, queues, napis, txQueues } of host.devices) {
      if (wire !== 0) add('wire', wire, plan.name, plan.name)
      queues.forEach((id, i) => {
        add('queue', id, `${plan.name}-rx-${i}`, plan.name)
      })
      txQueues.forEach((id, i) => {
        add('txqueue', id, `${plan.name}-tx-${i}`, plan.name)
      })
      napis.forEach((id, i) => {
        add('napi', id, `${plan.name}-napi-${i}`, plan.name)
      })
    }
    host.cpus.forEach((_, i) => {
      add('napi', backlogs.next().value as number, `backlog-${i}`)
    })
  }
  return places
}

/** Entity ids are below this. */
function idRows(layout: Layout, per: Per): number {
  if (per === 'cpu') return layout.cpuRows
  if (per === 'wire') return layout.ownerRows
  if (per === 'txqueue') return layout.txQueueRows
  return per === 'queue' ? layout.firstVector : layout.firstTask
}

/** Rows of a table begin a cache line, so that no two partitions write into one. */
const LINE_ROWS = 64

function stride(component: PluginComponent): number {
  return Math.ceil(component.rows / LINE_ROWS) * LINE_ROWS
}

/** Highest row of a component of a plugin. */
export function lastRow(layout: Layout, places: Places, component: PluginComponent): number {
  if (component.rows === 1) return idRows(layout, component.per) - 1
  return LINE_ROWS + places[component.per].length * stride(component)
}

/** First row of each entity: index is the entity's id. */
export function firstRows(layout: Layout, places: Places, component: PluginComponent): Int32Array {
  const rows = new Int32Array(idRows(layout, component.per))
  places[component.per].forEach(({ id }, index) => {
    rows[id] = component.rows === 1 ? id : LINE_ROWS + index * stride(component)
  })
  return rows
}
