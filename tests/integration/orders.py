"""OrderCommands in Confluent's wire format, made with another Avro library than the program's."""

import decimal
import io
import struct
import uuid

import fastavro

import support


class Orders:
    """By the schema that the registry has; `topology apply` comes first."""

    def __init__(self):
        _, latest = support.http_json(f"{support.REGISTRY}/subjects/orders-value/versions/latest")
        self.id = latest["id"]
        self.schema = fastavro.parse_schema(fastavro.schema.load_schema(
            support.ROOT / "schemas/avro/OrderCommand.avsc"))

    def header(self, schema_id=None, magic=0):
        return struct.pack(">bI", magic, self.id if schema_id is None else schema_id)

    def record(self, user, **fields):
        order = str(uuid.uuid4())
        return {"eventId": order, "ts": 1723161255342000, "action": "NEW", "orderId": order,
                "userId": user, "symbol": "NOSUCH", "qty": decimal.Decimal(1),
                "price": decimal.Decimal(10), **fields}

    def encode(self, record):
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self.schema, record)
        return out.getvalue()

    def decode(self, body):
        return fastavro.schemaless_reader(io.BytesIO(body), self.schema)

    def body(self, user, **fields):
        record = self.record(user, **fields)
        return self.encode(record), record["orderId"]

    def good(self, user):
        """(bytes, orderId): rejected by validate, since there is no such symbol."""
        body, order = self.body(user)
        return self.header() + body, order
