"""One round: a fresh stack, the pipeline, the load, the faults, the drain and the verdict.

Why:  a round has its own topics and stores: what went wrong in it is in it, and memory and disk of a run
      of a thousand kills stay those of one round.
"""

import json
import os
import pathlib
import shutil
import subprocess
import time

from . import faults as fault_module
from . import load, probe, processes, reading, schedule, stack, tape, verdict
from .world import ChaosError

DRAIN_S = 60  # without any progress
SETTLE_S = 180
SPARE_S = 120  # of load, beyond what the faults are thought to take
COMMANDS_PER_TRADE = 2
OUTPUTS = ("orders.validated", "orders.unique", "orders.approved", "executions", "ledger", "trades", "book",
           "risk-events")


def process_counts(instances, stores):
    counts = {"account": instances, "market": instances}
    return {**counts, "connectors": 1} if stores else counts


def process_names(instances, stores):
    return {f"{group}-{ordinal}": group for group, count in process_counts(instances, stores).items()
            for ordinal in range(count)}


def proxied_names(instances):
    """The instances that reach Kafka through a proxy: the last of each group. All of them would double the
    work of every record."""
    return [f"{group}-{instances - 1}" for group in ("account", "market")] if instances > 1 else []


class Round:
    def __init__(self, world, options, number):
        """options: of the run and of this round, see plan.py."""
        self.world = world
        self.options = options
        self.number = number
        self.troubles = []
        self.stack = stack.Stack(world, {"STACK_BROKERS": str(options["brokers"]), "STACK_PROXIED": "1"})
        self.application = ""
        self.proxies = {}
        self.tape = None

    def millrace(self, *words, seconds=600):
        return subprocess.run([str(self.world.program("tools/millrace/millrace")), *map(str, words)],
                              capture_output=True, text=True, check=False, timeout=seconds, cwd=self.world.root,
                              env={**os.environ, **self.world.stack, **self.environment()})

    def environment(self):
        return {"PARTITIONS": str(self.options["partitions"]),
                "STANDBY": "true" if self.options["standby"] else "false"}

    def counts(self):
        return process_counts(self.options["instances"], self.options["stores"])

    def environment_of(self, name):
        """Of one process of the pipeline."""
        own = {**self.world.stack, **self.environment()}
        if name.startswith("connectors"):
            own.update(self.stack.addresses_behind(self.proxies))
        if name in proxied_names(self.options["instances"]):
            own["KAFKA_BOOTSTRAP"] = own["KAFKA_PROXIED"]
        return own

    def run(self, todo):
        """Carries the faults out; what happened, as plain values."""
        self.world.dir.mkdir(parents=True, exist_ok=True)
        self.announce(todo)
        self.prepare()
        self.proxies = self.stack.proxies()
        try:
            with processes.Pipeline(self.world, self.counts(), self.environment_of) as pipeline:
                self.world.say("the pipeline is ready")
                told = self.under_fire(pipeline, todo)
                judged = self.judge()
                told["ended_unasked"] = pipeline.ended_unasked()
        finally:
            for proxy in self.proxies.values():
                proxy.close()
        crashes = [f"{name} crashed with code {end['code']}: {end['words']}"
                   for name, ends in told["ended_unasked"].items() for end in ends if end["crash"]]
        self.troubles += crashes
        findings = judged.pop("findings")
        return {"round": self.number, "options": self.options, **told, **judged,
                "findings": {"count": findings.count, "examples": findings.examples},
                "troubles": self.troubles, "clean": findings.clean() and not self.troubles}

    def announce(self, todo):
        """The whole schedule, printed and stored, before anything happens."""
        (self.world.dir / "schedule.json").write_text(json.dumps(schedule.to_json(todo), indent=1) + "\n")
        self.world.say(f"round {self.number}: {sum(fault.kills() for fault in todo)} kills, {len(todo)} faults; "
                       f"load: {self.options['load']} at {self.options['round_rate']}/s"
                       f"{', with connectors and stores' if self.options['stores'] else ''}")
        for fault in todo:
            self.world.say(fault.text())

    def expected_s(self, todo):
        return schedule.seconds(todo)

    # ---- before

    def prepare(self):
        world = self.world
        for part in ("state", "logs", "run"):
            shutil.rmtree(world.dir / part, ignore_errors=True)
        self.stack.reset()
        self.stack.up()
        done = self.millrace("topology", "apply", world.topology)
        if done.returncode != 0:
            raise ChaosError(f"topology apply: {(done.stdout + done.stderr).strip()[-1500:]}")
        self.graph = json.loads(self.millrace("topology", "describe", "--json", world.topology).stdout)
        self.application = self.graph["application"]

    def make_load(self, seconds):
        """The tape, which `millrace verify` can prove, or the benchmark's flow."""
        world, options = self.world, self.options
        if options["load"] == "flow":
            return load.Flow(world, options["round_rate"], seconds)
        trades = int(seconds * options["round_rate"] / COMMANDS_PER_TRADE)
        tape.write(world.dir / "tape.csv", world.dir / "instruments.jsonl",
                   pathlib.Path(options["trades"]), pathlib.Path(options["instruments"]), trades, options["partitions"], options["seed"])
        self.tape = load.Tape(world, f"c{self.number}", world.dir / "tape.csv", world.dir / "instruments.jsonl",
                              options["round_rate"], self.number, options["mix"])
        return self.tape

    # ---- the faults

    def under_fire(self, pipeline, todo):
        world, options = self.world, self.options
        sender = self.make_load(self.expected_s(todo) + SPARE_S)
        watcher = probe.Probe(world.stack["KAFKA_BOOTSTRAP"], self.application, pipeline.counts)
        try:
            with watcher:
                sender.start_and_await_orders()
                world.say("the load plays")
                if not world.wait_until(lambda: all(watcher.records.values()), 60):
                    raise ChaosError(f"no output: {watcher.records}")
                world.wait(options["warm_s"])
                watcher.count_silence(True)
                told = self.harm(pipeline, watcher, sender, todo)
                world.wait(1)
                watcher.count_silence(False)
                world.say("the faults are over; the load ends and all is drained")
                self.troubles += load.settle([sender], SETTLE_S)
        finally:
            sender.close()
        return {**told, "load": sender.told(),
                "longest_silence_ms": round(max(watcher.longest.values(), default=0.0) * 1000, 1)}

    def harm(self, pipeline, watcher, sender, todo):
        """The faults, one after the other, under load."""
        doer = fault_module.Faults(self.world, pipeline, watcher, self.stack, self.proxies)
        told = []
        for fault in todo:
            if sender.ended():
                self.troubles.append(f"the load ended before fault {fault.number}: {sender.tail()}")
                break
            told.append(doer.run(fault))
        for fault in told:
            name = f"fault {fault['number']} ({fault['kind']} {' '.join(fault['targets'])})"
            if not fault["recovered"]:
                self.troubles.append(f"{name}: {', '.join(fault['missing'])} had no output in time")
            if fault.get("exit_code", 0) != 0:
                self.troubles.append(f"{name}: it ended with code {fault['exit_code']} on SIGTERM")
        return {"faults": told, "kills": doer.kills}

    # ---- after

    def consumers(self):
        """{consumer group: input topics} of the whole application."""
        topics = {group["name"]: group["consumes"] for group in self.graph["groups"]}
        found = {f"{self.application}.{name}": inputs for name, inputs in topics.items()}
        if self.options["stores"]:
            for connector in self.graph["connectors"]:
                found[f"{self.application}.{connector['name']}"] = [connector["topic"]]
        return found

    def drain(self, ends):
        """Waits until everything is taken; returns what is not."""
        consumers = self.consumers()
        last, least = [], None
        since = shown = time.monotonic()
        while time.monotonic() - since < DRAIN_S:
            last = [at for at in ends.lags(consumers) if at[4] or at[5] < at[6]]
            behind = sum(at[4] for at in last)
            if not last:
                break
            if least is None or behind < least:
                least, since = behind, time.monotonic()
            if time.monotonic() - shown > 10:
                shown = time.monotonic()
                self.world.say(f"draining: {behind} records behind")
            self.world.wait(0.5)
        return last

    def judge(self):
        world = self.world
        ends = reading.Ends(world.stack["KAFKA_BOOTSTRAP"])
        left = self.drain(ends)
        topics = ends.topics()
        left += ends.open_transactions({name: n for name, n in topics.items()})
        findings = verdict.stuck_partitions(left)
        world.say(f"drained; {len(left)} partitions are stuck" if left else "drained")
        self.verify()
        world.say("reading all topics")
        read, counts, transactions = reading.judge(world.stack["KAFKA_BOOTSTRAP"], self.application, topics)
        findings.merge(read)
        self.oracle()
        dead = sum(count for topic, count in counts.items() if topic.endswith(".dlq"))
        return {"findings": findings, "records_in": counts["orders"], "transactions": transactions,
                "records_out": sum(counts.get(topic, 0) for topic in OUTPUTS) + dead,
                "counts": counts, "dead_lettered": dead}

    def verify(self):
        """The program's own proof of the tape."""
        if self.tape is None:
            return
        if not self.tape.manifest.exists():
            self.troubles.append(f"no manifest of the load, nothing to verify: {self.tape.tail()}")
            return
        done = self.millrace("verify", "--topology", self.world.topology, "--manifest", self.tape.manifest,
                             "--report", self.tape.verify_report, "--patience", f"{DRAIN_S}s", "--quiet",
                             f"--stores={'true' if self.options['stores'] else 'false'}", seconds=1800)
        (self.world.dir / "verify.log").write_text(done.stdout + done.stderr)
        if done.returncode == 0:
            self.world.say("verify: every check is equal")
            return
        checks = []
        if self.tape.verify_report.exists():
            checks = [check for check in json.loads(self.tape.verify_report.read_text())["checks"]
                      if not check["equal"]]
        for check in checks:
            self.troubles.append(f"verify: {check}")
        if not checks:
            self.troubles.append(f"verify: exit code {done.returncode}: {done.stderr.strip()[-500:]}")

    def oracle(self):
        """The model in tests/oracle recomputes every record, where it is in the tree."""
        place = self.world.root / "tests" / "oracle"
        if not (place / "dump.py").exists() or not self.options["oracle"]:
            return
        dump = self.world.dir / "dump"
        shutil.rmtree(dump, ignore_errors=True)
        for words in ([place / "dump.py", "--stack", self.world.stack_dir / "stack.env",
                       "--topology", self.world.topology,
                       "--millrace", self.world.program("tools/millrace/millrace"), dump],
                      [place, dump]):
            done = subprocess.run([self.world.python, *map(str, words)], capture_output=True, text=True, check=False,
                                  cwd=self.world.root, env={**os.environ, **self.world.stack, **self.environment()})
            if done.returncode != 0:
                self.troubles.append(f"oracle: {(done.stdout + done.stderr).strip()[-1500:]}")
                return
        self.world.say("oracle: every record is what the model makes of it")
