#!/usr/bin/env python3
"""Lets N packets enter the backlog of one CPU of the running Linux kernel at once, and tells softirqs and polls.

Reads {"cases": [...], "multi_napi": [...]} from standard input, with the settings that tests/data/oracle/softnet.json has
(netdev_max_backlog, netdev_budget, dev_weight, N; for multi_napi ports), and writes one line of JSON per entry, cases
first: what softnet.json tells of it, or {"error"}. One datagram is cut into N on its way into a veth pair (UDP_SEGMENT);
for multi_napi a bridge then floods them to veth ports whose peers have NAPI. Each entry has namespaces of its own; the
settings of net.core, which the whole machine shares, are set back. Needs root, two CPUs, tracefs, ip(8) and ethtool(8).
"""
import ctypes
import json
import os
import re
import socket
import subprocess
import sys
import time

from recording import in_child

CLONE_NEWNET = 0x40000000
SOL_UDP, UDP_SEGMENT = 17, 103
SO_RCVBUFFORCE = 33
TRACING = '/sys/kernel/tracing'
PAYLOAD = 40
PORT = 5000
BUDGET_USECS = 8000
SETTLE_SECONDS = 0.03
FORWARDING_SECONDS = 3
libc = ctypes.CDLL(None, use_errno=True)


def write(path, text):
    with open(path, 'w') as file:
        file.write(str(text))


class Settings:
    """Settings of net.core by name; they are those of the first namespace, so their files are opened there."""

    def __init__(self, values):
        self.values = values
        self.files = {name: os.open('/proc/sys/net/core/' + name, os.O_RDWR) for name in values}
        self.kept = {name: os.pread(file, 64, 0) for name, file in self.files.items()}

    def set(self):
        for name, value in self.values.items():
            os.pwrite(self.files[name], str(value).encode(), 0)

    def set_back(self):
        for name, value in self.kept.items():
            os.pwrite(self.files[name], value, 0)


def tool(command):
    done = subprocess.run(command.split(), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError('%s: %s' % (command, done.stderr.strip()))
    return done.stdout


def namespace():
    """A new network namespace, which this process is then in."""
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'unshare')
    for kind in ('all', 'default'):
        try:
            write('/proc/sys/net/ipv6/conf/%s/disable_ipv6' % kind, 1)
        except OSError:
            pass
    tool('ip link set lo up')
    return os.open('/proc/self/ns/net', os.O_RDONLY)


def enter(space):
    if libc.setns(space, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'setns')


class Trace:
    """Softirqs and polls of one CPU, from a trace instance of its own."""

    def __init__(self, cpu):
        self.path = '%s/instances/softnet-rx-%d' % (TRACING, os.getpid())
        os.mkdir(self.path)
        write(self.path + '/tracing_cpumask', '%x' % (1 << cpu))
        write(self.path + '/events/irq/softirq_entry/filter', 'vec == 3')
        for event in ('irq/softirq_entry', 'napi/napi_poll'):
            write('%s/events/%s/enable' % (self.path, event), '1')
        write(self.path + '/trace', '')

    def softirqs(self):
        """[in ksoftirqd, [[device, work, weight], …]] per softirq with polls."""
        with open(self.path + '/trace') as file:
            lines = [line for line in file.read().splitlines() if not line.startswith('#')]
        found = []
        for line in lines:
            if 'softirq_entry' in line:
                found.append([line.strip().startswith('ksoftirqd'), []])
            elif found:
                poll = re.search(r'for device (\S+) work (\d+) budget (\d+)', line)
                found[-1][1].append((poll.group(1).strip('()'), int(poll.group(2)), int(poll.group(3))))
        return [each for each in found if each[1]]

    def close(self):
        os.rmdir(self.path)


def softnet_stat(cpu):
    with open('/proc/net/softnet_stat') as file:
        fields = [int(each, 16) for each in file.read().splitlines()[cpu].split()]
    return fields[:3]


