#!/usr/bin/env python3
"""Plays cases of packets to the running Linux kernel and tells what it did.

Reads {"runs": N, "cases": [{"setup", "steps", "packets_in"}]} from standard input (the form of
tests/data/oracle/README.md) and writes one line of JSON per case: {"runs": [{"out", "app", "snmp", "dev", "drops"}]}
or {"error"}. Each run has a network namespace of its own, made with unshare(2), so nothing outside of it is touched.
Needs root, /dev/net/tun and ip(8); nft(8) for cases with rules; tracefs for drop reasons, which are null without it.
"""
import ctypes
import errno
import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time

from recording import in_child

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_TAP, IFF_NO_PI = 1, 2, 0x1000
TRACING = '/sys/kernel/tracing'
FRAME_BYTES = 70000
SETTLE_SECONDS = 0.025
BPF_SYSCALL = 321
BPF_PROG_LOAD, BPF_LINK_CREATE = 5, 28
BPF_PROG_TYPE_XDP, BPF_XDP, XDP_FLAGS_SKB_MODE = 6, 37, 2
XDP_VERDICTS = {'aborted': 0, 'drop': 1, 'pass': 2, 'tx': 3}
SO_ATTACH_FILTER = 26
IP_RECVERR = 11
MSG_ERRQUEUE = 0x2000
libc = ctypes.CDLL(None, use_errno=True)


def write(path, text):
    with open(path, 'w') as file:
        file.write(text)


def table(name):
    """Counters of /proc/net/snmp or netstat by block and name joined."""
    with open('/proc/self/net/' + name) as file:
        lines = file.read().splitlines()
    found = {}
    for names, values in zip(lines[::2], lines[1::2]):
        block = names.split(':')[0]
        for key, value in zip(names.split()[1:], values.split()[1:]):
            found[block + key] = int(value)
    return found


def devices():
    found = {}
    with open('/proc/self/net/dev') as file:
        for line in file.read().splitlines()[2:]:
            name, values = line.split(':')
            fields = values.split()
            for key, at in (('rx_bytes', 0), ('rx_packets', 1), ('rx_dropped', 3), ('tx_bytes', 8), ('tx_packets', 9)):
                found['%s.%s' % (name.strip(), key)] = int(fields[at])
    return found


def moved(after, before):
    return {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}


class Trace:
    """Drop reasons of one process after the other, from a trace instance of its own."""

    def __init__(self):
        self.path = '%s/instances/softnet-%d' % (TRACING, os.getpid())
        try:
            os.mkdir(self.path)
        except OSError:
            self.path = None
            return
        write(self.path + '/events/skb/kfree_skb/enable', '1')

    def follow(self):
        """Begins anew with this process."""
        if self.path is not None:
            write(self.path + '/set_event_pid', str(os.getpid()))
            write(self.path + '/trace', '')

    def reasons(self):
        if self.path is None:
            return None
        with open(self.path + '/trace') as file:
            lines = file.read().splitlines()
        found = []
        for line in lines:
            match = re.search(r'location=(\w+)\S* reason: (\w+)', line)
            # Not IPv4's: what the device itself refuses, parts of a packet that is told as a whole, and IPv6.
            if match is not None and not re.match('tun_get_user|skb_release_data|ip6_', match.group(1)):
                found.append('%s@%s' % (match.group(2), match.group(1)))
        return found

    def close(self):
        if self.path is not None:
            os.rmdir(self.path)


def run_tool(command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError('%s: %s' % (' '.join(command), done.stderr.strip()))


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(128, b'\0'))
    found = libc.syscall(BPF_SYSCALL, command, buffer, 128)
    if found < 0:
        raise OSError(ctypes.get_errno(), 'bpf')
    return found


def attach_xdp(device, verdict):
    """Gives a device a generic XDP program that answers every packet with one verdict."""
    code = ctypes.create_string_buffer(struct.pack('<BBhi', 0xb7, 0, 0, verdict) + struct.pack('<BBhi', 0x95, 0, 0, 0))
    license_text = ctypes.create_string_buffer(b'GPL')
    program = bpf(BPF_PROG_LOAD, struct.pack(
        '<IIQQ', BPF_PROG_TYPE_XDP, 2, ctypes.addressof(code), ctypes.addressof(license_text)))
    bpf(BPF_LINK_CREATE, struct.pack(
        '<IIII', program, socket.if_nametoindex(device), BPF_XDP, XDP_FLAGS_SKB_MODE))


def run_command(command):
    attached = re.match(r'ip link set dev (\S+) xdpgeneric pinned xdp_(\w+)$', command)
    if attached is None:
        run_tool(command.split())
    else:
        attach_xdp(attached.group(1), XDP_VERDICTS[attached.group(2)])


