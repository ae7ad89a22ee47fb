import { power, type World } from '@softnet/ecs'
import type { AppPlan, SocketPlan } from '@softnet/scenario/plan'
import { IrqVector } from '../nic/components.js'
import { Epoll, Sock, SockWatch } from '../sock/components.js'
import { SockSend } from '../sock/sock-wfree.js'
import { socketRcvbuf } from '../sock/socket-rcvbuf.js'
import { socketSndbuf } from '../sock/socket-sndbuf.js'
import { RunQueue, TASK_KIND, TASK_STATE, Task, TaskCpu, TaskSocket, WAIT } from '../task/components.js'
import { fillPing } from '../task/ping-components.js'
import { cmsgRow } from '../udp/send-cmsg.js'
import { fillProgram } from './fill-programs.js'
import { fillSendOptions } from './fill-tx.js'
import type { DeviceLayout, HostLayout, Layout } from './layout.js'
import { taskSocketIndexes } from './sizes.js'

const APP_TASKS = {
  udp_sink: TASK_KIND.app,
  udp_echo: TASK_KIND.app,
  udp_sender: TASK_KIND.sender,
  udp_client: TASK_KIND.client,
  ping: TASK_KIND.ping,
  packet_capture: TASK_KIND.capture,
  spin: TASK_KIND.spin,
}
const MICROSECOND_PS = 1_024_000
const WAITS = {
  recvfrom: WAIT.recvfrom,
  recvmmsg: WAIT.recvmmsg,
  epoll_wait: WAIT.epollWait,
  select: WAIT.select,
  poll: WAIT.poll,
}

/** Free positions in the slot tables. */
interface Cursor {
  taskCpu: number
  taskSocket: number
  taskEvent: number
  taskRequest: number
  watch: number
  /** Last row of SendProgram that is taken. */
  program: number
}

/** Weight of a nice value: 1.25 times per step. Kernel: kernel/sched/core.c, sched_prio_to_weight */
export function niceWeight(nice: number): number {
  return Math.floor(1024 / power(1.25, nice) + 0.5)
}

/** Fills ksoftirqd, kworkers, NAPI threads, applications and their sockets. */
export function fillTasks(world: World, layout: Layout): void {
  const cursor: Cursor = { taskCpu: 1, taskSocket: 1, taskEvent: 1, taskRequest: 1, watch: 1, program: 0 }
  for (const host of layout.hosts) {
    host.plan.cpus.forEach((_, i) => {
      const id = host.ksoftirqds[i]
      fillTask(world, id, TASK_KIND.ksoftirqd, host, [i], 0, cursor)
    })
    for (const device of host.devices) {
      if (device.workers.length > 0) fillWorkers(world, host, device, cursor)
      if (!device.plan.threaded) continue
      device.plan.vectors.forEach((vector, v) => {
        const asked = device.plan.threadedCpus[v] ?? []
        const cpus = asked.length > 0 ? asked : [vector.affinity[0] ?? 0]
        fillTask(world, device.threads[v], TASK_KIND.napiThread, host, cpus, 0, cursor)
        world.columns(Task).napi[device.threads[v]] = device.napis[v]
      })
    }
    host.plan.apps.forEach((app, a) => {
      fillApp(world, layout, host, app, a, cursor)
    })
  }
  const { net: taskNet } = world.columns(Task)
  for (const net of layout.nets) for (const task of net.appTasks.flat()) taskNet[task] = net.index
}

/** Tasks that run DIM's work items, each on the CPU of its vector. Kernel: kernel/workqueue.c, worker_thread */
function fillWorkers(world: World, host: HostLayout, device: DeviceLayout, at: Cursor): void {
  device.plan.vectors.forEach((vector, v) => {
    const id = device.workers[v]
    fillTask(world, id, TASK_KIND.kworker, host, [vector.affinity[0] ?? 0], 0, at)
    world.columns(Task).vector[id] = device.vectors[v]
    world.columns(IrqVector).worker[device.vectors[v]] = id
  })
}

function fillTask(
  world: World,
  id: number,
  kind: number,
  host: HostLayout,
  cpus: readonly number[],
  nice: number,
  at: Cursor,
): void {
  const task = world.columns(Task)
  const { cpu: slot } = world.columns(TaskCpu)
  task.kind[id] = kind
  task.state[id] = TASK_STATE.sleeping
  task.host[id] = host.index
  task.weight[id] = niceWeight(nice)
  task.cpu[id] = host.cpus[cpus[0]]
  task.lastCpu[id] = task.cpu[id]
  task.firstCpu[id] = at.taskCpu
  task.cpuCount[id] = cpus.length
  for (const cpu of cpus) slot[at.taskCpu++] = host.cpus[cpu]
}

