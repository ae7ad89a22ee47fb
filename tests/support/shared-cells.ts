import { createRunner } from '@softnet/engine'
import { buildModel, modelPartitions, type Plugin } from '@softnet/kernel'
import type { Plan } from '@softnet/scenario'

/**
 * What partitions hand each other: mail, descriptors of transmit rings, and pages, which go along with their packets. Lanes
 * are no exception: each side reads what was published of the other.
 */
const CHANNELS = /^(mail_ring|mail_slot|mail_inbox|tx_slot|packet_page|packet_byte)\./

const NOBODY = -1
const SEVERAL = -2

/** Who has read and written each cell of a column: a partition, nobody or several. */
interface Cells {
  readonly name: string
  readonly readers: Int16Array
  readonly writers: Int16Array
}

function note(by: Int16Array, row: number, who: number): void {
  const before = by[row] as number
  if (before !== who) by[row] = before === NOBODY ? who : SEVERAL
}

/**
 * Runs a plan and lists the columns in which a partition writes what another one reads or writes, channels left out; each
 * with its first such row. With partitions on several threads every one of them is a race, and in one thread the result
 * depends on their order.
 */
export function sharedCells(plan: Plan, plugins: readonly Plugin[] = []): string[] {
  const all: Cells[] = []
  let who = NOBODY
  const model = buildModel(plan, {
    plugins,
    watch(name, column) {
      const values = column as unknown as Record<number, number> & { readonly length: number }
      const blank = () => new Int16Array(values.length).fill(NOBODY)
      const cells: Cells = { name, readers: blank(), writers: blank() }
      all.push(cells)
      return new Proxy(column, {
        get(_, key) {
          const row = typeof key === 'string' ? Number(key) : Number.NaN
          if (Number.isNaN(row)) {
            const member = Reflect.get(column, key) as unknown
            return typeof member === 'function' ? member.bind(column) : member
          }
          if (who !== NOBODY) note(cells.readers, row, who)
          return values[row]
        },
        set(_, key, value) {
          if (who !== NOBODY) note(cells.writers, Number(key), who)
          values[Number(key)] = value
          return true
        },
      })
    },
  })
  const partitions = modelPartitions(model).map((partition, index) => {
    const acting = <T>(work: () => T): T => {
      who = index
      const result = work()
      who = NOBODY
      return result
    }
    const { id, name, inputs, bounded } = partition
    return {
      id,
      name,
      inputs,
      bounded,
      attach: (times: Parameters<typeof partition.attach>[0]) => partition.attach(times),
      drain: () => acting(() => partition.drain()),
      run: () => acting(() => partition.run()),
      publish: () => partition.publish(),
    }
  })
  createRunner(partitions).runUntil(plan.durationPs)
  return all.flatMap(({ name, readers, writers }) => {
    if (CHANNELS.test(name)) return []
    // Rows of Skb beyond those of the pools are slots of lanes and mailboxes.
    const rows = name.startsWith('skb.') ? 1 + model.sizes.packetRows : writers.length
    for (let row = 0; row < rows; row++) {
      const writer = writers[row]
      const reader = readers[row]
      if (writer === NOBODY || (writer !== SEVERAL && (reader === NOBODY || reader === writer))) continue
      return [`${name}[${row}] is written by ${nameOf(partitions, writer)} and read by ${nameOf(partitions, reader)}`]
    }
    return []
  })
}

function nameOf(partitions: readonly { readonly name: string }[], who: number | undefined): string {
  if (who === SEVERAL) return 'several'
  return partitions[who ?? NOBODY]?.name ?? 'nobody else'
}
