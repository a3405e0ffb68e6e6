"""The Python environment of the integration tests, in the cache.

Why:  the tests use stock clients (confluent-kafka and others) that the distribution has too old or
      not at all, and a second clone must not download them again.
How:  one directory per content of requirements.txt and version of the interpreter. A mark written
      last says that it is complete; one without the mark is made anew.
"""

import fcntl
import hashlib
import platform
import shutil
import subprocess
import time

import config
from console import say

INTERPRETER = "/usr/bin/python3"
MARK = ".complete"
ATTEMPTS = 3


def path_of(cfg, requirements):
    """The directory for this file's content under this interpreter."""
    key = hashlib.sha256(requirements.read_bytes() + platform.python_version().encode()).hexdigest()
    return cfg.cache / f"python-{key[:16]}"


def _run(words):
    run = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return None if run.returncode == 0 else (run.stdout + run.stderr).strip()[-1000:]


def _make(target, requirements):
    shutil.rmtree(target, ignore_errors=True)
    error = _run([INTERPRETER, "-m", "venv", target])
    if error is not None:
        raise config.StackError(f"no virtual environment (is python3-venv installed?): {error}")
    for attempt in range(1, ATTEMPTS + 1):
        error = _run([
            target / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--only-binary", ":all:", "--requirement", requirements,
        ])
        if error is None:
            break
        say(f"  attempt {attempt} of {ATTEMPTS} failed: {error}")
        if attempt == ATTEMPTS:
            raise config.StackError(f"the packages of {requirements} could not be installed")
        time.sleep(2 * attempt)
    (target / MARK).touch()


def ensure(cfg):
    """The environment's interpreter; makes the environment when it is not there."""
    requirements = config.ROOT / "tests" / "integration" / "requirements.txt"
    target = path_of(cfg, requirements)
    if not (target / MARK).exists():
        cfg.cache.mkdir(parents=True, exist_ok=True)
        with open(cfg.cache / ".lock-python", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (target / MARK).exists():
                began = time.monotonic()
                say(f"Installing the integration tests' Python clients into {target}")
                _make(target, requirements)
                say(f"  done in {time.monotonic() - began:.1f} s")
    return target / "bin" / "python"
