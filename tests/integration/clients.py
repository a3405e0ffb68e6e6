"""The four clients of tools/clients as the tests run them."""

import os
import pathlib
import subprocess
import sys
import uuid

import support

CLIENTS = support.ROOT / "tools/clients"
MADE = support.ROOT / "build/clients"
BUILD_S = 400


def commands():
    """{language: the command line's beginning}."""
    beside = pathlib.Path(support.program()).resolve().parent.parent
    return {"c": [str(beside / "clients/c/place_order")],
            "python": [sys.executable, str(CLIENTS / "python/place_order.py")],
            "java": ["java", "-jar", str(MADE / "java/place-order-1.jar")],
            "go": [str(MADE / "go/place_order")]}


def build():
    """Those that need it, with their unit tests."""
    done = subprocess.run([CLIENTS / "build.sh"], capture_output=True, text=True, check=False,
                          timeout=BUILD_S, preexec_fn=support.die_with_parent)
    if done.returncode != 0:
        raise AssertionError(f"build.sh: exit {done.returncode}\n{done.stdout}{done.stderr}")


class Client:
    """One run of a client, started at once."""

    def __init__(self, language, *args, servers=("--bootstrap", support.BOOTSTRAP, "--registry",
                                                 support.REGISTRY)):
        self.language = language
        self.out, self.err = (support.WORK / f"client-{uuid.uuid4().hex}.{end}" for end in ("out", "err"))
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.child = subprocess.Popen(
                [*commands()[language], *servers, *map(str, args)], stdout=out, stderr=err,
                preexec_fn=support.die_with_parent, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})

    def lines(self):
        return self.out.read_text().splitlines()

    def wait_for(self, words, timeout_s=30):
        """Until a line has these words."""
        def seen():
            over = self.child.poll() is not None
            found = any(words in line for line in self.lines())
            if over and not found:
                raise AssertionError(f"{self.language} ended: {self.finish()}")
            return found

        support.wait_until(seen, f"{self.language} prints {words}", timeout_s)
        return self

    def finish(self, timeout_s=60):
        """(exit code, lines of stdout, stderr)."""
        try:
            self.child.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.close()
            raise AssertionError(f"{self.language} does not end: {self.lines()}") from None
        return self.child.returncode, self.lines(), self.err.read_text()

    def close(self):
        """Ends it if need be."""
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait(timeout=support.STOP_S)
