"""Gives an interface of the network namespace that it runs in addresses that bear Hawser's mark, as a pod that is root can:

    marked.py INTERFACE COUNT

So many of IPv4 (198.18.0.0/15, RFC 2544) and of IPv6 (2001:db8::/32, RFC 3849). ip(8) has a word for that since 6.3 only.
"""

import socket
import struct
import sys

RTM_NEWADDR = 20
REQUEST, ACK, EXCL, CREATE = 0x1, 0x4, 0x200, 0x400
IFA_ADDRESS, IFA_LOCAL, IFA_FLAGS, IFA_PROTO = 1, 2, 8, 11
IFA_F_NODAD, IFA_F_NOPREFIXROUTE = 0x02, 0x200
MARK = 104


def attribute(kind, payload):
    text = struct.pack("=HH", len(payload) + 4, kind) + payload
    return text + bytes(-len(text) % 4)


def message(family, index, address):
    body = struct.pack("=BBBBI", family, len(address) * 8, 0, 0, index) + attribute(IFA_LOCAL, address)
    body += attribute(IFA_ADDRESS, address) + attribute(IFA_FLAGS, struct.pack("=I", IFA_F_NODAD | IFA_F_NOPREFIXROUTE))
    body += attribute(IFA_PROTO, bytes([MARK]))
    return struct.pack("=IHHII", 16 + len(body), RTM_NEWADDR, REQUEST | ACK | EXCL | CREATE, 0, 0) + body


def main():
    index, count = socket.if_nametoindex(sys.argv[1]), int(sys.argv[2])
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)  # NETLINK_ROUTE
    for number in range(count):
        for family, address in (
            (socket.AF_INET, bytes([198, 18, number >> 8, number & 255])),
            (socket.AF_INET6, socket.inet_pton(socket.AF_INET6, f"2001:db8::{number:x}")),
        ):
            kernel.send(message(family, index, address))
            error = -struct.unpack("=i", kernel.recv(4096)[16:20])[0]
            if error:
                raise OSError(error, f"address {number} of family {family}")


main()
