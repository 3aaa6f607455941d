"""HTTP/2 by hand (RFC 9113), for clients that do what no library does."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def field(name, value):
    """A literal that isn't to be remembered, without Huffman's code (RFC 7541, section 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def beginning():
    """What a client says first: its settings, and that it knows the other side's."""
    return PREFACE + frame(4, 0, 0, b"") + frame(4, 1, 0, b"")


def call(stream, path, **more):
    """The headers of a call; '_' in a name stands for '-'."""
    headers = {
        ":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost", "content-type": "application/grpc",
        "te": "trailers",
    }
    headers.update((name.replace("_", "-"), value) for name, value in more.items())
    return frame(1, 4, stream, b"".join(field(name, value) for name, value in headers.items()))


def answered(received):
    """Whether headers (type 1) are among the frames."""
    while len(received) >= 9:
        if received[3] == 1:
            return True
        received = received[9 + int.from_bytes(received[:3], "big"):]
    return False
