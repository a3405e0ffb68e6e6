"""Lines for people: to standard output, or to standard error when JSON owns standard output."""

import sys
import threading

_lock = threading.Lock()
_stream = sys.stdout


def to_stderr():
    global _stream
    _stream = sys.stderr


def say(text):
    """One whole line at a time, also from several threads."""
    with _lock:
        print(text, file=_stream, flush=True)


def is_terminal():
    return _stream.isatty()


def overwrite(text):
    """A progress line that the next one replaces; only sensible on a terminal."""
    with _lock:
        print(f"\r\033[K{text}", end="", file=_stream, flush=True)
