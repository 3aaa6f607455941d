"""A client that falls silent in the middle of a message: HTTP/2 by hand (RFC 9113), for no library does that.

    half.py HOST PORT BYTES FILE

Opens a stream of pushes, announces a message of BYTES bytes and sends half of it (one frame: 16,384 bytes at most); 0: opens the
stream and says nothing. Then makes FILE, and is silent until it is killed.
"""

import socket
import struct
import sys
import time


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def field(name, value):
    """A literal that isn't to be remembered, without Huffman's code (RFC 7541, section 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def main():
    host, port, size, file = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    headers = {
        ":method": "POST", ":scheme": "http", ":path": "/hawser.v1.Push/Push", ":authority": host,
        "content-type": "application/grpc", "te": "trailers",
    }
    connection = socket.create_connection((host, port))
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(4, 1, 0, b""))
    connection.sendall(frame(1, 4, 1, b"".join(field(name, value) for name, value in headers.items())))
    # The service has the call once it has sent its own headers (type 1).
    received = b""
    while not answered(received):
        received += connection.recv(4096)
    if size > 0:
        connection.sendall(frame(0, 0, 1, struct.pack(">BI", 0, size) + bytes(size // 2)))
    open(file, "w").close()
    while True:
        time.sleep(60)


def answered(received):
    while len(received) >= 9:
        if received[3] == 1:
            return True
        received = received[9 + int.from_bytes(received[:3], "big"):]
    return False


main()
