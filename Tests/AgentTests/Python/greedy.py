"""Clients of the push that want memory, by bytes: HTTP/2 by hand (RFC 9113), for no library does that.

    greedy.py TARGET WHAT FILE [--ca FILE --certificate FILE --key FILE]

TARGET is HOST:PORT, or unix:PATH. What it does, until it is killed or hung up on; FILE says "ready" when it has, and "closed" when the
other side has hung up:

    halves      a hundred calls of Check, each with 20 MiB of a message that says it is 63 MiB
    begun       a hundred calls of Apply, each with the head of a message of 63 MiB, and nothing of it
    silent      one call of Apply, with the head of a message of 64 KiB, and nothing of it
    drops       as halves, in frames of one byte each, as much as one window takes of each
    unread      calls of Apply that are answered with megabytes, a hundred at a time, of which nothing is read
    resets      the same, and each is given up as soon as it is sent; a thousand in all
    pieces      snapshots in pieces of 50,000 empty rules each, on ten streams, never ended
    rules N     one Apply, dry run: a group with N empty rules; FILE says what was answered
    texts N     one Apply, dry run: a text with N values
    goal N      one PushNetworkResourceStates with N empty rules in one group
    piece N     one Push, dry run: a snapshot in ten pieces of N empty rules each
    watches     calls of Watch, a hundred at a time, of which nothing is read
"""

import argparse
import os
import socket
import ssl
import struct

import http2


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def nested(field, *parts):
    body = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(body)) + body


def flag(field):
    return varint(field << 3) + b"\1"


class Connection:
    def __init__(self, arguments):
        if arguments.target.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(arguments.target[5:])
        else:
            host, port = arguments.target.rsplit(":", 1)
            self.socket = socket.create_connection((host, int(port)))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if arguments.certificate:
            context = ssl.create_default_context(cafile=arguments.ca)
            context.check_hostname = False
            context.set_alpn_protocols(["h2"])
            context.load_cert_chain(arguments.certificate, arguments.key)
            self.socket = context.wrap_socket(self.socket)
        self.received = b""
        self.windows = {0: 65535}
        self.stream = -1
        self.status = {}
        self.out = []
        self.socket.sendall(http2.beginning())

    def open(self, path):
        """Begins a call; the number of its stream."""
        self.stream += 2
        self.windows[self.stream] = 65535
        self.socket.sendall(http2.call(self.stream, path))
        return self.stream

    def read(self, wait=True):
        """What the other side says: windows, pings, ends of calls. Whether there was anything."""
        self.socket.settimeout(None if wait else 0.001)
        try:
            data = self.socket.recv(1 << 20)
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        finally:
            self.socket.settimeout(None)
        if not data:
            raise ConnectionResetError
        self.received += data
        while len(self.received) >= 9:
            length = int.from_bytes(self.received[:3], "big")
            if len(self.received) < 9 + length:
                break
            kind, flags = self.received[3], self.received[4]
            stream = int.from_bytes(self.received[5:9], "big")
            payload = self.received[9:9 + length]
            self.received = self.received[9 + length:]
            if kind == 8:
                self.windows[stream] = self.windows.get(stream, 0) + int.from_bytes(payload, "big")
            elif kind == 6 and not flags & 1:
                self.socket.sendall(http2.frame(6, 1, 0, payload))
            elif kind == 3 or kind == 1 and flags & 1:
                self.status[stream] = payload
        return True

    def send(self, stream, data, size=16384, last=False):
        """Sends what windows allow, of one call; how much that is."""
        sent = 0
        while sent < len(data):
            room = min(size, self.windows[0], self.windows[stream], len(data) - sent)
            if room <= 0:
                break
            end = last and sent + room == len(data)
            self.socket.sendall(http2.frame(0, 1 if end else 0, stream, data[sent:sent + room]))
            self.windows[0] -= room
            self.windows[stream] -= room
            sent += room
        return sent

    def send_all(self, parts, size=16384, last=False):
        """The same of several calls at once, until all is sent, or nothing gets on any more."""
        left = {stream: memoryview(data) for stream, data in parts.items()}
        while left:
            got_on = False
            for stream in list(left):
                sent = self.send(stream, left[stream], size, last)
                left[stream] = left[stream][sent:]
                got_on = got_on or sent > 0
                if not left[stream] or stream in self.status:
                    del left[stream]
            if left and not self.read(wait=False) and not got_on:
                # A second chance, and then it is stuck, as is intended.
                if not self.wait():
                    return

    def wait(self):
        for _ in range(300):
            if self.read(wait=False):
                return True
        return False

    def reset(self, stream):
        self.socket.sendall(http2.frame(3, 0, stream, struct.pack(">I", 8)))

    def answer(self, stream):
        """The grpc-status of a call, as far as it is spelled out; or that it was reset."""
        while stream not in self.status:
            self.read()
        return self.status[stream]


