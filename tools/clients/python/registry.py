"""Schemas and the Confluent wire format: a zero byte, the schema's id (big-endian), Avro binary.

A writer asks for the newest version of its subject and writes with that; a reader takes the id out of
each record, asks for that schema once, and resolves the record to a schema of its own. So both sides
go on working when the subject evolves.
"""

import io
import json
import struct
import urllib.error
import urllib.request

import fastavro

HEADER = struct.Struct(">bI")
ANSWER_S = 10


class RegistryError(Exception):
    """The registry is away, or has no such schema."""


class Registry:
    def __init__(self, url):
        self.url = url.rstrip("/")
        self.by_id = {}

    def get(self, path):
        address = f"{self.url}{path}"
        try:
            with urllib.request.urlopen(address, timeout=ANSWER_S) as answer:
                return json.load(answer)
        except (OSError, ValueError) as error:
            raise RegistryError(f"registry: {address}: {error}") from None

    def latest(self, subject):
        """(id, schema) of the subject's newest version."""
        version = self.get(f"/subjects/{subject}/versions/latest")
        return version["id"], fastavro.parse_schema(json.loads(version["schema"]))

    def writer(self, schema_id):
        if schema_id not in self.by_id:
            text = self.get(f"/schemas/ids/{schema_id}")["schema"]
            self.by_id[schema_id] = fastavro.parse_schema(json.loads(text))
        return self.by_id[schema_id]


def encode(schema_id, schema, record):
    out = io.BytesIO()
    out.write(HEADER.pack(0, schema_id))
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()


def decode(registry, framed, reader_schema):
    if len(framed) < HEADER.size or framed[0] != 0:
        raise ValueError("not in the Confluent wire format")
    _, schema_id = HEADER.unpack_from(framed)
    body = io.BytesIO(framed[HEADER.size:])
    return fastavro.schemaless_reader(body, registry.writer(schema_id), reader_schema)
