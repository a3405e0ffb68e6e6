"""One round: a fresh stack, the pipeline, the load, the faults, the drain and the verdict.

Why:  a round has its own topics and stores: what went wrong in it is in it, and memory and disk of a run
      of a thousand kills stay those of one round.
"""

import json
import os
import pathlib
import shutil
import subprocess

from . import faults as fault_module
from . import load, probe, processes, reading, schedule, stack, tape, verdict
from .world import ChaosError

DRAIN_S = 180
SETTLE_S = 180
SPARE_S = 60  # of tape, beyond what the schedule is thought to take
COMMANDS_PER_TRADE = 2
OUTPUTS = ("orders.validated", "orders.unique", "orders.approved", "executions", "ledger", "trades", "book",
           "risk-events")


class Round:
    def __init__(self, world, options, number):
        self.world = world
        self.options = options
        self.number = number
        self.troubles = []
        self.stack = stack.Stack(world, {})
        self.application = ""
        self.proxies = {}

    def millrace(self, *words, seconds=600):
        return subprocess.run([str(self.world.program("tools/millrace/millrace")), *map(str, words)],
                              capture_output=True, text=True, check=False, timeout=seconds, cwd=self.world.root,
                              env={**os.environ, **self.world.stack, **self.environment()})

    def environment(self):
        return {"PARTITIONS": str(self.options["partitions"])}

    def counts(self):
        counts = {"account": self.options["instances"], "market": self.options["instances"]}
        return {**counts, "connectors": 1} if self.options["stores"] else counts

    def faults_of_round(self):
        if self.options["schedule"]:
            return schedule.from_json(pathlib.Path(self.options["schedule"]).read_text())
        names = {f"{group}-{ordinal}": group for group, count in self.counts().items() for ordinal in range(count)}
        return schedule.make(f"{self.options['seed']}/{self.number}", self.options["round_kills"], names,
                             {"brokers": self.options["brokers"], "proxied": [], "stop_max_s": self.options["stop_max_s"],
                              "pause_max_s": self.options["pause_max_s"]}, self.options["kinds"])

    def run(self):
        """What happened, as plain values."""
        todo = self.faults_of_round()
        self.world.dir.mkdir(parents=True, exist_ok=True)
        (self.world.dir / "schedule.json").write_text(json.dumps(schedule.to_json(todo), indent=1) + "\n")
        self.world.say(f"round {self.number}: {sum(fault.kills() for fault in todo)} kills, {len(todo)} faults")
        for fault in todo:
            self.world.say(fault.text())
        self.prepare(todo)
        with processes.Pipeline(self.world, self.counts(), {**self.world.stack, **self.environment()}) as pipeline:
            self.world.say("the pipeline is ready")
            told = self.under_fire(pipeline, todo)
            judged = self.judge()
            told["ended_unasked"] = pipeline.ended_unasked()
        crashes = [f"{name} crashed with code {end['code']}: {end['words']}"
                   for name, ends in told["ended_unasked"].items() for end in ends if end["crash"]]
        self.troubles += crashes
        findings = judged.pop("findings")
        return {"round": self.number, **told, **judged,
                "findings": {"count": findings.count, "examples": findings.examples},
                "troubles": self.troubles, "clean": findings.clean() and not self.troubles}

    # ---- before

    def prepare(self, todo):
        world, options = self.world, self.options
        for part in ("state", "logs", "run"):
            shutil.rmtree(world.dir / part, ignore_errors=True)
        self.stack.reset()
        self.stack.up()
        trades = int((schedule.seconds(todo) + SPARE_S) * options["rate"] / COMMANDS_PER_TRADE)
        tape.write(world.dir / "tape.csv", world.dir / "instruments.jsonl", options["trades"],
                   options["instruments"], trades, options["partitions"], options["seed"])
        done = self.millrace("topology", "apply", world.topology)
        if done.returncode != 0:
            raise ChaosError(f"topology apply: {(done.stdout + done.stderr).strip()[-1500:]}")
        self.graph = json.loads(self.millrace("topology", "describe", "--json", world.topology).stdout)
        self.application = self.graph["application"]

    # ---- the faults

    def under_fire(self, pipeline, todo):
        world, options = self.world, self.options
        self.tape = load.Tape(world, f"c{self.number}", world.dir / "tape.csv", world.dir / "instruments.jsonl",
                              max(1, options["rate"] - options["flow_rate"]), self.number, options["mix"])
        senders = [self.tape]
        if options["flow_rate"]:
            senders.append(load.Flow(world, options["flow_rate"], schedule.seconds(todo) + SPARE_S))
        told = []
        watcher = probe.Probe(world.stack["KAFKA_BOOTSTRAP"], self.application, pipeline.counts)
        try:
            with watcher:
                for sender in senders:
                    sender.start_and_await_orders()
                world.say("the load plays")
                if not world.wait_until(lambda: all(watcher.records.values()), 60):
                    raise ChaosError(f"no output: {watcher.records}")
                world.wait(options["warm_s"])
                watcher.count_silence(True)
                doer = fault_module.Faults(world, pipeline, watcher, self.stack, self.proxies)
                for fault in todo:
                    if self.tape.ended():
                        self.troubles.append(f"the tape was over before fault {fault.number}")
                        break
                    told.append(doer.run(fault))
                world.wait(1)
                watcher.count_silence(False)
                world.say("the faults are over; the load ends and all is drained")
                self.troubles += load.settle(senders, SETTLE_S)
        finally:
            for sender in senders:
                sender.close()
        late = [fault for fault in told if not fault["recovered"]]
        self.troubles += [f"fault {fault['number']} ({fault['kind']} {' '.join(fault['targets'])}): "
                          f"{', '.join(fault['missing'])} had no output in time" for fault in late]
        self.troubles += [f"fault {fault['number']}: {fault['targets'][0]} ended with code {fault['exit_code']} "
                          "on SIGTERM" for fault in told if fault.get("exit_code", 0) != 0]
        return {"faults": told, "kills": doer.kills, "manifest": self.tape.sent(),
                "longest_silence_ms": round(max(watcher.longest.values(), default=0.0) * 1000, 1)}

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
        last = []

        def drained():
            last[:] = [at for at in ends.lags(consumers) if at[4] or at[5] < at[6]]
            return not last

        self.world.wait_until(drained, DRAIN_S, every_s=0.5)
        return last

    def judge(self):
        world = self.world
        ends = reading.Ends(world.stack["KAFKA_BOOTSTRAP"])
        left = self.drain(ends)
        topics = ends.topics()
        left += ends.open_transactions({name: n for name, n in topics.items()})
        findings = verdict.stuck_partitions(left)
        world.say(f"drained; {len(left)} partitions are stuck" if left else "drained")
        self.verify(findings)
        world.say("reading all topics")
        read, counts, transactions = reading.judge(world.stack["KAFKA_BOOTSTRAP"], self.application, topics)
        findings.merge(read)
        self.oracle()
        dead = sum(count for topic, count in counts.items() if topic.endswith(".dlq"))
        return {"findings": findings, "records_in": counts["orders"], "transactions": transactions,
                "records_out": sum(counts.get(topic, 0) for topic in OUTPUTS) + dead,
                "counts": counts, "dead_lettered": dead}

    def verify(self, findings):
        """The program's own proof of the tape."""
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
        for words in ([place / "dump.py", "--stack", self.world.stack_dir, "--topology", self.world.topology, dump],
                      [place, dump]):
            done = subprocess.run([self.world.python, *map(str, words)], capture_output=True, text=True, check=False,
                                  cwd=self.world.root, env={**os.environ, **self.world.stack, **self.environment()})
            if done.returncode != 0:
                self.troubles.append(f"oracle: {(done.stdout + done.stderr).strip()[-1500:]}")
                return
        self.world.say("oracle: every record is what the model makes of it")
