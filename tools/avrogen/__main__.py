"""avrogen -- turns schemas/avro/**/*.avsc into the C codec.

Usage: python3 tools/avrogen OUTPUT_DIR FILE.avsc...          writes what changed
       python3 tools/avrogen --list OUTPUT_DIR FILE.avsc...   prints the files it would write
       python3 tools/avrogen --folder acme OUTPUT_DIR FILE... for records of a module: included as
                                                             "acme/<record>.h", all in acme_schemas

The build calls the first two (cmake/MillraceAvro.cmake). Needs nothing but Python's standard library.
"""
import re
import sys
from pathlib import Path

import emit
from model import SchemaError, load_all


def main(arguments):
    listing = arguments[:1] == ["--list"]
    arguments = arguments[1:] if listing else arguments
    folder = "avro"
    if arguments[:1] == ["--folder"] and len(arguments) > 1:
        folder, arguments = arguments[1], arguments[2:]
    if len(arguments) < 2 or not re.fullmatch(r"[a-z][a-z0-9_]*", folder):
        print(__doc__, file=sys.stderr)
        return 2
    output = Path(arguments[0])
    try:
        files = emit.files(load_all(sorted(arguments[1:])), folder)
    except (SchemaError, OSError) as problem:
        print(f"avrogen: {problem}", file=sys.stderr)
        return 1
    if listing:
        print("\n".join(str(output / name) for name in sorted(files)))
        return 0
    output.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        target = output / name
        # An unchanged file keeps its time, so that nothing is compiled for nothing.
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
