/** Schema of an application: its tasks, how they wait, and the sockets they read. */
import { z } from 'zod'
import { captureKeys } from './capture.js'
import {
  bpfProgram,
  choice,
  cpuList,
  endpoint,
  integer,
  ipv4,
  linuxTime,
  quantity,
  text,
  time,
  toggle,
} from './fields.js'
import { pingKeys } from './ping.js'
import { clientKeys, senderKeys, sendOptionKeys } from './send.js'

const S32_MAX = 2_147_483_647

/** Sockets of one kind, as a user writes them. */
export const socketGroupSchema = z
  .strictObject({
    count: integer('Sockets of this group; default one per task, or one if shared.', 1, 4_194_304).optional(),
    bind: endpoint(
      'Local address and port of the first socket; default 0.0.0.0:9000, of programs that send a free port from 32768 on.',
    ).optional(),
    'port-step': integer(
      'Added to the port from one socket to the next; default 0 with reuseport, else 1.',
      0,
      65_535,
    ).optional(),
    'port-count': integer(
      'Ports used before they start over (with several addresses); default count.',
      1,
      65_535,
    ).optional(),
    'address-count': integer('Addresses used: socket i binds address + i modulo this.', 1, 65_536).optional(),
    connect: endpoint('Peer of a connected socket.').optional(),
    shared: toggle('Every task reads every socket of the group, instead of one task each.').optional(),
    tasks: z
      .array(integer('Position of a task.', 0, 65_535))
      .min(1)
      .max(65_536)
      .optional()
      .describe('Task that reads socket i: entry i modulo the length of the list; default the tasks in turn.'),
    reuseport: toggle('SO_REUSEPORT; default on when several sockets would bind the same port.').optional(),
    reuseaddr: toggle('SO_REUSEADDR.').optional(),
    SO_RCVBUF: quantity('bytes', 'Receive buffer asked for; Linux doubles it and applies rmem_max.', {
      max: S32_MAX,
      words: 'at most 2147483647',
    }).optional(),
    SO_RCVBUFFORCE: quantity('bytes', 'The same without rmem_max.', {
      max: S32_MAX,
      words: 'at most 2147483647',
    }).optional(),
    SO_SNDBUF: quantity('bytes', 'Send buffer asked for; Linux doubles it and applies wmem_max.', {
      max: S32_MAX,
      words: 'at most 2147483647',
    }).optional(),
    SO_PRIORITY: integer('Priority of its packets, by which pfifo_fast chooses the band.', 0, 15).optional(),
    SO_BUSY_POLL: linuxTime('us', S32_MAX, 'Busy-poll time; default net.core.busy_read.').optional(),
    SO_PREFER_BUSY_POLL: toggle('Prefer busy polling over softirq.').optional(),
    SO_BUSY_POLL_BUDGET: integer('Packets per busy poll; default 8.', 1, 65_535).optional(),
    SO_INCOMING_CPU: integer('CPU whose packets the socket prefers; -1 is none.', -1, 8191).optional(),
    SO_TIMESTAMP: toggle(
      'Tell the time of arrival with every datagram; the host then stamps what it receives.',
    ).optional(),
    UDP_GRO: toggle('Receive merged datagrams.').optional(),
    SO_ATTACH_FILTER: bpfProgram(
      'Classic BPF program that sees each datagram from its UDP header on: a list of [code, jt, jf, k].',
    ).optional(),
    IP_ADD_MEMBERSHIP: z
      .array(
        z.strictObject({
          group: ipv4('Address of the group.'),
          device: text('Device of the host it is joined on.', 15),
        }),
      )
      .min(1)
      .max(20)
      .optional()
      .describe(
        'Groups the socket joins at the start; their datagrams reach every socket of the port (IP_MULTICAST_ALL).',
      ),
    SO_BINDTODEVICE: text('Device the socket is bound to.', 15).optional(),
    ...sendOptionKeys,
  })
  .describe('Sockets bound alike.')

/** Sockets of one kind, parsed. */
export type SocketGroupInput = z.output<typeof socketGroupSchema>

