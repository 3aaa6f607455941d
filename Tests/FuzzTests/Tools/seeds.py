"""Makes the fuzzer's inputs of the wire and of texts: pushes, goal states, YAML and JSON, questions.

    python3 seeds.py STUBS EXAMPLES CORPUS

STUBS: what Scripts/prepare-python compiles from the .proto files; EXAMPLES: Config/examples.
"""

import glob
import json
import os
import sys

from google.protobuf import json_format

stubs, examples, corpus = sys.argv[1:4]
sys.path.insert(0, stubs)

from hawser.v1 import push_pb2
from alcor import goalstateprovisioner_pb2, goalstate_pb2


def write(target, name, data):
    os.makedirs(f"{corpus}/{target}", exist_ok=True)
    with open(f"{corpus}/{target}/{name}", "wb") as file:
        file.write(data)


RESOURCES = {
    "networks": [{"id": "blue", "isolated": True, "fabric": "VXLAN", "tunnelId": 42, "subnets": [
        {"id": "b4", "cidr": "10.1.0.0/24", "gateway": "10.1.0.1"}, {"id": "b6", "cidr": "fd00:1::/64", "gateway": "fd00:1::1"}]}],
    "securityGroups": [{"id": "web", "network": "blue", "rules": [
        {"id": "http", "direction": "INGRESS", "protocol": "tcp", "ports": {"first": 80, "last": 81}, "cidr": "0.0.0.0/0"},
        {"id": "ping", "direction": "INGRESS", "protocol": "icmp", "icmp": {"type": 8, "code": 0}},
        {"id": "sql", "direction": "EGRESS", "protocol": "tcp", "ports": {"first": 5432}, "group": "db"},
        {"id": "ops", "direction": "INGRESS", "ethertype": "IPV6", "protocol": "udp", "sourcePorts": {"first": 1, "last": 9},
         "addressGroup": "office"}]}],
    "addressGroups": [{"id": "office", "cidrs": ["198.51.100.0/24", "2001:db8:1::/48"]}],
    "pods": [{"id": "web-0", "network": "blue", "namespace": "/run/netns/web-0", "interface": "eth0", "mac": "02:00:0a:01:00:0a",
              "addresses": ["10.1.0.10", "fd00:1::10"], "securityGroups": ["web"], "mtu": 1450,
              "allowedAddressPairs": [{"address": "10.1.0.200/32", "mac": "02:00:00:00:00:01"}], "revision": "7"}],
    "neighbors": [{"id": "db-7", "network": "blue", "addresses": ["10.1.0.70"], "mac": "02:00:0a:01:00:46", "host": "192.0.2.7",
                   "securityGroups": ["web"]}],
}


def push(name, **content):
    message = json_format.ParseDict({"id": "1", **content}, push_pb2.PushRequest())
    write("push", name, message.SerializeToString())


def text(path):
    with open(path, "rb") as file:
        return file.read()


push("delta", delta={"upserts": RESOURCES, "deletions": [{"kind": "POD", "id": "old", "revision": "3"}]})
for kind, resources in RESOURCES.items():
    push(kind, delta={"upserts": {kind: resources}})
push("snapshot", snapshot={"resources": RESOURCES, "last": True})
documents = push_pb2.PushRequest(id="2", dry_run=True)
documents.documents.prune = True
for path in sorted(glob.glob(f"{examples}/*.yaml")):
    data = b"\n".join(line for line in text(path).split(b"\n") if not line.lstrip().startswith(b"#"))
    documents.documents.documents.add(name=os.path.basename(path), content=data)
    write("yaml", os.path.basename(path), data)
write("push", "documents", documents.SerializeToString())
write("yaml", "aliases", b"x: &a [10.1.0.10, \"fd00:1::10\"]\npods:\n  - {id: a, network: blue, addresses: *a}\n---\nnetworks: [{id: blue}]\n")
write("yaml", "scalars", b"networks:\n- id: \"bl\\u00fce\"\n  isolated: !!bool yes\n  revision: 0x1F\n- ? id\n  : |\n    text\n  subnets: ~\n- {id: 'a', mtu: 1e3, x: 0o17}\n")

fields = {name: value for name, value in json.loads(json.dumps(RESOURCES)).items()}
fields["networks"][0]["fabric"] = "vxlan"
fields["networks"][0]["tunnelID"] = fields["networks"][0].pop("tunnelId")
for rule in fields["securityGroups"][0]["rules"]:
    rule["direction"] = rule["direction"].lower()
    if "ethertype" in rule:
        rule["ethertype"] = rule["ethertype"].lower()
    for ports in ("ports", "sourcePorts"):
        if ports in rule:
            rule[ports] = "-".join(str(port) for port in rule[ports].values())
    for remote in ("cidr", "group", "addressGroup"):
        if remote in rule:
            rule["remote"] = {remote: rule.pop(remote)}
write("json", "all", json.dumps(fields).encode())
for kind, resources in fields.items():
    write("json", kind, json.dumps({kind: resources}, indent=1).encode())
write("json", "scalars", b'[null,true,false,0,-1,1.5,1e9,"\\u00e9\\ud83d\\ude00\\n\\/",{"a":{}},[[]]]')

