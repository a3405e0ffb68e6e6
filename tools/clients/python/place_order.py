#!/usr/bin/env python3
"""Places a limit order and prints its execution reports until it is over.

exit codes: 0 filled and settled; 1 rejected, cancelled, or not over in time; 2 misuse
"""

import argparse
import datetime
import decimal
import pathlib
import re
import sys
import time
import uuid

import confluent_kafka
import fastavro.schema

import report
from partitioner import partition_of
from registry import Registry, RegistryError, decode, encode

READER_SCHEMA = fastavro.schema.load_schema(pathlib.Path(__file__).with_name("execution_report.avsc"))


class ClientError(Exception):
    """One line for the user."""


def amount(words):
    """A decimal(38,18) above zero, exactly as written."""
    if not re.fullmatch(r"[0-9]{1,16}(\.[0-9]{1,18})?", words):
        raise argparse.ArgumentTypeError(f"'{words}' is no amount: 16 digits, 18 decimals at most")
    if not decimal.Decimal(words):
        raise argparse.ArgumentTypeError("nothing is no amount")
    return decimal.Decimal(words)


def seconds(words):
    value = int(words)
    if value < 1:
        raise ValueError
    return value


def arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0], epilog=__doc__.split("\n", 2)[2],
                                     allow_abbrev=False)
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT", help="Kafka's bootstrap servers")
    parser.add_argument("--registry", required=True, metavar="URL", help="schema registry, where /subjects stands")
    parser.add_argument("--user", required=True, help="whose order; the records' key")
    parser.add_argument("--symbol", help="for example BTCUSDT")
    parser.add_argument("--side", choices=("BUY", "SELL"))
    parser.add_argument("--qty", type=amount, help="in base asset")
    parser.add_argument("--price", type=amount, help="in quote asset")
    parser.add_argument("--order-id", help="sent twice, it is one order (default: a new UUID)")
    parser.add_argument("--follow", action="store_true",
                        help="send nothing: print the reports of --order-id from the first one on")
    parser.add_argument("--timeout", type=seconds, default=30, metavar="SECONDS",
                        help="until the order must be over (default: 30)")
    found = parser.parse_args(words)
    needed = ("order_id",) if found.follow else ("symbol", "side", "qty", "price")
    for name in needed:
        if getattr(found, name) is None:
            parser.error(f"--{name.replace('_', '-')} is missing")
    found.order_id = found.order_id or str(uuid.uuid4())
    return found


def order_command(args, now):
    """The fields that a client sets; fastavro fills in the defaults of the others."""
    return {"eventId": str(uuid.uuid4()), "ts": now, "clientTs": now, "action": "NEW", "orderId": args.order_id,
            "idempotencyKey": args.order_id, "userId": args.user, "symbol": args.symbol, "side": args.side,
            "ordType": "LIMIT", "tif": "GTC", "qty": args.qty, "price": args.price, "source": "client-python"}


def send(args, framed):
    """Returns when the order is in the log."""
    failed = []
    producer = confluent_kafka.Producer({
        "bootstrap.servers": args.bootstrap, "enable.idempotence": True, "partitioner": "murmur2_random",
        "message.timeout.ms": args.timeout * 1000, "log_level": 0})
    producer.produce("orders", key=args.user, value=framed,
                     on_delivery=lambda error, _: failed.append(error) if error else None)
    if producer.flush(args.timeout + 1) > 0 or failed:
        raise ClientError(f"the order was not acknowledged within {args.timeout} s by {args.bootstrap}: "
                          f"{failed[0] if failed else 'no answer'}")


def open_executions(args):
    """A read_committed reader of the user's partition, from its end, or its beginning to follow."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": args.bootstrap, "group.id": "client-python", "enable.auto.commit": False,
        "isolation.level": "read_committed", "auto.offset.reset": "error", "log_level": 0})
    partitions = consumer.list_topics("executions", timeout=args.timeout).topics["executions"].partitions
    if not partitions:
        raise ClientError(f"{args.bootstrap} has no topic executions")
    place = confluent_kafka.TopicPartition("executions", partition_of(args.user.encode(), len(partitions)))
    low, high = consumer.get_watermark_offsets(place, timeout=args.timeout)
    place.offset = low if args.follow else high
    consumer.assign([place])
    return consumer


def follow(args, registry, consumer):
    """Prints the order's reports; returns its outcome."""
    deadline = time.monotonic() + args.timeout
    status = "none"
    while time.monotonic() < deadline:
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error():
            raise ClientError(f"executions: {message.error()}")
        if message.key() != args.user.encode():
            continue
        found = decode(registry, message.value(), READER_SCHEMA)
        if found["orderId"] != args.order_id:
            continue
        print(report.line(found), flush=True)
        status = found["status"]
        if report.outcome(found):
            return status
    raise ClientError(f"order {args.order_id} was not over after {args.timeout} s (--timeout); "
                      f"last status: {status}")


def run(args):
    registry = Registry(args.registry)
    schema_id, schema = registry.latest("orders-value")
    consumer = open_executions(args)
    try:
        if not args.follow:
            now = datetime.datetime.now(datetime.timezone.utc)
            send(args, encode(schema_id, schema, order_command(args, now)))
        return follow(args, registry, consumer)
    finally:
        consumer.close()


def main():
    args = arguments()
    try:
        return 0 if run(args) == "SETTLED" else 1
    except (ClientError, RegistryError) as error:
        print(f"place_order: {error}", file=sys.stderr)
    except confluent_kafka.KafkaException as error:
        print(f"place_order: Kafka at {args.bootstrap}: {error.args[0].str()}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
