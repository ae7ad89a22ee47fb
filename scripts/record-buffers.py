#!/usr/bin/env python3
"""Fills UDP sockets of the running Linux kernel that nobody reads, and tells what they hold.

Reads {"cases": [{"path", "payload", "so_rcvbuf_set", "sent"}]} from standard input (the form of tests/data/oracle/rmem.json) and
writes one line of JSON per case: what rmem.json tells of it, or {"error"}. `sent` left out or 0: until five datagrams are lost.
Paths: `veth` (from another network namespace), `lo`, `tun` and `tun_napi` (written to a TUN device); what follows a
colon is ignored. Each case has namespaces of its own. Needs root, /dev/net/tun and ip(8).
"""
import ctypes
import errno
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import time

from recording import in_child

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NAPI, IFF_NO_PI = 1, 0x10, 0x1000
SO_RCVBUFFORCE = 33
SO_MEMINFO = 55
MEMINFO_WORDS = 9
RMEM_ALLOC, RCVBUF, FWD_ALLOC, DROPS = 0, 1, 4, 8
PORT = 5000
LOST = 5
SETTLE_SECONDS = 0.2
libc = ctypes.CDLL(None, use_errno=True)


def unshare():
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'unshare')
    for kind in ('all', 'default'):
        try:
            with open('/proc/sys/net/ipv6/conf/%s/disable_ipv6' % kind, 'w') as file:
                file.write('1')
        except OSError:
            pass


def tool(command):
    done = subprocess.run(command.split(), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError('%s: %s' % (command, done.stderr.strip()))


def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet(payload):
    source, target = socket.inet_aton('10.9.0.2'), socket.inet_aton('10.9.0.1')
    body = struct.pack('>HHHH', 40000, PORT, 8 + payload, 0) + b'x' * payload
    pseudo = source + target + struct.pack('>BBH', 0, 17, len(body))
    body = body[:6] + struct.pack('>H', checksum(pseudo + body) or 0xffff) + body[8:]
    head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(body), 1, 0, 64, 17, 0, source, target)
    return head[:10] + struct.pack('>H', checksum(head)) + head[12:] + body


def open_tun(flags, payload):
    device = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack('16sH22x', b'tun0', IFF_TUN | IFF_NO_PI | flags))
    tool('ip link set tun0 up')
    tool('ip addr add 10.9.0.1/24 dev tun0')
    frame = packet(payload)
    return lambda: os.write(device, frame)


def open_veth(payload):
    """The sender's namespace is that of a child, which ends with the pipe."""
    waiting, end = os.pipe()
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(end)
        unshare()
        os.write(told, b'1')
        os.read(waiting, 1)
        os._exit(0)
    os.read(ready, 1)
    tool('ip link add veth0 type veth peer name veth1 netns %d' % child)
    tool('ip link set veth0 up')
    tool('ip addr add 10.9.0.1/24 dev veth0')
    own = os.open('/proc/self/ns/net', os.O_RDONLY)
    other = os.open('/proc/%d/ns/net' % child, os.O_RDONLY)
    if libc.setns(other, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'setns')
    tool('ip link set veth1 up')
    tool('ip addr add 10.9.0.2/24 dev veth1')
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    libc.setns(own, CLONE_NEWNET)
    return sender_of(sender, payload)


def sender_of(sender, payload):
    data = b'x' * payload
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)

    def send():
        try:
            sender.sendto(data, ('10.9.0.1', PORT))
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
    return send


def open_lo(payload):
    tool('ip addr add 10.9.0.1/32 dev lo')
    return sender_of(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), payload)


def open_path(path, payload):
    unshare()
    tool('ip link set lo up')
    base = path.split(':')[0]
    if base == 'tun':
        return open_tun(0, payload)
    if base == 'tun_napi':
        return open_tun(IFF_NAPI, payload)
    return open_veth(payload) if base == 'veth' else open_lo(payload)


def meminfo(made):
    return struct.unpack('%dI' % MEMINFO_WORDS, made.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * MEMINFO_WORDS))


def drain(made):
    try:
        while True:
            made.recv(65536)
    except BlockingIOError:
        pass


def rcvbuf_errors():
    with open('/proc/self/net/snmp') as file:
        names, values = [line.split() for line in file if line.startswith('Udp:')]
    return int(values[names.index('RcvbufErrors')])


def one_more(made, send):
    """Sends and waits until the datagram is held or lost; what memory it took."""
    before = meminfo(made)
    send()
    end = time.monotonic() + SETTLE_SECONDS
    while True:
        after = meminfo(made)
        if after[RMEM_ALLOC] != before[RMEM_ALLOC] or after[DROPS] != before[DROPS]:
            return after[RMEM_ALLOC] - before[RMEM_ALLOC]
        if time.monotonic() > end:
            raise RuntimeError('a datagram did not arrive')
        time.sleep(0.0002)


def play(case):
    send = open_path(case['path'], case['payload'])
    first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    first.setblocking(False)
    first.bind(('0.0.0.0', PORT))
    # Neighbours are known, and per-CPU caches filled, before anything is measured.
    send()
    time.sleep(0.05)
    first.close()
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    if case['so_rcvbuf_set']:
        made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, case['so_rcvbuf_set'])
    made.bind(('0.0.0.0', PORT))
    errors = rcvbuf_errors()
    sizes, sent = [], 0
    while sent < case.get('sent', 0) or (not case.get('sent') and meminfo(made)[DROPS] < LOST):
        size = one_more(made, send)
        sent += 1
        if size:
            sizes.append(size)
    full = meminfo(made)
    drain(made)
    after = meminfo(made)
    truesizes = {str(size): sizes.count(size) for size in sorted(set(sizes))}
    return {
        'path': case['path'], 'payload': case['payload'], 'so_rcvbuf_set': case['so_rcvbuf_set'], 'sk_rcvbuf': full[RCVBUF],
        'truesize_first': sizes[0], 'truesizes': truesizes, 'held': len(sizes), 'rmem_at_full': full[RMEM_ALLOC],
        'predicted_floor': max(1, full[RCVBUF] // sizes[0]), 'sent': sent, 'drops': full[DROPS],
        'RcvbufErrors': rcvbuf_errors() - errors, 'rmem_after_drain': after[RMEM_ALLOC], 'fwd_alloc_after': after[FWD_ALLOC],
    }


for each in json.load(sys.stdin)['cases']:
    print(json.dumps(in_child(play, each)), flush=True)
