"""Records what this host's kernel says, as inputs for the fuzzer: run it where a daemon has pods and groups, in namespaces of its own.

    record.py CORPUS

Writes datagrams of netlink dumps to CORPUS/links, events, nftables and flows. The first of each kind and as many that differ in length are
kept: a corpus is to be small.
"""

import os
import socket
import struct
import sys

ROUTE, NETFILTER = 0, 12
NLM_F_REQUEST, NLM_F_DUMP, NLM_F_ACK = 1, 0x300, 4
NFT, CT = 10 << 8, 1 << 8


def request(kind, payload, flags=NLM_F_REQUEST | NLM_F_DUMP):
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, 1, 0) + payload


def attribute(number, payload):
    return (struct.pack("=HH", 4 + len(payload), number) + payload).ljust((4 + len(payload) + 3) & ~3, b"\0")


def ask(family, message):
    """The datagrams that answer a request."""
    connection = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, family)
    # Refusals are told with the kernel's own words (SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK).
    connection.setsockopt(270, 10, 1)
    connection.setsockopt(270, 11, 1)
    connection.bind((0, 0))
    connection.send(message)
    datagrams = []
    while True:
        datagram = connection.recv(1 << 16)
        datagrams.append(datagram)
        kinds = [kind for kind, _ in messages(datagram)]
        if 2 in kinds or 3 in kinds:
            return datagrams


def messages(datagram):
    while len(datagram) >= 16:
        length, kind = struct.unpack("=IH", datagram[:6])
        yield kind, datagram[:length]
        datagram = datagram[(length + 3) & ~3:]


def keep(folder, name, datagrams, most=6):
    os.makedirs(folder, exist_ok=True)
    seen = set()
    for number, datagram in enumerate(datagrams):
        # One message for each kind and length, and one datagram as it came.
        for kind, message in messages(datagram):
            if (kind, len(message)) not in seen and len(seen) < most:
                seen.add((kind, len(message)))
                write(f"{folder}/{name}-{kind}-{len(message)}", message)
        if number == 0 and len(datagram) <= 2048:
            write(f"{folder}/{name}-datagram", datagram)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def main():
    corpus = sys.argv[1]
    nothing = bytes(16)
    links = {
        "link": request(18, nothing), "address": request(22, bytes(8)), "route": request(26, bytes([2]) + bytes(11)),
        "route6": request(26, bytes([10]) + bytes(11)), "neighbor": request(30, bytes(12)),
        "forwarding": request(30, bytes([7]) + bytes(11)),
        "refused": request(18, struct.pack("=BBHiII", 0, 0, 0, 99999, 0, 0), NLM_F_REQUEST | NLM_F_ACK),
    }
    for name, message in links.items():
        datagrams = ask(ROUTE, message)
        keep(f"{corpus}/links", name, datagrams)
        if name != "refused":
            keep(f"{corpus}/events", name, datagrams, 2)
    family = bytes([1, 0, 0, 0])
    table = attribute(1, b"hawser\0")
    keep(f"{corpus}/nftables", "table", ask(NETFILTER, request(NFT + 1, family)))
    keep(f"{corpus}/nftables", "chain", ask(NETFILTER, request(NFT + 4, family)))
    keep(f"{corpus}/nftables", "rule", ask(NETFILTER, request(NFT + 7, family + table)), 12)
    sets = ask(NETFILTER, request(NFT + 10, family + table))
    keep(f"{corpus}/nftables", "set", sets, 8)
    names = []
    for datagram in sets:
        for _, message in messages(datagram):
            # NFTA_SET_NAME: 2, behind NFTA_SET_TABLE.
            at = 20
            while at + 4 <= len(message):
                length, number = struct.unpack("=HH", message[at:at + 4])
                if length < 4:
                    break
                if number & 0x3FFF == 2:
                    names.append(message[at + 4:at + length])
                at += (length + 3) & ~3
    for index, name in enumerate(names):
        answer = ask(NETFILTER, request(NFT + 13, family + table + attribute(2, name)))
        if len(answer[0]) > 60 and index % 4 == 0:
            keep(f"{corpus}/nftables", f"elements-{index}", answer[:1], 1)
    keep(f"{corpus}/flows", "flow", ask(NETFILTER, request(CT + 1, bytes(4))))


main()
