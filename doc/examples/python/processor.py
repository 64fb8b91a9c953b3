#!/usr/bin/python3
"""Reads flows as CSV from standard input and publishes them to NetMeta.

    apt install python3-confluent-kafka python3-protobuf protobuf-compiler
    protoc --proto_path=pb --python_out=doc/examples/python pb/FlowMessage.proto
    doc/examples/python/processor.py 127.0.0.1:9092 < doc/examples/flows.csv
"""
import csv
import ipaddress
import sys
import time

from confluent_kafka import Producer
from FlowMessage_pb2 import FlowMessage

BATCH = 64 * 1024  # bytes of flows in a Kafka message


def delimited(flow):
    """Returns a flow with its length, as a varint, in front."""
    body = flow.SerializeToString()
    length, prefix = len(body), bytearray()
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes(prefix) + bytes([length]) + body


def parse(line):
    when, exporter, source, destination, *numbers = line
    source = ipaddress.ip_address(source)
    flow = FlowMessage(TimeReceived=int(when or time.time()), SamplingRate=1)
    flow.TimeFlowStart = flow.TimeFlowEnd = flow.TimeReceived
    flow.SamplerAddress = ipaddress.ip_address(exporter).packed
    flow.SrcAddr, flow.DstAddr = source.packed, ipaddress.ip_address(destination).packed
    flow.Etype = 0x0800 if source.version == 4 else 0x86DD
    flow.Proto, flow.SrcPort, flow.DstPort, flow.Bytes, flow.Packets = map(int, numbers)
    return flow


def main():
    failed = []
    kafka = Producer({"bootstrap.servers": sys.argv[1], "enable.idempotence": True, "compression.type": "lz4"})
    flows = bytearray()
    for line in csv.reader(sys.stdin):
        flows += delimited(parse(line))
        if len(flows) >= BATCH:
            kafka.produce("flow-messages", bytes(flows), on_delivery=lambda error, _: error and failed.append(error))
            kafka.poll(0)
            flows.clear()
    kafka.produce("flow-messages", bytes(flows), on_delivery=lambda error, _: error and failed.append(error))
    if kafka.flush(30) or failed:
        sys.exit(f"flows are missing in Kafka: {failed or 'it cannot be reached'}")


main()
