"""Avro binary to the values of a dump, for the one kind of record that a dump shows as bytes: dead letters.

Only what the schemas of schemas/avro use: records of long, int, boolean, string, bytes, fixed, enum, array
and [null, x]. Source: the Avro specification, binary encoding.
"""

import json
import pathlib

from amounts import text_of, time_of

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas" / "avro"
FRAME_BYTES = 5


class Malformed(Exception):
    """The bytes are no record of the schema."""


class Reader:
    """Bytes, read from the front."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        if count < 0 or self.at + count > len(self.data):
            raise Malformed()
        self.at += count
        return self.data[self.at - count:self.at]

    def long(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value >> 1 ^ -(value & 1)
            if shift > 63:
                raise Malformed()


def read_decimal(reader, schema, names):
    del names
    return text_of(int.from_bytes(reader.take(schema["size"]), "big", signed=True))


def read_long(reader, schema, names):
    del names
    value = reader.long()
    return time_of(value) if isinstance(schema, dict) and "logicalType" in schema else value


def read_enum(reader, schema, names):
    del names
    ordinal = reader.long()
    if not 0 <= ordinal < len(schema["symbols"]):
        raise Malformed()
    return schema["symbols"][ordinal]


def read_array(reader, schema, names):
    items = []
    while (count := reader.long()) != 0:
        if count < 0:
            reader.long()
        for _ in range(abs(count)):
            items.append(read(reader, schema["items"], names))
    return items


def read_record(reader, schema, names):
    return {field["name"]: read(reader, field["type"], names) for field in schema["fields"]}


def read_fixed(reader, schema, names):
    if schema.get("logicalType") == "decimal":
        return read_decimal(reader, schema, names)
    return reader.take(schema["size"]).hex()


READERS = {
    "long": read_long, "int": read_long, "enum": read_enum, "array": read_array, "record": read_record,
    "fixed": read_fixed,
    "boolean": lambda reader, schema, names: reader.take(1) != b"\0",
    "string": lambda reader, schema, names: reader.take(reader.long()).decode("utf-8", "replace"),
    "bytes": lambda reader, schema, names: reader.take(reader.long()).hex(),
    "null": lambda reader, schema, names: None,
}


def read(reader, schema, names):
    if isinstance(schema, list):
        branch = reader.long()
        if not 0 <= branch < len(schema):
            raise Malformed()
        return read(reader, schema[branch], names)
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind in names:
        return read(reader, names[kind], names)
    if kind not in READERS:
        raise Malformed()
    if isinstance(schema, dict) and "name" in schema:
        names[schema["name"]] = schema
    return READERS[kind](reader, schema, names)


def collect(schema, names):
    """Names that a schema defines, wherever in it: a branch that is not taken defines them too."""
    if isinstance(schema, list):
        for branch in schema:
            collect(branch, names)
    elif isinstance(schema, dict):
        if "name" in schema:
            names[schema["name"]] = schema
        for part in (schema.get("items"), *(field["type"] for field in schema.get("fields", ()))):
            if part is not None:
                collect(part, names)


def decode(name, schema_id, framed):
    """A framed record of the schema of that name and id as a dump shows it. Raises Malformed."""
    if framed[:FRAME_BYTES] != b"\0" + schema_id.to_bytes(4, "big"):
        raise Malformed()
    schema = json.loads((SCHEMAS / f"{name}.avsc").read_text(encoding="utf-8"))
    names = {}
    collect(schema, names)
    reader = Reader(framed[FRAME_BYTES:])
    value = read_record(reader, schema, names)
    if reader.at != len(reader.data):
        raise Malformed()
    return value
