"""Runs to check: `millrace try` with the tape, oracle_play with a storm, both on the log in memory."""

import os
import pathlib
import subprocess

import books
import market_storm
import storm

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMIT_RECORDS = 50  # small transactions: many commits, many journal records


class RecordingError(Exception):
    """A run could not be recorded; said in one line."""


def program():
    return pathlib.Path(os.environ.get("MILLRACE", ROOT / "build" / "release" / "tools" / "millrace" / "millrace"))


def topology_text():
    return (ROOT / "topology.yaml").read_text(encoding="utf-8")


def run(words):
    try:
        done = subprocess.run([str(word) for word in words], cwd=ROOT, capture_output=True, text=True, check=False,
                              env={**os.environ, "MILLRACE_LOG_LEVEL": "error"})
    except OSError as problem:
        raise RecordingError(f"{words[0]} cannot be run: {problem.strerror}; --millrace names another") from None
    if done.returncode != 0:
        raise RecordingError(f"{words[0]} ended with exit code {done.returncode}: "
                             f"{(done.stderr or done.stdout).strip().splitlines()[-1:]}")


def record_try(millrace, directory, limit, seed):
    """The tape through the production topology, in small transactions."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    topology = directory.parent / "topology.yaml"
    topology.write_text(topology_text().replace("defaults:\n", f"defaults:\n  commit-records: {COMMIT_RECORDS}\n", 1),
                        encoding="utf-8")
    run([millrace, "try", "--topology", topology, "--limit", limit, "--seed", seed, "--quiet", "--dump", directory,
         "--report", directory.parent / "report.json", "--manifest", directory.parent / "manifest.json"])


def record_script(play, directory, topology_text_, script_text):
    directory.parent.mkdir(parents=True, exist_ok=True)
    topology, script = directory.parent / "topology.yaml", directory.parent / "script.jsonl"
    topology.write_text(topology_text_, encoding="utf-8")
    script.write_text(script_text, encoding="utf-8")
    run([play, topology, script, directory])


def record_storm(play, directory, seed, records, disturb, workers=1):
    """A storm; workers: threads of each group."""
    text = with_workers(storm.edited(topology_text(), 20), workers)
    record_script(play, directory, text, storm.script(seed, records, disturb))


def record_books(play, directory, seed, records, disturb, workers=1):
    """A storm on settle and price-aggregate alone."""
    record_script(play, directory, books.topology(seed, workers), books.script(seed, records, disturb))


def record_market_storm(play, directory, seed, records, disturb, workers=1):
    """A storm straight to fill."""
    text = market_storm.topology(topology_text()).replace("defaults:\n", "defaults:\n  commit-records: 20\n", 1)
    record_script(play, directory, with_workers(text, workers), market_storm.script(seed, records, disturb))


def with_workers(text, workers):
    for name in ("ACCOUNT_WORKERS", "MARKET_WORKERS"):
        text = text.replace("${" + name + ":-1}", str(workers))
    return text