def open_pair():
    """Sender's and receiver's namespaces with a veth pair between them; this process is in the receiver's."""
    sender = namespace()
    receiver = namespace()
    tool('ip link add veth0 type veth peer name veth1 netns /proc/%d/fd/%d' % (os.getpid(), sender))
    enter(sender)
    tool('ethtool -K veth1 tx-udp-segmentation off')
    tool('ip link set veth1 up')
    tool('ip addr add 10.9.0.2/24 dev veth1')
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    enter(receiver)
    return made


def open_backlog(case):
    made = open_pair()
    tool('ip link set veth0 up')
    tool('ip addr add 10.9.0.1/24 dev veth0')
    reader = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    reader.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
    reader.setblocking(False)
    reader.bind(('0.0.0.0', PORT))
    return made, reader, '10.9.0.1'


def open_bridge(case):
    made = open_pair()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    tool('ip link add br0 type bridge')
    tool('ip link set veth0 master br0')
    for port in range(1, case['ports'] + 1):
        tool('ip link add p%d type veth peer name q%d' % (port, port))
        tool('ethtool -K q%d gro on' % port)
        # Only what could not have been segmented goes by NAPI.
        tool('ethtool -K p%d tso off' % port)
        tool('ip link set p%d master br0' % port)
        tool('ip link set p%d up' % port)
        tool('ip link set q%d up' % port)
    for name in ('br0', 'veth0'):
        tool('ip link set %s up' % name)
    end = time.monotonic() + FORWARDING_SECONDS
    while tool('ip -d link').count('state forwarding') <= case['ports']:
        if time.monotonic() > end:
            raise RuntimeError('the ports of the bridge do not forward')
        time.sleep(0.02)
    return made, None, '10.9.0.255'


def count(reader):
    found = 0
    try:
        while reader is not None:
            reader.recv(2048)
            found += 1
    except BlockingIOError:
        pass
    return found


def send(made, n, address):
    if n > 1:
        made.setsockopt(SOL_UDP, UDP_SEGMENT, PAYLOAD)
    data = b'x' * (PAYLOAD * n)
    made.sendto(data, (address, PORT))


def play(case, is_bridge, cpu):
    named = ('netdev_max_backlog', 'netdev_budget', 'dev_weight')
    settings = Settings({'netdev_budget_usecs': BUDGET_USECS, **{name: case[name] for name in named if name in case}})
    made, reader, address = (open_bridge if is_bridge else open_backlog)(case)
    trace = Trace(cpu)
    try:
        settings.set()
        # Neighbours are known, and the backlog has its weight, before anything is measured.
        made.sendto(b'', (address, PORT))
        time.sleep(0.02)
        count(reader)
        write(trace.path + '/trace', '')
        before = softnet_stat(cpu)
        send(made, case['N'], address)
        time.sleep(SETTLE_SECONDS)
        after = softnet_stat(cpu)
        softirqs = trace.softirqs()
    finally:
        settings.set_back()
        trace.close()
    processed, dropped, squeezed = [b - a for a, b in zip(before, after)]
    told = {'processed': processed, 'dropped': dropped, 'time_squeeze': squeezed}
    if is_bridge:
        polls = ['| ' + ' '.join('%s %d/%d' % poll for poll in each) for _, each in softirqs]
        return {**told, 'events': ' '.join(polls)}
    texts = ['softirq{%s %s }' % ('ksoftirqd' if inside else '', ' '.join('poll %d/%d' % poll[1:] for poll in each))
             for inside, each in softirqs]
    return {'delivered': count(reader), **told, 'events': ' '.join(texts)}


def play_on(cpu, case, is_bridge):
    os.sched_setaffinity(0, {cpu})
    return play(case, is_bridge, cpu)


def main():
    given = json.load(sys.stdin)
    cpu = max(os.sched_getaffinity(0))
    for key in ('cases', 'multi_napi'):
        for each in given.get(key, []):
            print(json.dumps(in_child(play_on, cpu, each, key == 'multi_napi')), flush=True)


main()
