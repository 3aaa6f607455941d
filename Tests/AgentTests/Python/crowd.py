"""Many connections of one client, by hand.

    crowd.py HOST PORT COUNT FILE [--from ADDRESS] [--ca FILE --certificate FILE --key FILE] [--again]

Makes COUNT connections, behind TLS where there is a certificate, and keeps them. FILE says how many of them were let in, which is told
by the other side's first words (HTTP/2's SETTINGS), as in "let in 16", and then "closed" once the other side has hung up on all
of those. Without a certificate nothing is said by anyone, and FILE says "open" instead. With --again each that is closed is made anew, for ever.
"""

import argparse
import os
import resource
import select
import socket
import ssl


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("file")
    parser.add_argument("--from", dest="source")
    parser.add_argument("--ca")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    # What the test has open besides isn't its own.
    os.closerange(3, 1 << 16)
    resource.setrlimit(resource.RLIMIT_NOFILE, (arguments.count + 64,) * 2)
    context = None
    if arguments.certificate:
        context = ssl.create_default_context(cafile=arguments.ca)
        context.check_hostname = False
        context.set_alpn_protocols(["h2"])
        context.load_cert_chain(arguments.certificate, arguments.key)

    def connect():
        connection = socket.socket()
        if arguments.source:
            connection.bind((arguments.source, 0))
        connection.connect((arguments.host, arguments.port))
        return connection

    def say(text):
        with open(arguments.file + ".new", "w") as file:
            file.write(text)
        os.rename(arguments.file + ".new", arguments.file)

    held = {}
    poll = select.poll()

    def keep(connection):
        held[connection.fileno()] = connection
        poll.register(connection, select.POLLIN)

    for _ in range(arguments.count):
        connection = connect()
        if context:
            try:
                connection = context.wrap_socket(connection)
                if not connection.recv(1):
                    continue
            except OSError:
                continue
        keep(connection)
    say("let in %d" % len(held) if context else "open")
    if not held:
        return
    while held:
        for number, _ in poll.poll():
            connection = held[number]
            try:
                over = not connection.recv(65536)
            except ssl.SSLWantReadError:
                over = False
            except OSError:
                over = True
            if over:
                poll.unregister(number)
                held.pop(number).close()
                if arguments.again:
                    keep(connect())
    say("closed")


main()
