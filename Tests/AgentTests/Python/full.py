"""Fills the table of tracked flows of the network namespace that it runs in, and says how many it made.

The limit is the machine's (net.netfilter.nf_conntrack_max) and counts for each network namespace, so nobody else's flows are touched. The flows
are of addresses that nobody has (RFC 2544), and assured, which the kernel doesn't drop to make room for others (early_drop,
net/netfilter/nf_conntrack_core.c).
"""

import errno
import socket
import struct
import sys

NETLINK_NETFILTER = 12
CT_NEW = 1 << 8  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW
REQUEST, CREATE, EXCL = 0x1, 0x400, 0x200
NESTED = 0x8000
ASSURED = 0x2 | 0x4 | 0x8  # IPS_SEEN_REPLY, IPS_ASSURED, IPS_CONFIRMED
# Of each datagram.
MESSAGES = 100


def attribute(kind, payload):
    text = struct.pack("=HH", len(payload) + 4, kind) + payload
    return text + bytes(-len(text) % 4)


def end(source, destination, port, to):
    addresses = attribute(1, source) + attribute(2, destination)  # CTA_IP_V4_SRC, CTA_IP_V4_DST
    ports = attribute(1, b"\x11") + attribute(2, struct.pack(">H", port)) + attribute(3, struct.pack(">H", to))
    return attribute(NESTED | 1, addresses) + attribute(NESTED | 2, ports)  # CTA_TUPLE_IP, CTA_TUPLE_PROTO


def flow(number):
    here = socket.inet_aton("198.18.0.1")
    there = struct.pack(">I", 0xC6130000 + (number >> 15))
    port = 1024 + (number & 0x7FFF)
    body = attribute(NESTED | 1, end(here, there, port, 9)) + attribute(NESTED | 2, end(there, here, 9, port))
    body += attribute(3, struct.pack(">I", ASSURED)) + attribute(7, struct.pack(">I", 3600))  # CTA_STATUS, CTA_TIMEOUT
    header = struct.pack("=IHHII", 20 + len(body), CT_NEW, REQUEST | CREATE | EXCL, number, 0)
    return header + struct.pack(">BBH", socket.AF_INET, 0, 0) + body


def refusals(kernel):
    """The errors that the kernel has answered with so far."""
    while True:
        try:
            answer = kernel.recv(1 << 16, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        offset = 0
        while offset + 20 <= len(answer):
            length, kind = struct.unpack_from("=IH", answer, offset)
            if kind == 2:  # NLMSG_ERROR
                yield -struct.unpack_from("=i", answer, offset + 16)[0]
            offset += (length + 3) & ~3


def fill():
    with open("/proc/sys/net/netfilter/nf_conntrack_max", encoding="ascii") as file:
        limit = int(file.read())
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    kernel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    made = 0
    while made < limit + MESSAGES:
        kernel.send(b"".join(flow(made + index) for index in range(MESSAGES)))
        refused = list(refusals(kernel))
        made += MESSAGES - len(refused)
        if any(error != errno.ENOMEM for error in refused):
            sys.exit(f"a flow can't be made: {[errno.errorcode.get(error, error) for error in refused]}")
        if refused:
            return made
    sys.exit(f"there is no end of it: {made} flows")


print(fill())
