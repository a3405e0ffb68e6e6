"""What avrogen knows of the schemas: reads .avsc files into a small checked model.

Why: the codec is generated for exactly the shapes Millrace uses. A shape outside of them is refused
     here with the file named, rather than decoded badly later.
How: one pass over each file. Named types are shared by all files; the same name must mean the same.
Not: a general Avro parser. Arrays hold records, records nest one level, unions are ["null", T].
"""
import json
import re
from pathlib import Path

C_WORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline "
    "int long register restrict return short signed sizeof static struct switch typedef union "
    "unsigned void volatile while bool true false".split())

SCALARS = {"string": "STRING", "bytes": "BYTES", "long": "LONG", "int": "INT", "boolean": "BOOL"}
DECIMAL_BYTES = 16
DECIMAL_SCALE = 18
DECIMAL_PRECISION = 38


class SchemaError(Exception):
    """A schema that avrogen does not take, with a text for the user."""


def snake(name):
    """openTs -> open_ts, OrderCommand -> order_command, lastPx -> last_px."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Enum:
    def __init__(self, name, prefix, symbols):
        self.name = name
        self.symbols = symbols
        self.c_name = f"{prefix}_{snake(name)}"
        self.c_upper = self.c_name.upper()

    def constant(self, symbol):
        return f"{self.c_upper}_{symbol}"


class Field:
    """kind is the suffix of an mr_field_kind; detail is the Enum, Record or byte count it needs."""

    def __init__(self, name, kind, nullable, detail, doc):
        self.name = name
        self.kind = kind
        self.nullable = nullable
        self.detail = detail
        self.doc = doc
        self.member = snake(name) + ("_us" if kind == "TIMESTAMP_US" else "")


class Record:
    def __init__(self, name, namespace, doc, source):
        self.name = name
        self.full_name = f"{namespace}.{name}"
        self.prefix = namespace.rsplit(".", 1)[-1]
        self.doc = doc
        self.stem = snake(name)
        self.c_name = f"{self.prefix}_{self.stem}"
        self.fields = []
        self.json = source  # parsed JSON, self-contained
        self.top_level = False

    def arrays(self):
        return [f for f in self.fields if f.kind == "ARRAY"]

    def bytes_min(self):
        """Length of the shortest encoding: bounds what an array's count may claim."""
        total = 0
        for f in self.fields:
            fixed = {"DECIMAL": DECIMAL_BYTES, "FIXED": f.detail}.get(f.kind, 1)
            total += 1 if f.nullable else fixed
        return total


