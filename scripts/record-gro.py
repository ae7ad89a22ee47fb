#!/usr/bin/env python3
"""Writes packets to a TUN device with NAPI of the running Linux kernel and tells what GRO did with each.

Reads {"cases": [{"setup", "packets_in", "pause"}]} from standard input (the form of tests/data/oracle/gro.json) and writes one
line of JSON per case: {"events", "snmp", "recv"} or {"error"}. `setup` is the text that gro.json has: gro_flush_timeout,
napi_defer_hard_irqs, `rx-gro-list on`, `rx-udp-gro-forwarding on`, `UDP_GRO socket on port N` or `socket on port N`.
Each case has a namespace of its own. Needs root, /dev/net/tun, tracefs, ip(8), and ethtool(8) for features.
"""
import ctypes
import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time

from recording import in_child

CLONE_NEWNET, CLONE_NEWNS = 0x40000000, 0x20000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NAPI, IFF_NO_PI = 1, 0x10, 0x1000
SOL_UDP, UDP_GRO = 17, 104
SO_RCVBUFFORCE = 33
TRACING = '/sys/kernel/tracing'
RESULTS = ('MERGED', 'MERGED_FREE', 'HELD', 'NORMAL', 'CONSUMED')
COUNTED = re.compile('(Ip|IpExt|Tcp|Udp)In|IpReasm|UdpNoPorts')
libc = ctypes.CDLL(None, use_errno=True)


def write(path, text):
    with open(path, 'w') as file:
        file.write(str(text))


def tool(command):
    done = subprocess.run(command.split(), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError('%s: %s' % (command, done.stderr.strip()))


def number(setup, pattern):
    match = re.search(pattern, setup)
    return int(match.group(1)) if match else 0


def counters():
    found = {}
    for name in ('snmp', 'netstat'):
        with open('/proc/self/net/' + name) as file:
            lines = file.read().splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            full = [names.split(':')[0] + key for key in names.split()[1:]]
            found.update({key: int(value) for key, value in zip(full, values.split()[1:]) if COUNTED.match(key)})
    return found


class Trace:
    """What happens on one device, from a trace instance of its own."""

    def __init__(self, device):
        self.path = '%s/instances/softnet-gro-%d' % (TRACING, os.getpid())
        self.device = device
        os.mkdir(self.path)
        write(self.path + '/events/net/netif_receive_skb/filter', 'name == "%s"' % device)
        for event in ('net/netif_receive_skb', 'net/napi_gro_receive_entry', 'net/napi_gro_receive_exit'):
            write('%s/events/%s/enable' % (self.path, event), '1')
        self.marker = os.open(self.path + '/trace_marker', os.O_WRONLY)

    def mark(self, text):
        os.write(self.marker, text.encode())

    def events(self):
        """Results by packet and deliveries, in order; `(timer)` for those outside of a write."""
        with open(self.path + '/trace') as file:
            lines = [line for line in file.read().splitlines() if not line.startswith('#')]
        found, packet, writing, mine = [], -1, False, {}
        for line in lines:
            cpu = re.search(r'\[(\d+)\]', line).group(1)
            if 'softnet-write' in line:
                writing = True
                packet += 1
            elif 'softnet-end' in line:
                writing = False
            elif 'napi_gro_receive_entry' in line:
                mine[cpu] = 'dev=%s ' % self.device in line
            elif 'napi_gro_receive_exit' in line and mine.get(cpu):
                found.append('pkt%d:%s' % (packet, RESULTS[int(re.search(r'ret=(\d+)', line).group(1))]))
            elif 'netif_receive_skb:' in line:
                found.append('deliver len %s%s' % (re.search(r'len=(\d+)', line).group(1), '' if writing else ' (timer)'))
        return found

    def close(self):
        os.close(self.marker)
        os.rmdir(self.path)


def open_tun(device, setup):
    if libc.unshare(CLONE_NEWNET | CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), 'unshare')
    if libc.mount(b'none', b'/', None, MS_REC | MS_PRIVATE, None) != 0:
        raise OSError(ctypes.get_errno(), 'mount')
    for kind in ('all', 'default'):
        try:
            write('/proc/sys/net/ipv6/conf/%s/disable_ipv6' % kind, 1)
        except OSError:
            pass
    tun = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack('16sH22x', device.encode(), IFF_TUN | IFF_NO_PI | IFF_NAPI))
    tool('ip link set lo up')
    tool('ip link set %s up' % device)
    tool('ip addr add 10.9.0.1/24 dev %s' % device)
    for feature in ('rx-gro-list', 'rx-udp-gro-forwarding'):
        if feature + ' on' in setup:
            tool('ethtool -K %s %s on' % (device, feature))
    # The attributes of a device are those of the namespace that mounted sysfs.
    with tempfile.TemporaryDirectory() as sysfs:
        if libc.mount(b'sysfs', sysfs.encode(), b'sysfs', 0, None) != 0:
            raise OSError(ctypes.get_errno(), 'mount sysfs')
        attributes = '%s/class/net/%s/' % (sysfs, device)
        write(attributes + 'gro_flush_timeout', number(setup, r'gro_flush_timeout (\d+) ms') * 1000000)
        write(attributes + 'napi_defer_hard_irqs', number(setup, r'napi_defer_hard_irqs (\d+)'))
        libc.umount2(sysfs.encode(), 2)
    return tun


def open_socket(setup):
    match = re.search(r'([^,]*\bsocket\b[^,]*) on port (\d+)', setup, re.I)
    if match is None:
        return None
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
    if 'UDP_GRO' in match.group(1) and not re.search(r'\b(no|without)\b', match.group(1), re.I):
        made.setsockopt(SOL_UDP, UDP_GRO, 1)
    made.bind(('0.0.0.0', int(match.group(2))))
    return made


def receive(made):
    found = []
    try:
        while made is not None:
            data, control, _flags, _peer = made.recvmsg(1 << 17, 256)
            found.append([len(data), [struct.unpack('i', value[:4])[0] for level, kind, value in control
                                      if (level, kind) == (SOL_UDP, UDP_GRO)]])
    except BlockingIOError:
        pass
    return found


def play(case):
    setup = case['setup']
    device = 'gro%d' % (os.getpid() % 10000000)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    trace = Trace(device)
    try:
        tun = open_tun(device, setup)
        made = open_socket(setup)
        packets = [bytes.fromhex(each) for each in case['packets_in']]
        after, pause_ms = case.get('pause') or (-1, 0)
        time.sleep(0.02)
        before = counters()
        for index, packet in enumerate(packets):
            if index == after:
                time.sleep(pause_ms / 1000)
            trace.mark('softnet-write')
            os.write(tun, packet)
            trace.mark('softnet-end')
        time.sleep(0.1 + 4 * number(setup, r'gro_flush_timeout (\d+) ms') / 1000)
        moved = {key: value - before[key] for key, value in counters().items() if value != before[key]}
        return {'events': trace.events(), 'snmp': moved, 'recv': receive(made)}
    finally:
        trace.close()


for each in json.load(sys.stdin)['cases']:
    print(json.dumps(in_child(play, each)), flush=True)