function fillApp(world: World, layout: Layout, host: HostLayout, app: AppPlan, a: number, at: Cursor): void {
  const task = world.columns(Task)
  const run = world.columns(RunQueue)
  const { sock: slot } = world.columns(TaskSocket)
  const usesEpoll = host.appEpolls[a].length > 0
  app.tasks.forEach((cpus, t) => {
    const id = host.appTasks[a][t]
    fillTask(world, id, APP_TASKS[app.kind], host, cpus, app.nice, at)
    task.app[id] = a
    task.wait[id] = WAITS[app.wait]
    task.batch[id] = Math.max(1, app.batch)
    task.maxEvents[id] = Math.max(1, app.maxEvents)
    task.nonblocking[id] = app.nonblocking ? 1 : 0
    task.workPs[id] = app.workPs
    task.workPerBytePs[id] = app.workPerBytePs
    task.replyBytes[id] = app.replyBytes
    task.bufferBytes[id] = app.bufferBytes
    task.echo[id] = app.kind === 'udp_echo' ? 1 : 0
    task.epoll[id] = usesEpoll ? host.appEpolls[a][app.epoll.shared ? 0 : t] : 0
    task.firstSocket[id] = at.taskSocket
    for (const s of taskSocketIndexes(app, t)) {
      slot[at.taskSocket++] = host.appSockets[a][s]
      task.socketCount[id]++
    }
    task.firstEvent[id] = at.taskEvent
    at.taskEvent += task.maxEvents[id]
    task.firstRequest[id] = at.taskRequest
    if (app.send !== undefined) {
      task.program[id] = ++at.program
      fillProgram(world, layout.plan.seed, app.send, at.program, id, cmsgRow(layout, app.send.cmsg))
      fillPing(world, layout, app, at.program)
    }
    if (app.kind === 'udp_echo') at.taskRequest += Math.max(app.batch, 64)
    // Every task starts runnable at time zero and finds its own way to sleep.
    if (app.kind !== 'spin' && task.socketCount[id] === 0) return
    const cpu = task.cpu[id]
    task.state[id] = TASK_STATE.running
    task.queued[id] = 1
    task.runNext[id] = run.head[cpu]
    run.head[cpu] = id
    run.count[cpu]++
  })
  fillEpolls(world, host, app, a)
  app.sockets.forEach((socket, s) => {
    fillSocket(world, host, app, a, socket, host.appSockets[a][s], at)
  })
}

function fillEpolls(world: World, host: HostLayout, app: AppPlan, a: number): void {
  const epoll = world.columns(Epoll)
  for (const id of host.appEpolls[a]) {
    epoll.edge[id] = app.epoll.trigger === 'edge' ? 1 : 0
    epoll.exclusive[id] = app.epoll.exclusive ? 1 : 0
    epoll.busyPollPs[id] = app.epoll.busyPollUsecs * MICROSECOND_PS
    epoll.preferBusyPoll[id] = app.epoll.preferBusyPoll ? 1 : 0
    epoll.busyPollBudget[id] = app.epoll.busyPollBudget
  }
}

function fillSocket(
  world: World,
  host: HostLayout,
  app: AppPlan,
  a: number,
  plan: SocketPlan,
  id: number,
  at: Cursor,
): void {
  const sock = world.columns(Sock)
  const shared = plan.taskIndex < 0
  const reader = shared ? 0 : plan.taskIndex
  sock.used[id] = 1
  sock.host[id] = host.index
  sock.app[id] = a
  sock.task[id] = shared ? -1 : host.appTasks[a][reader]
  sock.cpu[id] = host.cpus[app.tasks[reader]?.[0] ?? 0]
  sock.rcvbuf[id] = socketRcvbuf(plan, host.plan.sysctl)
  const send = world.columns(SockSend)
  send.sndbuf[id] = socketSndbuf(plan, host.plan.sysctl)
  send.priority[id] = plan.soPriority ?? 0
  fillSendOptions(send, id, plan, host)
  sock.udpGro[id] = plan.udpGro ? 1 : 0
  sock.timestamp[id] = plan.soTimestamp ? 1 : 0
  sock.busyPollPs[id] = plan.soBusyPollUsecs * MICROSECOND_PS
  sock.preferBusyPoll[id] = plan.soPreferBusyPoll ? 1 : 0
  sock.busyPollBudget[id] = plan.soBusyPollBudget
  const epolls = host.appEpolls[a]
  if (epolls.length > 0 && !shared) sock.epoll[id] = epolls[app.epoll.shared ? 0 : reader]
  if (epolls.length > 0 && shared && app.epoll.shared) sock.epoll[id] = epolls[0]
  if (shared && !(epolls.length > 0 && app.epoll.shared)) {
    const watch = world.columns(SockWatch)
    sock.firstWatch[id] = at.watch
    sock.watchCount[id] = app.tasks.length
    app.tasks.forEach((_, t) => {
      watch.task[at.watch] = host.appTasks[a][t]
      watch.epoll[at.watch] = epolls[t] ?? 0
      at.watch++
    })
  }
}
