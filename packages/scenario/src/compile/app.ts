/** Applications: tasks, how they wait, and the sockets they read. */

import { parseCpuList } from '../cpu-set.js'
import type { FaultPath } from '../fault.js'
import type { AppPlan, DevicePlan, SocketPlan, SysctlPlan } from '../plan.js'
import type { AppInput, SocketGroupInput } from '../schema/app.js'
import type { HostInput } from '../schema/scenario.js'
import { type CaptureInput, compileCapture } from './capture.js'
import { checkCpus } from './cpus.js'
import type { Environment } from './host.js'
import { devicesIn, type NetScope, scopeNamed } from './netns.js'
import { compilePing, type PingInput } from './ping.js'
import { compileSend, isSender, type SendInput, sendingApp } from './send.js'
import { checkBinds, compileSocketGroup, type SocketPlace } from './sockets.js'

/** Kernel: net/ipv4/af_inet.c, ip_local_port_range. Linux draws a port of it; here they are given out in turn. */
const FIRST_EPHEMERAL_PORT = 32_768

/** Compiles all applications of a host and checks their sockets against each other. */
export function compileApps(
  host: string,
  input: HostInput,
  scopes: readonly NetScope[],
  hostDevices: readonly DevicePlan[],
  cpuCount: number,
  env: Environment,
): readonly AppPlan[] {
  const spaces = new Map(scopes.map((scope) => [scope, { devices: devicesIn(hostDevices, scope.name), places: [] }]))
  const budget = { sockets: env.limits['sockets-per-host'] as number, nextPort: FIRST_EPHEMERAL_PORT }
  const apps = Object.entries(input.apps ?? {}).map(([name, app]) => {
    const path = ['hosts', host, 'apps', name]
    const scope = scopeNamed(app.netns, scopes, [...path, 'netns'], env.report)
    const space = spaces.get(scope) as { devices: readonly DevicePlan[]; places: SocketPlace[] }
    const around = { ...space, cpuCount, sysctl: scope.sysctl, env, budget }
    const plan = compileApp(name, app, path, around)
    return scope.name === null ? plan : { ...plan, netns: scope.name }
  })
  const here: FaultPath = ['hosts', host, 'apps']
  const tasks = apps.reduce((sum, app) => sum + app.tasks.length, 0)
  const maxTasks = env.limits['tasks-per-host'] as number
  if (tasks > maxTasks) env.report.fault(here, `at most ${maxTasks} tasks in all, limits.tasks-per-host`)
  for (const { places } of spaces.values()) checkBinds(places, env.report)
  return apps
}

/** What the sockets of a host are compiled against. */
export interface AppSurroundings {
  readonly devices: readonly DevicePlan[]
  readonly cpuCount: number
  readonly sysctl: SysctlPlan
  readonly env: Environment
  /** Filled with every group of sockets, for the check of their addresses. */
  readonly places: SocketPlace[]
  /** Sockets that may still be made on the host, and the next port of those that name none. */
  readonly budget: { sockets: number; nextPort: number }
}

function compileApp(name: string, input: AppInput, path: FaultPath, around: AppSurroundings): AppPlan {
  const tasks = compileTasks(input.cpus, [...path, 'cpus'], around)
  const nice = input.nice ?? 0
  if (input.kind === 'spin') return { ...spinDefaults, name, tasks, nice }
  if (isSender(input)) {
    const sockets = compileSockets(input, tasks.length, path, around)
    const { epoll } = spinDefaults
    const send = compileSend(input, sockets, path, around.devices, around.env)
    return { ...sendingApp(input), name, kind: input.kind, tasks, nice, epoll, sockets, send }
  }
  if (input.kind === 'ping')
    return { ...compilePing(input, tasks.length, path, around), epoll: spinDefaults.epoll, name, tasks, nice }
  if (input.kind === 'packet_capture')
    return { ...compileCapture(input, tasks.length, path, around), epoll: spinDefaults.epoll, name, tasks, nice }
  const wait = input.wait ?? 'epoll_wait'
  warnUnused(input, wait, path, around.env)
  const { epoll } = input
  const sockets = compileSockets(input, tasks.length, path, around)
  return {
    name,
    kind: input.kind ?? 'udp_sink',
    tasks,
    nice,
    wait,
    batch: input.batch ?? (wait === 'recvmmsg' ? 32 : 1),
    maxEvents: input['max-events'] ?? 64,
    epoll: {
      trigger: epoll?.trigger ?? 'level',
      exclusive: epoll?.exclusive ?? false,
      shared: epoll?.shared ?? false,
      ...compileBusyEpoll(input, path, around),
    },
    nonblocking: input.nonblocking ?? false,
    workPs: input.work ?? 0,
    workPerBytePs: input['work-per-byte'] ?? 0,
    sockets,
    replyBytes: input.kind === 'udp_echo' ? (input.reply ?? 0) : 0,
    bufferBytes: input.buffer ?? 2048,
  }
}

