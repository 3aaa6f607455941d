"""Calls with a header that a library wouldn't send: HTTP/2 by hand (RFC 9113).

    timed.py HOST:PORT|unix:PATH VALUE...

Makes a call of Check with each VALUE as its grpc-timeout, on a connection of its own, and writes a line for each:
"answered" when headers came back (type 1), "closed" when the connection did instead.
"""

import socket
import sys

import http2


def connect(target):
    if target.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(target[5:])
        return connection
    host, port = target.rsplit(":", 1)
    return socket.create_connection((host, int(port)))


def call(target, timeout):
    with connect(target) as connection:
        connection.sendall(http2.beginning() + http2.call(1, "/hawser.v1.Push/Check", grpc_timeout=timeout))
        # A message of one field: the pod's id is "a".
        connection.sendall(http2.frame(0, 1, 1, b"\0\0\0\0\3\x0a\1a"))
        received = b""
        while not http2.answered(received):
            more = connection.recv(4096)
            if not more:
                return "closed"
            received += more
    return "answered"


for value in sys.argv[2:]:
    try:
        print(call(sys.argv[1], value), flush=True)
    except OSError:
        print("closed", flush=True)
