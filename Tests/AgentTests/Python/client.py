"""A second implementation of gRPC, for the tests: Python's, with stubs compiled from the repository's own .proto files.

    client.py TARGET [--ca FILE] [--certificate FILE --key FILE] [--name NAME] < SCRIPT

The script is a line of JSON for each step:

    {"call": "Apply", "service": "hawser.v1.Push", "request": {...}}   a unary call
    {"open": "Push", "service": "hawser.v1.Push"}                      begins a stream of both directions
    {"send": {...}}                                                    a message on it
    {"receive": N}                                                     waits for N replies
    {"close": true}                                                    says that no more is sent, and reads to the end
    {"cancel": true}                                                   gives the stream up
    {"exists": "/path"}                                                waits until there is such a file
    {"touch": "/path"}                                                 makes one
    {"flood": {...}, "stuck": "/path"}                                 sends it again and again on a stream of its own and never reads an
                                                                       answer; makes the file, with how many went, when no more go

Messages are protobuf's JSON. Each reply is written as a line of JSON, each failure as {"code": ..., "message": ...}.
"""

import argparse
import importlib
import importlib.util
import json
import os
import queue
import sys
import time

import grpc
from google.protobuf import json_format, message_factory

sys.path.insert(0, os.path.join(os.path.dirname(sys.executable), "..", "stubs"))

MODULES = {
    "hawser.v1.Push": "hawser.v1.push_pb2",
    "alcor.schema.GoalStateProvisioner": "alcor.goalstateprovisioner_pb2",
    "grpc.health.v1.Health": "grpc.health.v1.health_pb2",
}


def method(service, name):
    """The method's path, and what its messages are made with."""
    if service.startswith("grpc."):
        # The generated package would hide the library's own "grpc".
        found = load_health()
    else:
        found = importlib.import_module(MODULES[service])
    descriptor = found.DESCRIPTOR.services_by_name[service.rsplit(".", 1)[1]].methods_by_name[name]
    # A message may be of another file than the service.
    request = message_factory.GetMessageClass(descriptor.input_type)
    reply = message_factory.GetMessageClass(descriptor.output_type)
    return f"/{service}/{name}", request, reply


def load_health():
    path = os.path.join(os.path.dirname(sys.executable), "..", "stubs", "grpc", "health", "v1", "health_pb2.py")
    spec = importlib.util.spec_from_file_location("health_pb2", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def say(value):
    print(json.dumps(value), flush=True)


def reply_json(message):
    return json_format.MessageToDict(message, always_print_fields_with_no_presence=False)


def failed(error):
    say({"code": error.code().name, "message": error.details()})


class Stream:
    def __init__(self, channel, service, name):
        path, self.request, reply = method(service, name)
        self.outgoing = queue.Queue()
        call = channel.stream_stream(path, self.request.SerializeToString, reply.FromString)
        self.call = call(iter(self.outgoing.get, None), wait_for_ready=True, timeout=120)

    def send(self, message):
        self.outgoing.put(json_format.ParseDict(message, self.request()))

    def receive(self, count):
        for _ in range(count):
            say(reply_json(next(self.call)))

    def close(self):
        self.outgoing.put(None)
        for reply in self.call:
            say(reply_json(reply))
        say({"code": self.call.code().name, "message": self.call.details()})


class Flood:
    """A client that doesn't read: gRPC takes from the network what has been asked for, and nothing is."""

    def __init__(self, channel, message):
        path, request, reply = method("hawser.v1.Push", "Push")
        self.bytes = json_format.ParseDict(message, request()).SerializeToString()
        self.sent = 0
        self.call = channel.stream_stream(path, lambda bytes: bytes, reply.FromString)(self.messages(), wait_for_ready=True)

    def messages(self):
        while True:
            self.sent += 1
            yield self.bytes

    def wait_until_stuck(self):
        last = -1
        while self.sent != last or self.sent == 0:
            last = self.sent
            time.sleep(2)


def run(channel, steps):
    stream = None
    for step in steps:
        if "call" in step:
            path, request, reply = method(step.get("service", "hawser.v1.Push"), step["call"])
            call = channel.unary_unary(path, request.SerializeToString, reply.FromString)
            try:
                say(reply_json(call(json_format.ParseDict(step["request"], request()), timeout=60)))
            except grpc.RpcError as error:
                failed(error)
        elif "open" in step:
            stream = Stream(channel, step.get("service", "hawser.v1.Push"), step["open"])
        elif "exists" in step:
            while not os.path.exists(step["exists"]):
                time.sleep(0.01)
        elif "flood" in step:
            flood = Flood(channel, step["flood"])
            flood.wait_until_stuck()
            with open(step["stuck"] + ".new", "w") as file:
                file.write(f"{flood.sent} {len(flood.bytes)}")
            os.rename(step["stuck"] + ".new", step["stuck"])
        elif "touch" in step:
            open(step["touch"], "w").close()
        else:
            try:
                if "send" in step:
                    stream.send(step["send"])
                elif "receive" in step:
                    stream.receive(step["receive"])
                elif "close" in step:
                    stream.close()
                elif "cancel" in step:
                    stream.call.cancel()
            except grpc.RpcError as error:
                failed(error)


def channel_to(arguments):
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    if not arguments.ca:
        return grpc.insecure_channel(arguments.target, options)

    def read(path):
        if not path:
            return None
        with open(path, "rb") as file:
            return file.read()

    credentials = grpc.ssl_channel_credentials(read(arguments.ca), read(arguments.key), read(arguments.certificate))
    options.append(("grpc.ssl_target_name_override", arguments.name))
    return grpc.secure_channel(arguments.target, credentials, options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--ca")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--name", default="host.example")
    arguments = parser.parse_args()
    with channel_to(arguments) as channel:
        run(channel, (json.loads(line) for line in sys.stdin if line.strip()))


main()