const taskKeys = {
  cpus: z
    .union([z.string().max(4096), z.int().min(0).max(8191), z.array(cpuList('CPUs of a task.')).min(1).max(65_536)])
    .optional()
    .describe(
      'One task per entry: the CPUs it may run on, such as 0 or "0-1". A text or number alone is one task. Default one task that may run anywhere.',
    ),
  nice: integer('Nice value of the tasks.', -20, 19).optional(),
  netns: text('Network namespace it runs in; default the one the host starts in.', 63).optional(),
}

const socketsKey = {
  sockets: z
    .union([socketGroupSchema, z.array(socketGroupSchema).min(1).max(4096)])
    .optional()
    .describe('Sockets: one group, or a list of groups; each socket belongs to one task, in turn.'),
}

const readerKeys = {
  ...taskKeys,
  ...socketsKey,
  wait: choice(
    ['recvfrom', 'recvmmsg', 'epoll_wait', 'select', 'poll'],
    'Call that waits for packets; default epoll_wait.',
  ).optional(),
  batch: integer(
    'Messages per recvmmsg, or receives per ready socket after epoll_wait, select and poll.',
    1,
    1024,
  ).optional(),
  'max-events': integer('Events per epoll_wait.', 1, 65_536).optional(),
  epoll: z
    .strictObject({
      trigger: choice(['level', 'edge'], 'EPOLLET or not.').optional(),
      exclusive: toggle('EPOLLEXCLUSIVE.').optional(),
      shared: toggle('One epoll instance for all tasks.').optional(),
      busy_poll_usecs: linuxTime('us', S32_MAX, 'Busy-poll time of the instance (EPIOCSPARAMS).').optional(),
      prefer_busy_poll: toggle('Prefer busy polling (EPIOCSPARAMS).').optional(),
      busy_poll_budget: integer('Packets per busy poll (EPIOCSPARAMS).', 1, 65_535).optional(),
    })
    .optional()
    .describe('The epoll instance, for wait: epoll_wait.'),
  nonblocking: toggle('Never block: the task spins on the call.').optional(),
  work: time('User code per message.', { max: 1e12, words: 'at most 1s' }).optional(),
  'work-per-byte': time('User code per byte of a message.', { max: 1e9, words: 'at most 1ms' }).optional(),
  buffer: quantity('bytes', 'Buffer of a receive call; longer messages are truncated.', {
    min: 1,
    max: 1_048_576,
    words: 'from 1B to 1MiB',
  }).optional(),
}

/** An application as a user writes it. */
export const appSchema = z
  .discriminatedUnion('kind', [
    z
      .strictObject({ kind: z.literal('udp_sink').optional().describe('Reads datagrams.'), ...readerKeys })
      .describe('Program that reads datagrams.'),
    z
      .strictObject({
        kind: z.literal('udp_echo').describe('Answers each datagram.'),
        ...readerKeys,
        reply: quantity('bytes', 'Payload of the reply; 0 is as long as the request.', {
          max: 65_507,
          words: 'at most 65507B',
        }).optional(),
      })
      .describe('Program that answers each datagram.'),
    z
      .strictObject({
        kind: z.literal('udp_sender').describe('Sends datagrams.'),
        ...taskKeys,
        ...socketsKey,
        ...senderKeys,
      })
      .describe('Program that sends datagrams, each task by its sockets in turn.'),
    z
      .strictObject({
        kind: z.literal('udp_client').describe('Sends a request and waits for its reply.'),
        ...taskKeys,
        ...socketsKey,
        ...clientKeys,
      })
      .describe('Program whose tasks each send a request, wait for the reply, and think (netperf UDP_RR).'),
    z
      .strictObject({
        kind: z.literal('ping').describe('Measures round trips by ICMP echo.'),
        ...taskKeys,
        ...pingKeys,
      })
      .describe('ping: asks a host by ICMP echo and measures the round trips; each task is one ping.'),
    z
      .strictObject({
        kind: z.literal('packet_capture').describe('Captures packets by packet sockets.'),
        ...taskKeys,
        ...captureKeys,
      })
      .describe('Program that captures packets as tcpdump does: each task by a packet socket of its own.'),
    z
      .strictObject({ kind: z.literal('spin').describe('Only computes.'), ...taskKeys })
      .describe('Program that only computes, as a competitor for the CPU.'),
  ])
  .describe('A program: kind udp_sink (default), udp_echo, udp_sender, udp_client, ping, packet_capture or spin.')

/** Parsed application. */
export type AppInput = z.output<typeof appSchema>
