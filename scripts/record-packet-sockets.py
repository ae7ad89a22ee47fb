#!/usr/bin/env python3
"""Asks packet sockets of the running Linux kernel what they hold, see and lose, and prints it as one JSON document.

`full`: datagrams sent on a veth device past a socket of which one packet is read when it has been sent, of a ring none.
`seen`: packets that sockets bound in several ways see of a hundred datagrams sent on a veth or the loopback device.
`lb`: packets of each socket of a group that takes turns. Each case has a network namespace of its own. Needs root and ip(8).
tests/packet-sockets.test.ts compares tests/data/oracle/packet-sockets.json, which is what this printed.
"""
import ctypes
import json
import os
import socket
import struct
import subprocess
import sys

CLONE_NEWNET = 0x40000000
SOL_PACKET = 263
PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION, PACKET_FANOUT, PACKET_IGNORE_OUTGOING = 5, 6, 10, 18, 23
FANOUT_LB = 1
ETH_P_ALL, ETH_P_IP = 3, 0x800
NEVER_MS = 60_000
libc = ctypes.CDLL(None, use_errno=True)

# ring, its bytes or SO_RCVBUF (0: default), slot or block bytes, payload, datagrams
FULL = [
    ('none', 0, 0, 18, 600), ('none', 0, 0, 1400, 600), ('none', 5000, 0, 18, 60), ('none', 1, 0, 18, 10),
    ('none', 0, 0, 3000, 300), ('none', 20_000, 0, 500, 100),
    ('tpacket_v2', 65_536, 2048, 18, 60), ('tpacket_v2', 65_536, 128, 1400, 600), ('tpacket_v2', 8192, 4096, 1400, 9),
    ('tpacket_v3', 65_536, 4096, 18, 700), ('tpacket_v3', 65_536, 4096, 1400, 100), ('tpacket_v3', 65_536, 65_536, 200, 400),
    ('tpacket_v3', 131_072, 32_768, 700, 300), ('tpacket_v3', 16_384, 4096, 37, 200), ('tpacket_v3', 8192, 4096, 1472, 20),
]
# device sent by, device bound to (any: none), protocol, SOCK_DGRAM, PACKET_IGNORE_OUTGOING
SEEN = [(by, to, protocol, dgram, ignore) for by in ('v0', 'lo') for to in ('any', 'v0', 'lo')
        for protocol in ('all', 'ip') for dgram in (False, True) for ignore in (False, True)]


def ip(command):
    subprocess.run(['ip', *command.split()], check=True, capture_output=True)


def namespace():
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'unshare')
    for kind in ('all', 'default'):
        with open('/proc/sys/net/ipv6/conf/%s/disable_ipv6' % kind, 'w') as file:
            file.write('1')
    ip('link set lo up')
    ip('link add v0 type veth peer name v1')
    ip('addr add 192.0.2.1/24 dev v0')
    ip('link set v0 up')
    ip('link set v1 up')
    ip('neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev v0')


def tap(device, protocol=ETH_P_ALL, kind=socket.SOCK_RAW):
    made = socket.socket(socket.AF_PACKET, kind, 0)
    if device == 'any':
        made.close()
        return socket.socket(socket.AF_PACKET, kind, socket.htons(protocol))
    made.bind((device, protocol))
    return made


def statistics(made, version):
    data = made.getsockopt(SOL_PACKET, PACKET_STATISTICS, 12 if version == 3 else 8)
    return list(struct.unpack('I' * (len(data) // 4), data))


def sender(address):
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, 33 - 1, 4_000_000)
    made.connect((address, 9))
    return made


def full(ring, size, slot, payload, count):
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    version = {'none': 0, 'tpacket_v2': 2, 'tpacket_v3': 3}[ring]
    if version == 0 and size > 0:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    if version > 0:
        made.setsockopt(SOL_PACKET, PACKET_VERSION, version - 1)
        blocks = size // slot
        if version == 3:
            made.setsockopt(SOL_PACKET, PACKET_RX_RING, struct.pack('7I', slot, blocks, slot, blocks, NEVER_MS, 0, 0))
        else:
            made.setsockopt(SOL_PACKET, PACKET_RX_RING, struct.pack('4I', 4096, size // 4096, slot, blocks))
    made.bind(('v0', ETH_P_ALL))
    out = sender('192.0.2.9')
    for i in range(count):
        try:
            out.send(b'x' * payload)
        except ConnectionRefusedError:
            pass
        if i == 0 and version == 0:
            made.recv(65_536)
    got = statistics(made, version)
    return {'ring': ring, 'bytes': size, 'slot': slot, 'payload': payload, 'sent': count, 'received': got[0], 'dropped': got[1],
            'freezes': got[2] if version == 3 else 0}


def seen(by, to, protocol, dgram, ignore):
    made = tap(to, ETH_P_ALL if protocol == 'all' else ETH_P_IP, socket.SOCK_DGRAM if dgram else socket.SOCK_RAW)
    if ignore:
        made.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    made.setsockopt(socket.SOL_SOCKET, 33, 4_000_000)
    out = sender('127.0.0.1' if by == 'lo' else '192.0.2.9')
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(('127.0.0.1', 9))
    for _ in range(100):
        out.send(b'x' * 18)
    count, _ = statistics(made, 0)
    length = len(made.recv(65_536)) if count > 0 else 0
    # The other end of the veth pair is in the namespace too: what it receives is left out of `any`.
    peer = to == 'any' and by == 'v0'
    return {'by': by, 'to': to, 'protocol': protocol, 'dgram': dgram, 'ignore_outgoing': ignore, 'packets': count - (100 if peer else 0), 'length': length}


def balanced(members, count):
    group = []
    for _ in range(members):
        made = tap('v0')
        made.setsockopt(SOL_PACKET, PACKET_FANOUT, 7 | FANOUT_LB << 16)
        group.append(made)
    out = sender('192.0.2.9')
    for _ in range(count):
        out.send(b'x')
    return {'members': members, 'sent': count, 'received': [statistics(each, 0)[0] for each in group]}


def in_child(function, *args):
    inside, outside = os.pipe()
    if os.fork() == 0:
        namespace()
        os.write(outside, json.dumps(function(*args)).encode())
        os._exit(0)
    os.close(outside)
    with os.fdopen(inside) as file:
        text = file.read()
    os.wait()
    return json.loads(text)


def main():
    kernel = os.uname().release
    json.dump({
        'kernel': kernel,
        'full': [in_child(full, *case) for case in FULL],
        'seen': [in_child(seen, *case) for case in SEEN],
        'lb': [in_child(balanced, *case) for case in ((3, 10), (2, 5), (4, 4))],
    }, sys.stdout)
    print()


main()
