import type { Model } from '@softnet/kernel'

type Column = ArrayLike<number>

const GRO_BUCKETS = 8

/**
 * Packet rows that are in use and on no list, and rows that two lists hold: each row in use must be reachable from a lane,
 * ring, packet buffer, backlog, GRO list, reassembly queue, socket, queueing discipline, neighbour or mailbox, once.
 */
export function checkRows(model: Model): string[] {
  const columns = new Map<string, Column>()
  model.world.eachColumn((name, column) => columns.set(name, column))
  const rows = new ReachedRows(columns)
  const queues = columns.get('rx_queue.dev')?.length ?? 0
  for (let queue = 0; queue < queues; queue++) {
    rows.lane(queue)
    rows.ring(queue)
    rows.list('packet buffer', rows.at('rx_queue', 'heldHead', queue))
  }
  for (let cpu = 0; cpu < model.layout.cpuRows; cpu++) {
    rows.list('input_pkt_queue', rows.at('softnet', 'inputHead', cpu), rows.at('softnet', 'inputCount', cpu))
    rows.list('process_queue', rows.at('softnet', 'processHead', cpu), rows.at('softnet', 'processCount', cpu))
  }
  for (let napi = 0; napi < rows.length('napi', 'state'); napi++) {
    rows.list('GRO rx_list', rows.at('napi', 'listHead', napi))
    rows.list('veth ring', rows.at('napi', 'ringHead', napi))
    for (let bucket = 0; bucket < GRO_BUCKETS; bucket++) {
      const row = napi * GRO_BUCKETS + bucket
      rows.list('GRO bucket', rows.at('gro_bucket', 'head', row), rows.at('gro_bucket', 'count', row))
    }
  }
  for (let sock = 0; sock < rows.length('sock', 'used'); sock++) {
    rows.list('socket queue', rows.at('sock', 'queueHead', sock), rows.at('sock', 'queueCount', sock))
    rows.list('reader queue', rows.at('sock', 'readerHead', sock), rows.at('sock', 'readerCount', sock))
  }
  for (let queue = 0; queue < rows.length('frag_queue', 'live'); queue++) {
    if (rows.at('frag_queue', 'live', queue) === 0) continue
    for (let run = rows.at('frag_queue', 'firstRun', queue); run !== 0; run = rows.at('skb', 'fragNextRun', run))
      rows.list('fragments', run)
  }
  for (let qdisc = 0; qdisc < rows.length('qdisc', 'requeueHead'); qdisc++)
    rows.list('gso_skb', rows.at('qdisc', 'requeueHead', qdisc))
  for (let band = 0; band < rows.length('qdisc_band', 'head'); band++)
    rows.list('band of a discipline', rows.at('qdisc_band', 'head', band), rows.at('qdisc_band', 'count', band))
  for (let flow = 0; flow < rows.length('qdisc_flow', 'head'); flow++)
    rows.list('flow of a discipline', rows.at('qdisc_flow', 'head', flow))
  for (let neighbour = 0; neighbour < rows.length('neighbour', 'queueHead'); neighbour++)
    rows.list('arp_queue', rows.at('neighbour', 'queueHead', neighbour))
  return [...rows.unreached(model), ...checkPools(model, columns)]
}

class ReachedRows {
  readonly faults: string[] = []
  readonly #columns: Map<string, Column>
  readonly #seen: Uint8Array

  constructor(columns: Map<string, Column>) {
    this.#columns = columns
    this.#seen = new Uint8Array(this.length('skb', 'users'))
  }

  length(component: string, field: string): number {
    return this.#columns.get(`${component}.${field}`)?.length ?? 0
  }

  at(component: string, field: string, row: number): number {
    return this.#columns.get(`${component}.${field}`)?.[row] ?? 0
  }

  #reach(where: string, row: number): void {
    if (this.at('skb', 'users', row) === 0) this.faults.push(`${where} holds the free packet row ${row}`)
    if (this.#seen[row] !== 0) this.faults.push(`${where} holds packet row ${row}, which is on another list too`)
    this.#seen[row] = 1
    for (let segment = this.at('skb', 'fragHead', row), n = 0; segment !== 0 && n < 1e5; n++) {
      this.#seen[segment] = 1
      segment = this.at('skb', 'next', segment)
    }
  }

  list(where: string, head: number, expected?: number): void {
    let found = 0
    for (let row = head; row !== 0 && found < 1e6; row = this.at('skb', 'next', row), found++) this.#reach(where, row)
    if (expected !== undefined && found !== expected)
      this.faults.push(`${where} has ${found} packets, its count says ${expected}`)
  }

  lane(queue: number): void {
    const base = this.at('lane_writer', 'base', queue)
    const mask = this.at('lane_writer', 'mask', queue)
    const end = this.at('lane_writer', 'tail', queue)
    for (let position = this.at('rx_queue', 'laneHead', queue); position !== end; position = (position + 1) >>> 0) {
      this.#reach('lane', base + ((position & mask) >>> 0))
    }
  }

  ring(queue: number): void {
    const end = this.at('rx_queue', 'ringTail', queue)
    const base = this.at('rx_queue', 'ringBase', queue)
    for (let position = this.at('rx_queue', 'ringHead', queue); position !== end; position = (position + 1) >>> 0) {
      this.#reach(
        'ring',
        this.at('ring_slot', 'row', base + ((position & this.at('rx_queue', 'ringMask', queue)) >>> 0)),
      )
    }
  }

  /** Rows in use that nothing led to; rows of mailboxes and events in flight lie beyond the pools or belong to an event. */
  unreached(model: Model): string[] {
    const lost: number[] = []
    const pools = poolRanges(this.#columns)
    const inMail = (row: number) => !pools.some(({ base, capacity }) => row >= base && row < base + capacity)
    const fused = [...model.partitions.members.values()].some((owners) => owners.length > 1)
    for (let row = 1; row < this.#seen.length; row++) {
      if (this.at('skb', 'users', row) !== 0 && this.#seen[row] === 0 && !inMail(row)) lost.push(row)
    }
    // CPUs of one partition pass rows to each other in events, a few at any moment.
    if (lost.length > (fused ? 64 : 0))
      this.faults.push(`${lost.length} packet rows are in use and on no list: ${lost.slice(0, 5)}`)
    return this.faults.slice(0, 6)
  }
}

function poolRanges(columns: Map<string, Column>): { owner: number; base: number; capacity: number }[] {
  const capacity = columns.get('pool_owner.capacity') as Column
  return Array.from(capacity, (rows, owner) => ({
    owner,
    base: columns.get('pool_owner.base')?.[owner] ?? 0,
    capacity: rows,
  })).filter((pool) => pool.capacity > 0)
}

function checkPools(_model: Model, columns: Map<string, Column>): string[] {
  const users = columns.get('skb.users') as Column
  const free = columns.get('pool_owner.free') as Column
  return poolRanges(columns).flatMap(({ owner, base, capacity }) => {
    let used = 0
    for (let row = base; row < base + capacity; row++) if ((users[row] as number) !== 0) used++
    const taken = capacity - (free[owner] as number)
    return used === taken ? [] : [`pool of CPU ${owner} has given ${taken} rows, ${used} are in use`]
  })
}
