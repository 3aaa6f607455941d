"""Calls with a header that a library wouldn't send: HTTP/2 by hand (RFC 9113).

    timed.py HOST:PORT|unix:PATH VALUE...

Makes a call of Check with each VALUE as its grpc-timeout, on a connection of its own, and writes a line for each:
"answered" when headers came back (type 1), "closed" when the connection did instead.
"""

import socket
import struct
import sys


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def field(name, value):
    """A literal that isn't to be remembered, without Huffman's code (RFC 7541, section 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def connect(target):
    if target.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(target[5:])
        return connection
    host, port = target.rsplit(":", 1)
    return socket.create_connection((host, int(port)))


def call(target, timeout):
    headers = {
        ":method": "POST", ":scheme": "http", ":path": "/hawser.v1.Push/Check", ":authority": "localhost",
        "content-type": "application/grpc", "te": "trailers", "grpc-timeout": timeout,
    }
    with connect(target) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(4, 1, 0, b""))
        connection.sendall(frame(1, 4, 1, b"".join(field(name, value) for name, value in headers.items())))
        # A message of one field: the pod's id is "a".
        connection.sendall(frame(0, 1, 1, b"\0\0\0\0\3\x0a\1a"))
        received = b""
        while not answered(received):
            more = connection.recv(4096)
            if not more:
                return "closed"
            received += more
    return "answered"


def answered(received):
    while len(received) >= 9:
        if received[3] == 1:
            return True
        received = received[9 + int.from_bytes(received[:3], "big"):]
    return False


for value in sys.argv[2:]:
    try:
        print(call(sys.argv[1], value), flush=True)
    except OSError:
        print("closed", flush=True)
