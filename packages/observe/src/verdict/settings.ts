/** Settings as `--set` arguments: the path a scenario has them under, and a value it accepts. */
import { formatCpuMask } from '../format.js'
import type { RunFacts } from './facts.js'
import type { Remedy } from './rule.js'

/** Paths of one host: short ones where the scenario has one host, whole ones otherwise. */
export interface SettingPaths {
  readonly device: (device: string, setting: string) => string
  readonly app: (app: string, setting: string) => string
  readonly sysctl: (name: string) => string
  readonly host: (setting: string) => string
}

/** Paths of settings of a host. */
export function settingPaths(run: RunFacts, host: string): SettingPaths {
  const prefix = `hosts.${host}.`
  const short = run.plan.hosts.length === 1
  return {
    device: (device, setting) => `${short ? '' : `${prefix}devices.`}${device}.${setting}`,
    app: (app, setting) => `${short ? '' : prefix}apps.${app}.${setting}`,
    sysctl: (name) => `${short ? '' : `${prefix}sysctl.`}${name}`,
    host: (setting) => `${prefix}${setting}`,
  }
}

/** A remedy from a path, a value and its reason. */
export function remedy(path: string, value: string | number, why: string): Remedy {
  return { set: `${path}=${value}`, why }
}

/** A mask for a setting: hexadecimal, or a list of CPUs where the mask would read as a decimal number. */
export function maskValue(cpus: readonly number[]): string {
  const mask = formatCpuMask(cpus)
  return mask.length > 1 && /^\d+(e\d+)?$/.test(mask) ? `[${cpus.join(',')}]` : mask
}

/** A list value: `[1,2]`. */
export function listValue(values: readonly number[]): string {
  return `[${values.join(',')}]`
}

/** Smallest power of two that is not below a number. */
export function powerOfTwoAtLeast(value: number): number {
  let power = 1
  while (power < value) power *= 2
  return power
}
