"""Where everything of the stack lies and which versions it has.

Why:  one place knows the directories, the pins and the environment variables.
How:  read once at the start of a command; nothing here touches the disk except reading versions.env.
"""

import os
import pathlib
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent



def _document_store_heap():
    """Two fifths of the machine, 1 to 8 GB: the store keeps every document in memory, and the recorded
    day of four instruments is 900,000 of them. Only what is used is taken."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{max(1024, min(8192, machine * 2 // 5 >> 20))}m"


class StackError(Exception):
    """A reason to stop that the user can act on; printed as one line, without a traceback."""


def read_pairs(path):
    """NAME=value lines of a file as a dict; blank lines and comments are skipped."""
    pairs = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            pairs[name] = value
    return pairs


def write_text(path, text):
    """The whole file or none of it: a reader never sees a half-written one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    temporary.write_text(text)
    os.replace(temporary, path)


def cache_dir():
    """MILLRACE_CACHE, else one under the user's home, else (no usable home) build/cache."""
    named = os.environ.get("MILLRACE_CACHE")
    if named:
        return pathlib.Path(named).resolve()
    try:
        # XDG_CACHE_HOME is where a user has said caches belong.
        base = os.environ.get("XDG_CACHE_HOME")
        path = (pathlib.Path(base) if base else pathlib.Path.home() / ".cache") / "millrace"
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except (OSError, RuntimeError):
        return ROOT / "build" / "cache"


def _number(name, allowed):
    text = os.environ.get(name)
    if not text:
        return None
    if text not in map(str, allowed):
        raise StackError(f"{name} must be one of {', '.join(map(str, allowed))}")
    return int(text)


class Config:
    """One stack: its directory, its versions, its options."""

    def __init__(self):
        pins = read_pairs(ROOT / "tools" / "dev" / "versions.env")
        self.versions = {name: os.environ.get(name) or value for name, value in pins.items()}
        self.kafka_version_asked = bool(os.environ.get("KAFKA_VERSION"))
        self.dir = pathlib.Path(os.environ.get("STACK_DIR") or ROOT / "build" / "stack").resolve()
        self.cache = cache_dir()
        self.persist = os.environ.get("STACK_PERSIST", "0") not in ("", "0")
        self.document_store_heap = os.environ.get("DOCUMENTDB_HEAP") or _document_store_heap()
        # None: not asked for, what runs decides.
        self.brokers_asked = _number("STACK_BROKERS", (1, 3))
        self.proxied_asked = _number("STACK_PROXIED", (0, 1))
        self.brokers = self.brokers_asked or 1
        self.proxied = bool(self.proxied_asked)
        try:
            self.wait_s = float(os.environ.get("STACK_WAIT_S") or 120)
        except ValueError:
            raise StackError("STACK_WAIT_S must be a number of seconds") from None

    @property
    def kafka_version(self):
        return self.versions["KAFKA_VERSION"]

    @property
    def kafka_major(self):
        return int(self.kafka_version.split(".")[0])

    @property
    def env_file(self):
        return self.dir / "stack.env"

    @property
    def data_dir(self):
        """Per Kafka version: an older broker cannot read what a newer one formatted, and schema
        ids belong to the topics that carry them. A cluster of three has data of its own too."""
        several = f"-x{self.brokers}" if self.brokers > 1 else ""
        return self.dir / "data" / f"kafka-{self.kafka_version}{several}"

    @property
    def kafka_marker(self):
        """What the running brokers were started as: NAME=value lines."""
        return self.run_dir / "kafka-options"

    @property
    def log_dir(self):
        return self.dir / "logs"

    @property
    def run_dir(self):
        return self.dir / "run"

    @property
    def conf_dir(self):
        return self.dir / "conf"
