"""Other versions of a schema, and a client that writes them.

Why:  writers and readers are not upgraded in the same second. What a version may look like is derived
      from the schema itself, so a schema that changes is tested as it is then.
How:  a type is defined where it is used first; so every use is spelled out before fields move, and
      all but the first become names again.
"""

import copy
import io
import json
import struct

import confluent_kafka
import fastavro

import support

HEADER = struct.Struct(">bI")
INT_MAX = 2 ** 31 - 1


def spelled(schema, known):
    """The schema with every name replaced by its definition."""
    if isinstance(schema, str):
        return copy.deepcopy(known.get(schema, schema))
    if isinstance(schema, list):
        return [spelled(branch, known) for branch in schema]
    if schema["type"] == "array":
        return {**schema, "items": spelled(schema["items"], known)}
    if schema["type"] == "record":
        schema = {**schema, "fields": [{**field, "type": spelled(field["type"], known)}
                                       for field in schema["fields"]]}
    if "name" in schema:
        known[schema["name"]] = schema
    return schema


def named(schema, seen):
    """The reverse: a definition at the first use, names at the others."""
    if isinstance(schema, str):
        return schema
    if isinstance(schema, list):
        return [named(branch, seen) for branch in schema]
    if schema.get("name") in seen:
        return schema["name"]
    if "name" in schema:
        seen.add(schema["name"])
    if schema["type"] == "array":
        return {**schema, "items": named(schema["items"], seen)}
    if schema["type"] == "record":
        return {**schema, "fields": [{**field, "type": named(field["type"], seen)}
                                     for field in schema["fields"]]}
    return schema


def changed(schema, change):
    """A version whose list of fields is what change(fields) makes of it."""
    whole = spelled(schema, {})
    return named({**whole, "fields": change(whole["fields"])}, set())


ADDED_FIRST = {"name": "venue", "type": ["null", "string"], "default": None}
ADDED_LAST = {"name": "priority", "type": "int", "default": 5}
ADDED = {"venue": "a venue of the future", "priority": 9}


def newer(schema):
    """Two more fields, and another order: what an upgraded writer has."""
    return changed(schema, lambda fields: [ADDED_FIRST, *reversed(fields), ADDED_LAST])


def fits_int(value):
    return isinstance(value, int) and not isinstance(value, bool) and -INT_MAX <= value <= INT_MAX


def older(schema, record):
    """Without the fields that have a default which this record does not need, and with ints for the
    longs that fit: what a writer had before we added the ones and promoted the others."""
    def before(fields):
        kept = [field for field in fields
                if "default" not in field or record[field["name"]] != field["default"]]
        return [{**field, "type": "int"} if field["type"] == "long" and fits_int(record[field["name"]])
                else field for field in kept]

    return changed(schema, before)


# ---- the registry


def post(subject, schema):
    """(HTTP status, answer) of a registration."""
    return support.http_json(f"{support.REGISTRY}/subjects/{subject}/versions", "POST",
                             {"schema": json.dumps(schema)})


def register(subject, schema):
    status, answer = post(subject, schema)
    if status != 200:
        raise AssertionError(f"{subject}: {status} {answer}")
    return answer["id"]


def latest(topic):
    """(id, schema) of the newest version."""
    _, found = support.http_json(f"{support.REGISTRY}/subjects/{topic}-value/versions/latest")
    return found["id"], json.loads(found["schema"])


def forget(topics):
    """Deletes the topics' subjects with all versions; `topology apply` registers ours again."""
    for topic in topics:
        status, answer = support.http_json(f"{support.REGISTRY}/subjects/{topic}-value", "DELETE")
        if status not in (200, 404):
            raise AssertionError(f"{topic}-value: {status} {answer}")


def schema_id(framed):
    """The writer's, of a record in the wire format."""
    return HEADER.unpack_from(framed)[1]


class Registry:
    """Schemas by id, each asked for once."""

    def __init__(self):
        self.by_id = {}

    def text(self, number):
        if number not in self.by_id:
            _, found = support.http_json(f"{support.REGISTRY}/schemas/ids/{number}")
            self.by_id[number] = json.loads(found["schema"])
        return self.by_id[number]

    def read(self, framed, reader=None):
        """The record as its writer's schema says, or resolved to the reader's."""
        body = io.BytesIO(framed[HEADER.size:])
        return fastavro.schemaless_reader(body, self.text(schema_id(framed)), reader)


# ---- a writer


class Writer:
    """Writes records by any version of a schema."""

    def __init__(self):
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": support.BOOTSTRAP, "partitioner": "murmur2_random",
            "enable.idempotence": True, "linger.ms": 0})

    def send(self, topic, key, number, schema, record):
        out = io.BytesIO()
        out.write(HEADER.pack(0, number))
        fastavro.schemaless_writer(out, schema, record)
        failed = []
        self.producer.produce(topic, out.getvalue(), key,
                              on_delivery=lambda error, _: failed.append(error) if error else None)
        if self.producer.flush(20) > 0 or failed:
            raise AssertionError(f"{topic}: not written: {failed}")
