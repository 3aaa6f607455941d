"""A client that falls silent in the middle of a message: HTTP/2 by hand (RFC 9113), for no library does that.

    half.py HOST PORT BYTES FILE

Opens a stream of pushes, announces a message of BYTES bytes and sends half of it (one frame: 16,384 bytes at most); 0: opens the
stream and says nothing. Then makes FILE, and is silent until it is killed.
"""

import socket
import struct
import sys
import time

import http2


def main():
    host, port, size, file = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    connection = socket.create_connection((host, port))
    connection.sendall(http2.beginning() + http2.call(1, "/hawser.v1.Push/Push"))
    # The service has the call once it has sent its own headers (type 1).
    received = b""
    while not http2.answered(received):
        received += connection.recv(4096)
    if size > 0:
        connection.sendall(http2.frame(0, 0, 1, struct.pack(">BI", 0, size) + bytes(size // 2)))
    open(file, "w").close()
    while True:
        time.sleep(60)


main()
