"""make chaos: exactly-once under fire on real servers. `__main__.py` is the way in.

What the benchmark, the development stack and the integration tests have already (a process of the
pipeline, facts of the machine, pid files, a proxy) is theirs and used from there.
"""

import pathlib
import sys

TOOLS = pathlib.Path(__file__).resolve().parents[1]
for shared in ("bench", "dev/devstack", "../tests/integration"):
    if str(TOOLS / shared) not in sys.path:
        sys.path.append(str(TOOLS / shared))
