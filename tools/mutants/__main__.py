"""make mutants: changes the domain in one place, thousands of times, and sees whether a test notices.

Why:  a line that may be changed without a test failing is a line that no test asks about.
How:  mutate.py makes the changes, build.py compiles each with the domain's unit tests and runs them. Results are
      kept in build/mutants/results.json as they come: a run that is interrupted goes on where it was, as long as
      sources and tests are the same (--trust-killed: what was killed stays so though tests have changed).
      A change that makes no difference to anybody is listed in accepted.txt, with the reason; or a whole function
      in which no change would. Those are made all the same: what a test notices there is killed.
Not:  a proof: only changes of the kinds of mutate.py, one at a time.
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import sys
import threading
import time

import mutate
from build import BuildError, Workshop

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOAL = 95.0


def options(words):
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--files", nargs="*", default=[], help="of domain/, by name; all .c files and wide.h")
    parser.add_argument("--sample", type=int, default=None, metavar="N", help="only N mutants, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="the report as JSON on stdout")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "mutants")
    parser.add_argument("--goal", type=float, default=GOAL, help="per cent killed below which the exit code is 1")
    parser.add_argument("--trust-killed", action="store_true")
    parser.add_argument("--list", action="store_true", help="only print the mutants")
    return parser.parse_args(words)


def sources(names):
    """Headers with arithmetic count as sources."""
    paths = sorted((ROOT / "domain").glob("*.c")) + [ROOT / "domain" / "wide.h"]
    known = {path.name: path for path in paths}
    unknown = [name for name in names if pathlib.Path(name).name not in known]
    if unknown:
        raise BuildError(f"no such file in domain/: {', '.join(unknown)}")
    return [known[pathlib.Path(name).name] for name in names] if names else paths


def accepted(text):
    """{key of a mutant: reason}, see keys(). A line: file | before | after | reason, or
    file | function NAME | * | reason; in code, | is written \\|."""
    out = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip().replace("\\|", "|") for part in line.split(" | ")]
        if len(parts) != 4 or not parts[3]:
            raise BuildError(f"accepted.txt:{number}: not `file | before | after | reason`")
        if parts[1].startswith("function ") != (parts[2] == "*"):
            raise BuildError(f"accepted.txt:{number}: a function is accepted as `file | function NAME | * | reason`")
        out[tuple(parts[:3])] = parts[3]
    return out


def keys(mutant):
    """What accepted.txt may call it."""
    return {(mutant.file, mutant.before, mutant.after), (mutant.file, f"function {mutant.function}", "*")}


def check_functions(fine, mutants):
    """A function that has been renamed must not leave its reason behind: of these files, each is there."""
    there = {key for mutant in mutants for key in keys(mutant)}
    files = {mutant.file for mutant in mutants}
    for file, before, after in fine:
        if after == "*" and file in files and (file, before, after) not in there:
            raise BuildError(f"accepted.txt: no {before} in {file}")


def draw(mutants, count, seed):
    """So many of them, in their order. What is drawn of one file does not change with another file."""
    lot = {mutant.name: hashlib.sha256(f"{seed} {mutant.name}".encode()).digest() for mutant in mutants}
    last = sorted(lot.values())[count - 1] if count > 0 else b""
    return [mutant for mutant in mutants if lot[mutant.name] <= last]


class Results:
    """What is known, written after each mutant."""

    def __init__(self, path, trust_killed):
        self.path, self.lock = path, threading.Lock()
        self.state = self._fingerprint()
        known = json.loads(path.read_text()) if path.exists() else {}
        self.known = known.get("results", {})
        if known.get("state") != self.state:
            self.known = {name: result for name, result in self.known.items()
                          if trust_killed and result["result"] == "killed"}

    @staticmethod
    def _fingerprint():
        digest = hashlib.sha256()
        for folder in ("domain", "tests/unit/domain", "tests/conformance/match", "tools/mutants"):
            for path in sorted((ROOT / folder).glob("*.[chp]*")):
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    def add(self, name, result):
        with self.lock:
            self.known[name] = result
            fresh = self.path.with_suffix(".new")
            fresh.write_text(json.dumps({"state": self.state, "results": self.known}))
            fresh.replace(self.path)


def work_on(shop, todo, results, jobs, work):
    places = [work / f"place{number}" for number in range(jobs)]
    lock = threading.Lock()

    def one(mutant):
        with lock:
            place = places.pop()
        try:
            result, by = shop.judge(mutant, place)
        finally:
            with lock:
                places.append(place)
        results.add(mutant.name, {"result": result, "by": by})
        return result

    counts = {"killed": 0, "survived": 0, "no mutant": 0}
    shown = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for number, result in enumerate(pool.map(one, todo), 1):
            counts[result] += 1
            if time.monotonic() - shown > 30:
                shown = time.monotonic()
                print(f"  {number} of {len(todo)}: {counts['killed']} killed, {counts['survived']} survived",
                      file=sys.stderr, flush=True)


def summary(chosen, results, fine):
    files, survivors = {}, []
    for mutant in chosen:
        result = results.known[mutant.name]["result"]
        row = files.setdefault(mutant.file, {"killed": 0, "survived": 0, "accepted": 0, "no mutant": 0})
        if result == "survived" and not fine.keys().isdisjoint(keys(mutant)):
            result = "accepted"
        row[result] += 1
        if result == "survived":
            survivors.append({"file": mutant.file, "line": mutant.line, "function": mutant.function,
                              "kind": mutant.kind, "before": mutant.before, "after": mutant.after})
    killed = sum(row["killed"] for row in files.values())
    judged = killed + sum(row["survived"] for row in files.values())
    return {"files": files, "survivors": survivors, "killed": killed, "judged": judged,
            "killed_percent": round(100.0 * killed / judged, 1) if judged else 100.0}


def show(report):
    for survivor in report["survivors"]:
        print(f"{survivor['file']}:{survivor['line']}: {survivor['before']}\n    {survivor['after']}")
    for file, row in report["files"].items():
        judged = row["killed"] + row["survived"]
        percent = 100.0 * row["killed"] / judged if judged else 100.0
        print(f"{file:<28} {row['killed']:5} killed {row['survived']:4} survived {row['accepted']:4} accepted "
              f"{row['no mutant']:5} no mutant {percent:6.1f} %")
    print(f"{report['killed']} of {report['judged']} killed: {report['killed_percent']} %")


def main(words):
    given = options(words)
    chosen = [mutant for path in sources(given.files)
              for mutant in mutate.mutants(f"domain/{path.name}", path.read_text())]
    fine = accepted((pathlib.Path(__file__).parent / "accepted.txt").read_text())
    check_functions(fine, chosen)
    if given.sample is not None and given.sample < len(chosen):
        chosen = draw(chosen, given.sample, given.seed)
    if given.list:
        for mutant in chosen:
            print(f"{mutant.file}:{mutant.line}: {mutant.kind}: {mutant.before}\n    {mutant.after}")
        return 0
    given.work.mkdir(parents=True, exist_ok=True)
    results = Results(given.work / "results.json", given.trust_killed)
    todo = [mutant for mutant in chosen if mutant.name not in results.known]
    if todo:
        print(f"{len(todo)} mutants to judge, {len(chosen) - len(todo)} known", file=sys.stderr, flush=True)
        shop = Workshop(ROOT, given.work)
        shop.prepare({mutant.file for mutant in todo})
        work_on(shop, todo, results, given.jobs, given.work)
    report = summary(chosen, results, fine)
    if given.json:
        print(json.dumps(report, indent=1))
    else:
        show(report)
    return 0 if report["killed_percent"] >= given.goal else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BuildError as error:
        sys.exit(f"mutants: {error}")
