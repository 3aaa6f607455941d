"""Clients of a Unix socket that are slow, silent or greedy, by bytes.

    slow.py SOCKET WHAT [COUNT]

Writes what became of it, when the other side has hung up, or that it hasn't in two minutes:

    silent          connects and says nothing
    drip            sends a request byte by byte, and never its end
    unread          asks for all events that come, and reads none
    header, target  sends a header, or a path, that never ends
    body            sends a body that nobody wants, and doesn't end
    hold            makes COUNT connections, says how many were let in, and holds them until its input ends
"""

import os
import select
import signal
import socket
import sys
import time


def connect():
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    return connection


def closed(connection, wait):
    """Whether the other side has hung up: read to its end, or, if nothing is to be read, told by poll(2)."""
    poll = select.poll()
    poll.register(connection, select.POLLHUP | select.POLLERR)
    return bool(poll.poll(wait))


def send_until_refused(connection, beginning, piece):
    """How many bytes were taken, and the first line of the answer."""
    sent = 0
    try:
        connection.sendall(beginning)
        while not closed(connection, 0):
            sent += connection.send(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass
    try:
        answer = connection.recv(4096)
    except ConnectionResetError:
        answer = b""
    print("closed after", sent, answer.split(b"\r\n")[0].decode())


def give_up(*_):
    os.write(1, b"still open\n")
    os._exit(0)


def main():
    what = sys.argv[2]
    if what == "hold":
        held = []
        for _ in range(int(sys.argv[3])):
            connection = connect()
            # Who is let in is heard; who isn't finds the other side gone.
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: hawser\r\n\r\n")
            try:
                if connection.recv(4096).startswith(b"HTTP/1.1 200"):
                    held.append(connection)
            except ConnectionResetError:
                pass
        print("let in", len(held), flush=True)
        sys.stdin.read()
        return
    signal.signal(signal.SIGALRM, give_up)
    # Whoever started it may have blocked it, which is inherited.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    signal.alarm(120)
    connection = connect()
    if what == "silent":
        while connection.recv(4096):
            pass
        print("closed")
    elif what == "drip":
        request = b"GET /v1/status HTTP/1.1\r\nHost: hawser\r\nX-Slow: "
        sent = 0
        try:
            while not closed(connection, 20):
                connection.send(request[sent:sent + 1] or b"x")
                sent += 1
        except (BrokenPipeError, ConnectionResetError):
            pass
        print("closed")
    elif what == "unread":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.sendall(b"GET /v1/events?follow=true HTTP/1.1\r\nHost: hawser\r\n\r\n")
        while not closed(connection, 1000):
            pass
        print("closed")
    elif what == "header":
        send_until_refused(connection, b"GET /v1/status HTTP/1.1\r\nHost: hawser\r\nX-Long: ", b"x" * 1024)
    elif what == "target":
        send_until_refused(connection, b"GET /", b"x" * 1024)
    elif what == "body":
        send_until_refused(connection, b"GET /v1/status HTTP/1.1\r\nHost: hawser\r\nContent-Length: 1000000000000\r\n\r\n", b"x" * 65536)


main()