ID = "a4e0fb5e-84c5-4a5b-9d3c-000000000000"
IP = {"subnetId": "s1", "ipAddress": "10.0.0.5"}
GOAL = {
    "formatVersion": 1,
    "vpcStates": [{"operationType": "CREATE", "configuration": {"id": "blue", "revisionNumber": 1, "cidr": "10.0.0.0/16", "tunnelId": 3}}],
    "subnetStates": [{"operationType": "INFO", "configuration": {
        "id": "s1", "vpcId": "blue", "cidr": "10.0.0.0/24", "tunnelId": "21",
        "gateway": {"ipAddress": "10.0.0.1", "macAddress": "02:00:00:00:00:01"}}}],
    "securityGroupStates": [{"operationType": "CREATE", "configuration": {
        "updateType": "DELTA", "id": "web", "vpcId": "blue", "revisionNumber": 2, "securityGroupRules": [
            {"operationType": "CREATE", "id": "r1", "direction": "INGRESS", "ethertype": "IPV4", "protocol": "TCP", "portRangeMin": 80,
             "portRangeMax": 81, "remoteIpPrefix": "0.0.0.0/0"},
            {"operationType": "DELETE", "id": "r2"},
            {"operationType": "UPDATE", "id": "r3", "protocol": "ICMP", "ethertype": "IPV6", "portRangeMin": 128, "remoteGroupId": "web"}]}}],
    "portStates": [{"operationType": "CREATE", "configuration": {
        "id": ID, "vpcId": "blue", "adminStateUp": True, "macAddress": "02:00:00:00:00:05", "fixedIps": [IP], "deviceId": "web-0",
        "allowAddressPairs": [{"ipAddress": "10.0.0.200"}], "securityGroupIds": [{"id": "web"}], "revisionNumber": 1}}],
    "neighborStates": [{"operationType": "UPDATE", "configuration": {
        "id": "n1", "vpcId": "blue", "macAddress": "02:00:00:00:00:06", "hostIpAddress": "192.0.2.7",
        "fixedIps": [{"subnetId": "s1", "ipAddress": "10.0.0.6"}]}}],
    "routerStates": [{"operationType": "INFO", "configuration": {"id": "r", "hostDvrMacAddress": "02:00:00:00:00:07", "subnetRoutingTables": [
        {"subnetId": "s1", "routingRules": [{"destination": "10.0.1.0/24", "nextHopIp": "10.0.0.1"}]}]}}],
    "dhcpStates": [{"operationType": "CREATE", "configuration": {"id": "d", "macAddress": "02:00:00:00:00:05", "ipv4Address": "10.0.0.5"}}],
    "gatewayStates": [{"operationType": "CREATE", "configuration": {"id": "g", "destinations": [{"ipAddress": "10.0.0.9"}]}}],
}


def goal(name, prefix, message, content):
    write("alcor", name, bytes([prefix]) + json_format.ParseDict(content, message, ignore_unknown_fields=True).SerializeToString())


goal("all", 0, goalstate_pb2.GoalState(), GOAL)
for kind in [kind for kind in GOAL if kind.endswith("States")]:
    goal(kind, 0, goalstate_pb2.GoalState(), {kind: GOAL[kind]})
goal("v2", 2, goalstate_pb2.GoalStateV2(), {
    kind: value if kind == "formatVersion" else {f"L2/{state['configuration']['id']}": state for state in value}
    for kind, value in GOAL.items()})
goal("neighbors", 1, goalstateprovisioner_pb2.NeighborRulesRequest(), {"formatVersion": 1, "neigborstates": GOAL["neighborStates"]})

for number, query in enumerate([
    "/v1/explain?pod=web-0&direction=ingress&remote=10.1.0.20&protocol=tcp&port=80&sourcePort=1024",
    "/v1/explain?pod=web-0&direction=egress&remote=fd00:1::20&protocol=ipv6-icmp&icmpType=3/4",
    "/v1/pods/tenant%2Fweb-1?follow=true#x", "http://hawser:80/v1/rules/a%zz%", "/v1/explain?pod=&&=&direction",
]):
    write("query", str(number), query.encode())
write("environment", "systemd", b"LISTEN_PID=7\nLISTEN_FDS=2\nLISTEN_FDNAMES=hawser-blue:hawser-~x\nWATCHDOG_USEC=30000000\n")


def frame(kind, flags, stream, payload=b""):
    """Of HTTP/2 (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + frame(4, 1, 0)
HEADERS = b"\x83\x86" + b"\0\x05:path\x13/hawser.v1.Push/Push"
MESSAGE = b"\0" + (20).to_bytes(4, "big") + bytes(20)
write("frames", "call", PREFACE + frame(1, 4, 1, HEADERS) + frame(0, 1, 1, MESSAGE))
write("frames", "continued", PREFACE + frame(1, 0, 1, HEADERS[:9]) + frame(9, 0, 1, HEADERS[9:12]) + frame(9, 4, 1, HEADERS[12:]))
write("frames", "padded", PREFACE + frame(1, 0x2c, 3, b"\2\0\0\0\0\x10" + HEADERS + b"\0\0") + frame(0, 8, 3, b"\3" + MESSAGE + b"\0\0\0"))
write("frames", "reset", PREFACE + b"".join(frame(1, 4, 2 * n + 1, HEADERS) + frame(3, 0, 2 * n + 1, bytes(4)) for n in range(4)))
write("frames", "trailers", PREFACE + frame(1, 4, 1, HEADERS) + frame(0, 0, 1, MESSAGE[:9]) + frame(1, 5, 1, b"\x83") + frame(8, 0, 0, b"\0\1\0\0"))
write("frames", "long", PREFACE + frame(0, 0, 1)[:0] + b"\0\x40\1\0\0\0\0\0\1" + bytes(64))