def open_devices(setup):
    opened = {}
    lines = ['link set lo up']
    for device in setup['devices']:
        descriptor = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
        kind = IFF_TUN if device.get('kind', 'tun') == 'tun' else IFF_TAP
        flags = kind | (0 if device.get('pi') else IFF_NO_PI)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack('16sH22x', device['name'].encode(), flags))
        opened[device['name']] = descriptor
        name = device['name']
        if device.get('mac'):
            lines.append('link set %s address %s' % (name, device['mac']))
        if device.get('mtu'):
            lines.append('link set %s mtu %d' % (name, device['mtu']))
        lines.append('link set %s up' % name)
        lines += ['addr add %s dev %s' % (address, name) for address in device.get('addrs', [])]
    lines += ['route add ' + route for route in setup.get('routes') or []]
    run_tool(['ip', '-batch', '-'], '\n'.join(lines) + '\n')
    return opened


def address(text):
    return (text[0], text[1])


def option_level(name):
    return {'SOL_SOCKET': socket.SOL_SOCKET, 'IPPROTO_IP': socket.IPPROTO_IP}[name]


def option_name(name):
    return {'IP_RECVERR': IP_RECVERR, 'IP_MTU_DISCOVER': 10, 'SO_NO_CHECK': 11}.get(name) or getattr(socket, name)


# Options of setsockopt(), by level and number.
OPTIONS = {
    'UDP_CORK': (socket.IPPROTO_UDP, 1), 'UDP_SEGMENT': (socket.IPPROTO_UDP, 103),
    'SO_DONTROUTE': (socket.SOL_SOCKET, 5), 'SO_BROADCAST': (socket.SOL_SOCKET, 6), 'SO_SNDBUF': (socket.SOL_SOCKET, 7),
    'IP_TOS': (0, 1), 'IP_TTL': (0, 2), 'IP_PKTINFO': (0, 8), 'IP_MTU_DISCOVER': (0, 10),
    'IP_MULTICAST_IF': (0, 32), 'IP_MULTICAST_TTL': (0, 33), 'IP_MULTICAST_LOOP': (0, 34), 'IP_MULTICAST_ALL': (0, 49),
    'IP_ADD_MEMBERSHIP': (0, 35), 'IP_DROP_MEMBERSHIP': (0, 36), 'IP_UNBLOCK_SOURCE': (0, 37), 'IP_BLOCK_SOURCE': (0, 38),
    'IP_ADD_SOURCE_MEMBERSHIP': (0, 39), 'IP_DROP_SOURCE_MEMBERSHIP': (0, 40),
}
MSG_FLAGS = {'MSG_DONTROUTE': 4, 'MSG_DONTWAIT': 0x40, 'MSG_MORE': 0x8000}


def interface(text):
    """A device by name as struct ip_mreqn has it behind the group: address and index."""
    return socket.inet_aton('0.0.0.0') + struct.pack('i', socket.if_nametoindex(text))


def option_value(name, text):
    """`struct ip_mreqn` and `struct ip_mreq_source` are written as `GROUP DEV` and `GROUP ADDRESS SOURCE`."""
    words = text.split()
    if name in ('IP_ADD_MEMBERSHIP', 'IP_DROP_MEMBERSHIP'):
        return socket.inet_aton(words[0]) + interface(words[1])
    if name.endswith('SOURCE_MEMBERSHIP') or name.endswith('BLOCK_SOURCE'):
        return b''.join(socket.inet_aton(word) for word in words)
    if name == 'IP_MULTICAST_IF':
        return socket.inet_aton(text) if '.' in text else socket.inet_aton('0.0.0.0') + interface(text)
    return int(text)


def ancillary(text):
    """Control messages written as `NAME=VALUE …`; IP_PKTINFO's value is DEV/ADDRESS, either of which may be missing."""
    messages = []
    for name, value in (word.split('=') for word in text.split()):
        level, number = OPTIONS[name]
        if name == 'IP_PKTINFO':
            device, source = value.split('/')
            index = socket.if_nametoindex(device) if device else 0
            data = struct.pack('i', index) + socket.inet_aton(source or '0.0.0.0') + bytes(4)
        else:
            data = struct.pack('H' if name == 'UDP_SEGMENT' else 'i', int(value))
        messages.append((level, number, data))
    return messages


def send(made, text):
    count, target, flags, control = re.match(
        r'(\d+) bytes(?:, to ([\d.]+:\d+))?(?:, (MSG_[A-Z_|]+))?(?:, cmsg (.*))?$', text).groups()
    data = bytes(at & 255 for at in range(int(count)))
    bits = sum(MSG_FLAGS[flag] for flag in flags.split('|')) if flags else 0
    host, port = target.split(':') if target else (None, 0)
    to = (host, int(port)) if target else None
    return made.sendmsg([data], ancillary(control) if control else [], bits, to)