function compileSockets(
  input: ReaderInput | SendInput,
  taskCount: number,
  path: FaultPath,
  around: AppSurroundings,
): SocketPlan[] {
  const groups = input.sockets === undefined ? [{}] : Array.isArray(input.sockets) ? input.sockets : [input.sockets]
  const sockets: SocketPlan[] = []
  groups.forEach((group: SocketGroupInput, index) => {
    const here = Array.isArray(input.sockets) ? [...path, 'sockets', index] : [...path, 'sockets']
    const place = { path: here, firstIndex: sockets.length, taskCount, sends: isSender(input) }
    // One by one: a call with a hundred thousand arguments would overflow the stack.
    for (const socket of compileSocketGroup(group, place, around)) sockets.push(socket)
  })
  return sockets
}

const spinDefaults: Omit<AppPlan, 'name' | 'tasks' | 'nice'> = {
  kind: 'spin',
  wait: 'recvfrom',
  batch: 1,
  maxEvents: 1,
  epoll: {
    trigger: 'level',
    exclusive: false,
    shared: false,
    busyPollUsecs: 0,
    preferBusyPoll: false,
    busyPollBudget: 8,
  },
  nonblocking: false,
  workPs: 0,
  workPerBytePs: 0,
  sockets: [],
  replyBytes: 0,
  bufferBytes: 0,
}

type ReaderInput = Exclude<AppInput, { kind: 'spin' } | SendInput | PingInput | CaptureInput>

function compileBusyEpoll(
  input: ReaderInput,
  path: FaultPath,
  around: AppSurroundings,
): Pick<AppPlan['epoll'], 'busyPollUsecs' | 'preferBusyPoll' | 'busyPollBudget'> {
  const { epoll } = input
  const { report, version } = around.env
  const keys = ['busy_poll_usecs', 'prefer_busy_poll', 'busy_poll_budget'] as const
  const given = keys.filter((key) => epoll?.[key] !== undefined && epoll[key] !== false && epoll[key] !== 0)
  if (given.length > 0 && !version.epollParams) {
    for (const key of given) {
      report.warn([...path, 'epoll', key], `Linux ${version.version} has no EPIOCSPARAMS; net.core.busy_poll applies`)
    }
    return { busyPollUsecs: 0, preferBusyPoll: false, busyPollBudget: 8 }
  }
  return {
    busyPollUsecs: epoll?.busy_poll_usecs ?? 0,
    preferBusyPoll: epoll?.prefer_busy_poll ?? false,
    busyPollBudget: epoll?.busy_poll_budget ?? 8,
  }
}

function warnUnused(input: ReaderInput, wait: AppPlan['wait'], path: FaultPath, env: Environment): void {
  const { report } = env
  if (wait !== 'epoll_wait') {
    for (const key of ['epoll', 'max-events'] as const) {
      if (input[key] !== undefined) report.warn([...path, key], `has no effect with wait: ${wait}`)
    }
  }
  if (wait === 'recvfrom' && input.batch !== undefined && input.batch > 1) {
    report.warn([...path, 'batch'], 'has no effect with wait: recvfrom, which takes one message per call')
  }
}

function compileTasks(
  given: AppInput['cpus'],
  path: FaultPath,
  around: AppSurroundings,
): readonly (readonly number[])[] {
  const { cpuCount, env } = around
  const anywhere = Array.from({ length: cpuCount }, (_, cpu) => cpu)
  if (given === undefined) return [anywhere]
  if (!Array.isArray(given)) {
    const parsed = parseCpuList(given)
    if (!parsed.ok) {
      env.report.fault(path, parsed.accepted)
      return [anywhere]
    }
    return [checkCpus(parsed.cpus, cpuCount, path, env.report, { emptyAllowed: false }) ? parsed.cpus : anywhere]
  }
  return (given as readonly (readonly number[])[]).map((cpus, index) =>
    checkCpus(cpus, cpuCount, [...path, index], env.report, { emptyAllowed: false }) ? cpus : anywhere,
  )
}