class Model:
    def __init__(self):
        self.enums = {}
        self.records = {}
        self.fixed = {}
        self.definitions = {}  # type name -> JSON of its definition, docs left out

    def load(self, path):
        try:
            source = json.loads(Path(path).read_text(encoding="utf-8"))
            record = self.record(source, None)
        except (SchemaError, ValueError, KeyError) as problem:
            raise SchemaError(f"{path}: {problem}") from problem
        record.top_level = True
        if Path(path).stem != record.name:
            raise SchemaError(f"{path}: holds record {record.name}; file and record share one name")

    def define(self, source):
        """Remembers a named type; says whether it is new; refuses a second, different meaning."""
        plain = json.dumps(without_docs(source), sort_keys=True)
        known = self.definitions.setdefault(source["name"], plain)
        if known != plain:
            raise SchemaError(f"type {source['name']} is defined differently in another file")

    def record(self, source, namespace):
        if not isinstance(source, dict) or source.get("type") != "record":
            raise SchemaError("not a record")
        nested = namespace is not None
        namespace = source.get("namespace", namespace)
        if not namespace:
            raise SchemaError("the record has no namespace")
        if not source["fields"]:
            raise SchemaError("a record without fields")
        record = Record(source["name"], namespace, source.get("doc", ""), source)
        if nested:
            # Its own text must stand alone: the types it borrows from around it are filled in.
            record.json = self.inline_types(dict(source, namespace=namespace))
        for item in source["fields"]:
            field = self.field(item, record, nested)
            if field.member in C_WORDS:
                raise SchemaError(f"field {field.name} is a word of C")
            record.fields.append(field)
        if nested:
            self.define(record.json)
            return self.records.setdefault(record.name, record)
        self.define(source)
        if record.name in self.records:
            raise SchemaError(f"record {record.name} exists twice")
        self.records[record.name] = record
        return record

    def inline_types(self, source):
        """A nested record may name a fixed or an enum that its parent defined before it."""
        seen = set()
        fields = []
        for item in source["fields"]:
            kind = item["type"]
            union = isinstance(kind, list)
            inner = [t for t in kind if t != "null"][0] if union else kind
            if isinstance(inner, dict) and "name" in inner:
                seen.add(inner["name"])
            elif isinstance(inner, str) and inner in self.definitions and inner not in seen:
                seen.add(inner)
                inner = json.loads(self.definitions[inner])
            fields.append(dict(item, type=["null", inner] if union else inner))
        return dict(source, fields=fields)

    def field(self, item, record, nested):
        name, kind = item["name"], item["type"]
        nullable = isinstance(kind, list)
        if nullable:
            if len(kind) != 2 or kind[0] != "null":
                raise SchemaError(f"field {name}: a union is [\"null\", T]")
            if "default" in item and item["default"] is not None:
                raise SchemaError(f"field {name}: the default of a nullable field is null")
            kind = kind[1]
        tag, detail = self.type_of(name, kind, record)
        if tag == "ARRAY" and (nested or nullable):
            raise SchemaError(f"field {name}: arrays stand in top-level records and are not null")
        return Field(name, tag, nullable, detail, item.get("doc", ""))

    def type_of(self, name, kind, record):
        """(field kind, detail) of a schema that is no union."""
        if isinstance(kind, str):
            return self.named(name, kind)
        what = kind.get("type")
        logical = kind.get("logicalType")
        if what == "long" and logical == "timestamp-micros":
            return "TIMESTAMP_US", None
        if what == "fixed":
            self.define(kind)
            self.fixed[kind["name"]] = self.fixed_kind(name, kind)
            return self.fixed[kind["name"]]
        if what == "enum":
            self.define(kind)
            fresh = Enum(kind["name"], record.prefix, kind["symbols"])
            return "ENUM", self.enums.setdefault(kind["name"], fresh)
        if what == "array":
            items = kind["items"]
            if isinstance(items, str) and items in self.records:
                return "ARRAY", self.records[items]
            return "ARRAY", self.record(items, record.full_name.rsplit(".", 1)[0])
        if what in SCALARS and logical is None:
            return SCALARS[what], None
        raise SchemaError(f"field {name}: type {json.dumps(kind)} is not supported")

    def named(self, name, kind):
        if kind in SCALARS:
            return SCALARS[kind], None
        if kind in self.fixed:
            return self.fixed[kind]
        if kind in self.enums:
            return "ENUM", self.enums[kind]
        raise SchemaError(f"field {name}: type {kind} is unknown here")

    @staticmethod
    def fixed_kind(name, kind):
        if kind.get("logicalType") is None:
            return "FIXED", kind["size"]
        if (kind["logicalType"], kind["size"], kind.get("precision"), kind.get("scale")) != (
                "decimal", DECIMAL_BYTES, DECIMAL_PRECISION, DECIMAL_SCALE):
            raise SchemaError(f"field {name}: a decimal is fixed(16), precision 38, scale 18")
        return "DECIMAL", None

    def check_names(self):
        """Structs and enums share one namespace in C."""
        tags = [r.c_name for r in self.records.values()] + [e.c_name for e in self.enums.values()]
        twice = sorted({t for t in tags if tags.count(t) > 1})
        if twice:
            raise SchemaError(f"two types become {', '.join(twice)} in C")


def without_docs(value):
    """The schema as far as bytes are concerned; nesting is as deep as the files are, so bounded."""
    if isinstance(value, dict):
        return {k: without_docs(v) for k, v in value.items() if k not in ("doc", "namespace")}
    if isinstance(value, list):
        return [without_docs(v) for v in value]
    return value


def load_all(paths):
    model = Model()
    for path in paths:
        model.load(path)
    model.check_names()
    return model
