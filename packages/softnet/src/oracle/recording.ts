/** A file of recordings: its kind is told from its content. */
import type { InputFault } from '../input-fault.js'
import { Fields, isObject } from './fields.js'
import { groCase } from './gro-cases.js'
import { ipCase } from './ip-cases.js'
import { multiNapiCase } from './multi-napi-cases.js'
import type { OracleCase } from './oracle-case.js'
import { rmemCase, truesizeCase } from './rmem-cases.js'
import { softnetCase } from './softnet-cases.js'

const ACCEPTED =
  'a recording of softnet (cases with netdev_budget, or multi_napi), gro (cases with packets_in and events), rmem (truesize_steps) or ip (cases with steps and packets_out)'

type Kind = 'softnet' | 'gro' | 'rmem' | 'ip' | null

function kindOf(value: Readonly<Record<string, unknown>>): Kind {
  const cases: unknown[] = Array.isArray(value.cases) ? value.cases : []
  const some = (...keys: string[]) =>
    cases.some((each) => isObject(each) && keys.every((key) => each[key] !== undefined))
  if (value.truesize_steps !== undefined) return 'rmem'
  if (value.multi_napi !== undefined || some('netdev_budget')) return 'softnet'
  if (some('steps') || some('packets_out')) return 'ip'
  return some('packets_in', 'events') ? 'gro' : null
}

/** Cases of a file in its order; what is wrong with it goes to `faults`. `file` is its name for the user. */
export function readRecording(file: string, value: unknown, faults: InputFault[]): OracleCase[] {
  const kind = isObject(value) ? kindOf(value) : null
  if (kind === null) {
    faults.push({ path: file, given: null, accepted: ACCEPTED, nearest: null })
    return []
  }
  const root = new Fields(file, value, faults)
  const each = (key: string, read: (fields: Fields) => OracleCase): OracleCase[] =>
    root.has(key) ? root.list(key).map((entry, i) => read(new Fields(`${file} ${key}[${i}]`, entry, faults))) : []
  if (kind === 'ip') return each('cases', ipCase)
  if (kind === 'gro') return each('cases', groCase)
  if (kind === 'softnet') return [...each('cases', softnetCase), ...each('multi_napi', multiNapiCase)]
  const paths = (value as { truesize_steps: unknown }).truesize_steps
  const steps = new Fields(`${file} truesize_steps`, paths, faults)
  const names = isObject(paths) ? Object.keys(paths) : []
  return [...names.map((name) => truesizeCase(steps, name)), ...each('cases', rmemCase)]
}