def message(body, length=None):
    return struct.pack(">BI", 0, len(body) if length is None else length) + body


def upserts(*resources):
    """A dry run of a delta."""
    return nested(2, nested(1, *resources)) + flag(4)


def group(name, rules):
    return nested(2, nested(1, name), b"\x22\0" * rules)


def call(arguments):
    """One call by a library, of bytes that are no library's; its status, and why."""
    import grpc

    def read(name):
        with open(name, "rb") as file:
            return file.read()

    count = arguments.count
    path, body = "/hawser.v1.Push/Apply", None
    if arguments.what == "rules":
        body = upserts(group(b"g", count))
    elif arguments.what == "texts":
        text = b'{"networks": [' + b",".join([b"1"] * count) + b"]}"
        body = nested(5, nested(1, nested(1, b"a.json"), nested(2, text))) + flag(4)
    elif arguments.what == "goal":
        path = "/alcor.schema.GoalStateProvisioner/PushNetworkResourceStates"
        body = nested(6, nested(2, nested(3, b"g"), b"\x3a\0" * count))
    credentials = grpc.ssl_channel_credentials(read(arguments.ca), read(arguments.key), read(arguments.certificate))
    options = [("grpc.ssl_target_name_override", "host.example"), ("grpc.max_receive_message_length", -1)]
    channel = grpc.secure_channel(arguments.target, credentials, options)
    try:
        if body is None:
            rules = nested(1, group(b"g", count))
            pieces = [nested(3, rules) + flag(4)] * 9 + [nested(3, rules, flag(2)) + flag(4)]
            replies = channel.stream_stream("/hawser.v1.Push/Push")(iter(pieces))
            for _ in replies:
                pass
        else:
            channel.unary_unary(path)(body)
        return "OK"
    except grpc.RpcError as error:
        return "%s %s" % (error.code().name, error.details())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("what")
    parser.add_argument("count", type=int, nargs="?", default=0)
    parser.add_argument("file")
    parser.add_argument("--ca")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    arguments = parser.parse_args()

    def say(text):
        with open(arguments.file + ".new", "w") as file:
            file.write(text)
        os.rename(arguments.file + ".new", arguments.file)

    if arguments.count:
        return say(call(arguments))
    connection = Connection(arguments)
    push = "/hawser.v1.Push/"
    bad = b"".join(nested(5, nested(1, b"bad-%d" % number), nested(2, b"blue"), nested(3, b"10.1.0.1/99")) for number in range(20000))
    try:
        if arguments.what == "halves":
            begun = message(bytes(20 << 20), 63 << 20)
            connection.send_all({connection.open(push + "Check"): begun for _ in range(100)})
        elif arguments.what == "begun":
            connection.send_all({connection.open(push + "Apply"): message(b"", 63 << 20) for _ in range(100)})
        elif arguments.what == "silent":
            connection.send_all({connection.open(push + "Apply"): message(b"", 64 << 10)})
        elif arguments.what == "drops":
            connection.send_all({connection.open(push + "Apply"): message(bytes(100), 63 << 20) for _ in range(4)})
            connection.send_all({connection.open(push + "Check"): message(bytes(60000), 63 << 20) for _ in range(90)}, size=1)
        elif arguments.what == "unread":
            body = message(upserts(bad))
            for _ in range(5):
                connection.send_all({connection.open(push + "Apply"): body for _ in range(20)}, last=True)
        elif arguments.what == "resets":
            body = message(upserts(bad))
            for _ in range(150):
                stream = connection.open(push + "Apply")
                connection.send_all({stream: body})
                connection.reset(stream)
        elif arguments.what == "pieces":
            piece = message(nested(3, nested(1, group(b"g", 50000))) + flag(4))
            streams = [connection.open(push + "Push") for _ in range(10)]
            for _ in range(20):
                connection.send_all({stream: piece for stream in streams if stream not in connection.status})
        elif arguments.what == "watches":
            for _ in range(100):
                connection.send_all({connection.open(push + "Watch"): message(flag(1))}, last=True)
        say("ready")
        while True:
            connection.read()
    except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
        say("closed")


main()
