import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** Where an application's program stands. */
export const PC = {
  start: 0,
  receive: 1,
  work: 2,
  reply: 3,
  epollCall: 4,
  epollCollect: 5,
  readEvent: 6,
  pollCall: 7,
  busyTurn: 8,
  busyPolling: 9,
  busyStopping: 10,
} as const

/** What a task runs. */
export const TASK_KIND = {
  ksoftirqd: 0,
  napiThread: 1,
  app: 2,
  spin: 3,
  kworker: 4,
  sender: 5,
  client: 6,
  ping: 7,
  capture: 8,
} as const
/** Scheduler state. */
export const TASK_STATE = { running: 1, sleeping: 2, waking: 3 } as const
/** How an app waits. */
export const WAIT = { recvfrom: 0, recvmmsg: 1, epollWait: 2, select: 3, poll: 4 } as const

/** A thread. Written by the partition of its CPU. */
export const Task = defineComponent('task', {
  kind: u8,
  state: u8,
  cpu: i32,
  host: i32,
  /** Network namespace of its program. */
  net: i32,
  weight: f64,
  /** Weighted run time, ps; smallest runs next. */
  vruntimePs: f64,
  /** Time the task last got the CPU, and its run time since then. */
  sliceStartPs: f64,
  ranPs: f64,
  /** Next on the runqueue; −1 when not queued. */
  runNext: i32,
  queued: u8,
  /** Where its program stands. */
  pc: u8,
  wait: u8,
  app: i32,
  napi: i32,
  /** Vector whose moderation a kworker programs. */
  vector: i32,
  /** Sockets: first row of TaskSocket and how many. */
  firstSocket: i32,
  socketCount: i32,
  epoll: i32,
  batch: i32,
  maxEvents: i32,
  nonblocking: u8,
  workPs: f64,
  workPerBytePs: f64,
  replyBytes: i32,
  bufferBytes: i32,
  echo: u8,
  /** Registers of the program: messages left of this call, socket being read, events left, bytes read. */
  left: i32,
  got: i32,
  firstRequest: i32,
  requestCount: i32,
  firstEvent: i32,
  socket: i32,
  events: i32,
  cursor: i32,
  pendingWork: f64,
  busyUntilPs: f64,
  busyNapi: i32,
  /** 1: the busy poll under way is its last call (busy_poll_stop). */
  busyLast: u8,
  /** 1: a timer watches the instance after that last call, so that it need not be scheduled (skip_schedule). */
  busyTimed: u8,
  busyReturn: u8,
  /** 1: the task has taken the instance it polls; another task that finds it taken leaves it alone. */
  busyOwned: u8,
  woken: u8,
  /** 1: a send call waits for room in the send buffer. */
  sending: u8,
  /** 1: on the list of those that wait for room in one socket's buffer, and the next there. */
  writeQueued: u8,
  writeNext: i32,
  /** Row of `SendProgram` of a sender or client, 0 for others. */
  program: i32,
  waitNext: i32,
  waiting: u8,
  /** Time the wait began, ps: exclusive waiters are woken in this order. */
  waitSincePs: f64,
  /** 1: some source has to be told when the task sleeps. */
  heard: u8,
  timerSequence: i32,
  switches: f64,
  wakeups: f64,
  messages: f64,
  syscalls: f64,
  runPs: f64,
  lastCpu: i32,
  /** Affinity: first row of TaskCpu and how many. */
  firstCpu: i32,
  cpuCount: i32,
})

/** Requests read and not yet answered (echo): rows of a task start at Task.firstRequest. */
export const TaskRequest = defineComponent('task_request', {
  request: f64,
  bytes: u32,
  /** Socket it came by, and who sent it. */
  sock: i32,
  address: u32,
  port: u16,
})
/** Sockets epoll_wait, select or poll returned: rows of a task start at Task.firstEvent. */
export const TaskEvent = defineComponent('task_event', { sock: i32 })
/** Sockets of tasks: rows of a task are consecutive. */
export const TaskSocket = defineComponent('task_socket', { sock: i32 })
/** CPUs a task may run on. */
export const TaskCpu = defineComponent('task_cpu', { cpu: i32 })

/** Runqueue of a CPU, one row per CPU entity. */
export const RunQueue = defineComponent('run_queue', {
  current: i32,
  /** Runnable tasks other than the current one, a list by TASK.runNext. */
  head: i32,
  count: u16,
  needResched: u8,
  minVruntimePs: f64,
  switches: f64,
  clockBasePs: f64,
  lastTask: u32,
})

/** What a remote CPU believes of a task's sleep: row `task index * sources + source`. */
export const SleepView = defineComponent('sleep_view', {
  /** Written by the source: 1 while it believes the task to sleep. */
  asleep: u8,
  /** Written by the task's CPU: 1 if the source sent something since it was last told. */
  subscribed: u8,
})
