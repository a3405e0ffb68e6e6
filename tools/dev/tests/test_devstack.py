"""Goal:   what would hurt a developer's machine or lose a result: a stranger's process signalled, two
        stacks on one port, half a download taken for a whole one, a failed lane counted as passed.
Method: the modules of tools/dev, on temporary directories and short-lived children of this process.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

DEV = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(DEV / "devstack"), str(DEV)]

import config  # noqa: E402
import ctest_report  # noqa: E402
import fetch  # noqa: E402
import ports  # noqa: E402
import process  # noqa: E402
import pyenv  # noqa: E402
import servers  # noqa: E402


class Folder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)


class ProcessIdentity(Folder):
    def start(self, *words):
        self.pid_file = self.folder / "run" / "x.pid"
        child = process.start(words or ("sleep", "60"), self.folder / "x.log", self.pid_file, self.folder, {})
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def change_record(self, **fields):
        record = json.loads(self.pid_file.read_text())
        self.pid_file.write_text(json.dumps({**record, **fields}))

    def test_a_started_process_is_known_and_ended(self):
        child = self.start()
        self.assertEqual(process.alive(self.pid_file), child.pid)
        self.assertEqual(process.stop(self.pid_file), "stopped")
        self.assertEqual(child.wait(5), -15)
        self.assertFalse(self.pid_file.exists())

    def test_a_stranger_is_never_signalled(self):
        for why, fields in (
            ("the kernel gave the pid to a later process", {"start_ticks": 1}),
            ("the pid file is from before a reboot", {"boot_id": "another"}),
        ):
            with self.subTest(why):
                child = self.start()
                self.change_record(**fields)
                self.assertIsNone(process.alive(self.pid_file))
                self.assertIsNone(process.stop(self.pid_file))
                self.assertIsNone(child.poll())

    def test_a_pid_file_that_cannot_be_read_is_no_process(self):
        for text in ("", "{", "[]", '{"pid": "x"}', '{"pid": 1}'):
            with self.subTest(text):
                path = self.folder / "broken.pid"
                path.write_text(text)
                self.assertIsNone(process.alive(path))

    def test_a_process_that_ended_but_was_not_waited_for_is_not_alive(self):
        child = self.start("true")
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        self.assertIsNone(process.alive(self.pid_file))

    def test_one_that_ignores_the_request_is_killed(self):
        # The reply on the log says that the handler is in place: no waiting by guess.
        child = self.start("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 60 & wait; done")
        while b"ready" not in (self.folder / "x.log").read_bytes():
            self.assertIsNone(child.poll())
        with mock.patch.object(process, "TERM_S", 0.1):
            self.assertEqual(process.stop(self.pid_file), "killed")

    def test_the_log_of_the_life_before_is_kept(self):
        (self.folder / "x.log").write_text("why it died")
        self.start()
        self.assertEqual((self.folder / "x.log.before").read_text(), "why it died")


class Ports(Folder):
    NAMES = ("a", "b", "c")

    def test_ports_are_kept_over_a_restart(self):
        path = self.folder / "ports.json"
        first = ports.assign(path, self.NAMES, set())
        self.assertEqual(len(set(first.values())), 3)
        self.assertEqual(ports.assign(path, self.NAMES, set()), first)

    def test_a_port_that_somebody_took_meanwhile_is_replaced_alone(self):
        path = self.folder / "ports.json"
        first = ports.assign(path, self.NAMES, set())
        with socket.socket() as stranger:
            stranger.bind((ports.HOST, first["b"]))
            stranger.listen()
            second = ports.assign(path, self.NAMES, set())
            self.assertNotEqual(second["b"], first["b"])
            self.assertEqual((second["a"], second["c"]), (first["a"], first["c"]))

    def test_a_port_held_by_our_own_server_is_kept(self):
        path = self.folder / "ports.json"
        first = ports.assign(path, self.NAMES, set())
        with socket.socket() as ours:
            ours.bind((ports.HOST, first["b"]))
            ours.listen()
            self.assertEqual(ports.assign(path, self.NAMES, {"b"}), first)

    def test_a_broken_memory_is_forgotten(self):
        path = self.folder / "ports.json"
        path.write_text("{half")
        self.assertEqual(sorted(ports.assign(path, self.NAMES, set())), list(self.NAMES))


class Pins(Folder):
    def configuration(self, **environment):
        base = {"MILLRACE_CACHE": str(self.folder), "STACK_DIR": str(self.folder / "stack")}
        with mock.patch.dict(os.environ, {**base, **environment}):
            return config.Config()

    def test_the_environment_outranks_the_file_and_separates_the_data(self):
        default, second = self.configuration(KAFKA_VERSION=""), self.configuration(KAFKA_VERSION="4.1.1")
        self.assertEqual((default.kafka_version, second.kafka_version), ("3.9.1", "4.1.1"))
        self.assertNotEqual(default.data_dir, second.data_dir)

    def test_a_directory_without_its_pom_or_with_another_is_no_download(self):
        cfg = self.configuration()
        artifact = fetch.artifacts(cfg)["kafka"]
        target = fetch.path_of(cfg, artifact)
        (target / "lib").mkdir(parents=True)
        self.assertFalse(fetch.is_present(cfg, artifact), "interrupted before the pom")
        (target / "pom.xml").write_text(fetch.pom(artifact).replace("kafka-tools", "other"))
        self.assertFalse(fetch.is_present(cfg, artifact), "of other pins")
        (target / "pom.xml").write_text(fetch.pom(artifact))
        self.assertTrue(fetch.is_present(cfg, artifact))

    def test_an_unpublished_parent_is_replaced_even_after_a_failed_attempt(self):
        artifact = fetch.artifacts(self.configuration())["registry"]
        group, name, version = artifact.parents[0]
        folder = self.folder.joinpath(*group.split("."), name, version)
        folder.mkdir(parents=True)
        (folder / f"{name}-{version}.pom.lastUpdated").touch()
        fetch._stub_parents(artifact, self.folder)
        self.assertEqual([path.name for path in folder.iterdir()], [f"{name}-{version}.pom"])

    def test_other_requirements_are_another_python_environment(self):
        cfg = self.configuration()
        one, two = self.folder / "one.txt", self.folder / "two.txt"
        one.write_text("redis==1\n")
        two.write_text("redis==2\n")
        self.assertNotEqual(pyenv.path_of(cfg, one), pyenv.path_of(cfg, two))

    def test_the_compose_file_defaults_to_the_pins(self):
        pins = config.read_pairs(DEV / "versions.env")
        text = (config.ROOT / "deploy" / "compose.yaml").read_text()
        used = dict(re.findall(r"\$\{([A-Z_]+):-([^}]+)\}", text))
        self.assertEqual(len(used), 4)
        self.assertEqual(used, {name: pins[name] for name in used})

    def test_a_single_broker_can_run_transactions(self):
        cfg = self.configuration()
        kafka = servers.Kafka(cfg)
        kafka.assign({"kafka": 20001, "kafka-controller": 20002})
        with mock.patch.object(servers.Kafka, "_format"):
            kafka.prepare()
        properties = config.read_pairs(kafka.properties)
        for name, value in (
            ("transaction.state.log.replication.factor", "1"), ("transaction.state.log.min.isr", "1"),
            ("offsets.topic.replication.factor", "1"), ("group.initial.rebalance.delay.ms", "0"),
        ):
            self.assertEqual(properties[name], value, name)


class Counting(Folder):
    CASES = (
        ("passed", '<testcase name="t" status="run"/>', (1, 0, 0)),
        ("failed", '<testcase name="t" status="fail"><failure message=""/></testcase>', (0, 1, 0)),
        ("skipped itself", '<testcase name="t" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>',
         (0, 0, 1)),
        ("disabled", '<testcase name="t" status="disabled"/>', (0, 0, 1)),
        ("its program was not built",
         '<testcase name="t" status="notrun"><skipped message="Unable to find executable"/></testcase>', (0, 1, 0)),
        ("its set-up failed",
         '<testcase name="t" status="notrun"><skipped message="Fixture dependency failed"/></testcase>', (0, 1, 0)),
        ("ctest was killed while it wrote", "<testcase", (0, 1, 0)),
    )

    def run_report(self, rows):
        lanes, report = self.folder / "lanes.tsv", self.folder / "report.json"
        lanes.write_text("".join("\t".join(row) + "\n" for row in rows))
        run = subprocess.run([sys.executable, DEV / "ctest_report.py", lanes, report], capture_output=True, text=True)
        return run.returncode, run.stdout.splitlines()[-1], json.loads(report.read_text())

    def test_each_state_of_a_test_counts_as_what_it_is(self):
        path = self.folder / "result.xml"
        for why, case, expected in self.CASES:
            with self.subTest(why):
                path.write_text(f"<testsuite>{case}</testsuite>")
                passed, failed, skipped = ctest_report.count(path)
                self.assertEqual((passed, len(failed), len(skipped)), expected)

    def test_the_sum_and_the_exit_code(self):
        good = self.folder / "good.xml"
        good.write_text('<testsuite><testcase name="a" status="run"/><testcase name="b" status="run"/></testsuite>')
        ok = ("debug", "1.5", str(good), "-")
        for why, rows, code, line in (
            ("two lanes", [ok, ok], 0, "4 passed, 0 failed"),
            ("a lane that does not build", [ok, ("asan", "2", "-", "it does not build")], 1, "2 passed, 1 failed"),
            ("a lane without results", [ok, ("asan", "2", str(self.folder / "none"), "-")], 1, "2 passed, 1 failed"),
            ("a lane that only builds", [ok, ("clang", "3", "-", "-")], 0, "2 passed, 0 failed"),
            ("nothing ran: that proves nothing", [], 1, "0 passed, 0 failed"),
        ):
            with self.subTest(why):
                result = self.run_report(rows)
                self.assertEqual(result[:2], (code, line))
                self.assertEqual(f"{result[2]['passed']} passed, {result[2]['failed']} failed", line)


if __name__ == "__main__":
    unittest.main()
