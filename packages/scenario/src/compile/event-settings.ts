/** Events that change settings: what is typed becomes what the plan says, or a fault. */
import type { z } from 'zod'
import type { TypedEvent } from '../event-command.js'
import { type EventAction, LIVE_SYSCTLS, type LiveSysctl } from '../event-plan.js'
import type { FaultPath, Report } from '../fault.js'
import type { DevicePlan, HostPlan } from '../plan.js'
import { qdiscObjectSchema } from '../schema/qdisc.js'
import { sysctlSchema } from '../schema/sysctl.js'
import { acceptedWords, knownKeys, schemaAt } from '../schema/walk.js'
import { QDISC_KINDS } from '../tx-plan.js'
import type { VersionPolicy } from '../versions.js'
import { defaultSysctl } from './default-sysctl.js'
import { ringOf } from './ring.js'
import { compileQdisc, DEFAULT_TX_QUEUE_LEN } from './tx.js'

type Typed<K extends TypedEvent['kind']> = Extract<TypedEvent, { readonly kind: K }>

/** A setting of a host that may be changed in a run. */
export function compileSysctlEvent(
  { name, text }: Typed<'sysctl'>,
  host: HostPlan,
  version: VersionPolicy,
  path: FaultPath,
  report: Report,
): EventAction | null {
  if (!(LIVE_SYSCTLS as readonly string[]).includes(name)) {
    report.fault(path, `a setting that a run may change: ${LIVE_SYSCTLS.join(', ')}`, LIVE_SYSCTLS, name)
    return null
  }
  const setting = name as LiveSysctl
  const schema = sysctlSchema.shape[setting]
  const parsed = schema.safeParse(/^\d{1,10}$/.test(text) ? Number(text) : text)
  if (!parsed.success || parsed.data === undefined) {
    report.fault(path, `${name}=VALUE with ${acceptedWords(schema, text) ?? 'a number'}`, [], text)
    return null
  }
  const least = defaultSysctl(version, host.hz)['net.core.netdev_budget_usecs']
  if (setting === 'net.core.netdev_budget_usecs' && version.version === '6.18' && parsed.data < least) {
    report.fault(path, `at least ${least}, two jiffies at HZ ${host.hz}`, [], text)
    return null
  }
  if (setting === 'net.core.gro_normal_batch' && version.groNormalBatch === 1)
    report.warn(path, `Linux ${version.version} has no such sysctl; 1 stays`)
  return { kind: 'sysctl', dev: null, name: setting, value: parsed.data }
}

/** Says what the first word that does not fit should be. */
function reportWords(
  words: Typed<'qdisc'>['words'],
  kind: string,
  issue: z.core.$ZodIssue | undefined,
  path: FaultPath,
  report: Report,
): void {
  if (issue?.code === 'unrecognized_keys') {
    const keys = knownKeys(qdiscObjectSchema, words).filter((key) => key !== 'kind')
    report.fault(
      path,
      `${keys.length === 0 ? 'nothing' : `one of ${keys.join(', ')}`} behind ${kind}`,
      keys,
      issue.keys[0],
    )
    return
  }
  const name = String(issue?.path[0] ?? '')
  const place = schemaAt(qdiscObjectSchema, words, [name])
  const accepted = place === undefined ? undefined : acceptedWords(place.schema, words[name])
  report.fault(path, `${name} ${accepted ?? ''}`.trim(), [], words[name] === undefined ? null : String(words[name]))
}

/** A discipline in place of that of the one transmit queue of a device. */
export function compileQdiscEvent(
  { dev, words }: Typed<'qdisc'>,
  device: DevicePlan,
  path: FaultPath,
  report: Report,
): EventAction | null {
  if (device.tx === undefined || device.queues.length > 1) {
    report.fault(
      path,
      `a device with one transmit queue; of several, root would be one discipline for all (not modelled)`,
    )
    return null
  }
  const kind = String(words.kind)
  if (!(QDISC_KINDS as readonly string[]).includes(kind)) {
    report.fault(path, `one of ${QDISC_KINDS.join(', ')} behind root`, QDISC_KINDS, kind)
    return null
  }
  const parsed = qdiscObjectSchema.safeParse(words)
  if (!parsed.success) {
    reportWords(words, kind, parsed.error.issues[0], path, report)
    return null
  }
  const around = { mtu: device.mtu, path, report }
  const txqueuelen = device.tx.txqueuelen ?? DEFAULT_TX_QUEUE_LEN
  return { kind: 'qdisc', dev, qdisc: compileQdisc(parsed.data, txqueuelen, around) }
}

/** Another number of receive descriptors. */
export function compileRingsEvent(
  { dev, rx }: Typed<'rings'>,
  { driver }: DevicePlan,
  path: FaultPath,
  report: Report,
): EventAction {
  return { kind: 'rings', dev, rx: ringOf(rx, driver, path, report) }
}