def open_sockets(setup):
    opened = {}
    for given in setup.get('sockets') or []:
        if given['type'] == 'raw':
            made = socket.socket(socket.AF_INET, socket.SOCK_RAW, given['proto'])
        else:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        for level, name, value in given.get('opts') or []:
            value = bytes.fromhex(value) if isinstance(value, str) else value
            made.setsockopt(option_level(level), option_name(name), value)
        if given.get('bind'):
            made.bind(address(given['bind']))
        if given.get('connect'):
            made.connect(address(given['connect']))
        opened[given['name']] = made
    return opened


def failure(error):
    return '-1 ' + errno.errorcode[error.errno]


def attach(made, text):
    program = eval(text, {'__builtins__': {}})
    code = b''.join(struct.pack('HBBI', *each) for each in program)
    buffer = ctypes.create_string_buffer(code)
    made.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack('HxxxxxxP', len(program), ctypes.addressof(buffer)))
    return 0


def queued_error(made):
    data, control, _flags, peer = made.recvmsg(2048, 512, MSG_ERRQUEUE)
    for _level, _kind, value in control:
        number, origin, kind, code, _pad, info, _data = struct.unpack('IBBBBII', value[:16])
        offender = socket.inet_ntoa(value[20:24])
        return {'errno': errno.errorcode[number], 'origin': origin, 'type': kind, 'code': code, 'info': info,
                'offender': offender, 'data': data.hex(), 'to': '%s:%d' % peer}
    return None


def call(sockets, op):
    if op == 'ip neigh':
        return subprocess.run(['ip', 'neigh'], capture_output=True, text=True).stdout.strip().replace(' \n', '\n')
    match = re.match(r'(\w+)\((\w+)(?:, ?(.*))?\)$', op)
    if match is None:
        return 0
    name, which, rest = match.groups()
    made = sockets[which]
    try:
        if name == 'recv':
            data, peer = made.recvfrom(65536)
            return {'len': len(data), 'data': data[:64].hex(), 'from': '%s:%d' % peer}
        if name == 'SO_ERROR':
            number = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            return 0 if number == 0 else errno.errorcode[number]
        if name == 'SO_ATTACH_FILTER':
            return attach(made, rest)
        if name == 'recv_err':
            return queued_error(made)
        if name == 'send':
            return send(made, rest)
        if name == 'setsockopt':
            option, value = rest.split(', ')
            made.setsockopt(*OPTIONS[option], option_value(option, value))
            return 0
    except OSError as error:
        return failure(error)
    raise RuntimeError('unknown call ' + op)


def play(case, trace):
    """One run of a case in a new namespace, which this process is then in."""
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'unshare')
    setup = case['setup']
    for kind in ('all', 'default'):
        try:
            write('/proc/sys/net/ipv6/conf/%s/disable_ipv6' % kind, '1')
        except OSError:
            pass
    files = open_devices(setup)
    for key, value in (setup.get('sysctls') or {}).items():
        write('/proc/sys/' + key.replace('.', '/'), str(value))
    for command in setup.get('commands') or []:
        run_command(command)
    if setup.get('nft'):
        run_tool(['nft', '-f', '-'], setup['nft'])
    out, app = [], []

    def drain(step):
        for name, descriptor in files.items():
            try:
                while True:
                    frame = os.read(descriptor, FRAME_BYTES)
                    when = round((time.monotonic() - start) * 1000, 1)
                    out.append({'step': step, 'dev': name, 'hex': frame.hex(), 't_ms': when})
            except BlockingIOError:
                pass

    devices_before = devices()
    sockets = open_sockets(setup)
    # What opening sockets leads to (reports of groups) is over before the first packet, and read at it.
    time.sleep(SETTLE_SECONDS)
    before = {**table('snmp'), **table('netstat')}
    trace.follow()
    start = time.monotonic()
    packets = iter(case['packets_in'])
    for index, step in enumerate(case['steps']):
        if step['do'] == 'packet':
            try:
                os.write(files[step['dev']], bytes.fromhex(next(packets)['hex']))
            except OSError:
                pass
        elif step['do'] == 'wait':
            end = time.monotonic() + step['ms'] / 1000
            while time.monotonic() < end:
                time.sleep(0.001)
                drain(index)
        else:
            app.append({'step': index, 'op': step['op'], 'result': call(sockets, step['op'])})
        drain(index)
    drops = trace.reasons()
    after, devices_after = {**table('snmp'), **table('netstat')}, devices()
    return {'out': out, 'app': app, 'snmp': moved(after, before), 'dev': moved(devices_after, devices_before), 'drops': drops}


def main():
    given = json.load(sys.stdin)
    trace = Trace()
    try:
        record_all(given, trace)
    finally:
        trace.close()


def record_all(given, trace):
    for case in given['cases']:
        runs = []
        for _ in range(given['runs']):
            answer = in_child(play, case, trace)
            if 'error' in answer:
                break
            runs.append(answer)
        print(json.dumps({'runs': runs} if len(runs) == given['runs'] else {'error': answer['error']}), flush=True)


main()
