"""The development stack's commands: up, down, status, reset, fetch, python.

Why:  one command brings four real servers to the point where they answer, and one ends them.
How:  a lock per stack directory keeps two commands apart; servers start in parallel, each in a thread
      that waits until the server answers its own protocol. Exit 0 done, 1 not, 2 wrong usage.
Not:  a process that this stack did not start is never signalled, not even one on its ports.
"""

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import config
import console
import fetch
import ports
import process
import pyenv
import servers
from console import say

LOG_TAIL_LINES = 15
PROBE_EVERY_S = 0.05
EPILOG = """\
environment:
  STACK_DIR        this stack's directory (default build/stack); another one is another stack
  KAFKA_VERSION    the second lane, with data of its own (default: the pin in tools/dev/versions.env)
  STACK_PERSIST=1  document store and Redis keep their data over a restart (default: in memory)
  DOCUMENTDB_HEAP  bound of the document store's memory (default 2g)
  STACK_BROKERS=3  three brokers instead of one, replication 3, with data of their own
  STACK_PROXIED=1  each broker also listens for clients behind a proxy: it calls itself by the port that
                   the proxy is to have (KAFKA_PROXIED in stack.env; its target is in ports.json)
  STACK_WAIT_S     how long a server may take to answer (default 120)
  MILLRACE_CACHE   where the downloaded servers lie (default ~/.cache/millrace)
"""


@contextlib.contextmanager
def locked(cfg):
    cfg.dir.mkdir(parents=True, exist_ok=True)
    with open(cfg.dir / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another command works on {cfg.dir}; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def relative(path):
    with contextlib.suppress(ValueError):
        return path.relative_to(config.ROOT)
    return path


def kafka_runs(cfg):
    return any(process.alive(path) for path in cfg.run_dir.glob("kafka*.pid"))


def follow_running_options(cfg):
    """Running brokers decide how many there are and whether they are behind a proxy too, unless something
    else was asked for: then nothing is touched."""
    if not kafka_runs(cfg) or not cfg.kafka_marker.exists():
        return
    running = {name: int(value) for name, value in config.read_pairs(cfg.kafka_marker).items()}
    for name, asked in (("brokers", cfg.brokers_asked), ("proxied", cfg.proxied_asked)):
        if asked is not None and asked != running.get(name):
            raise config.StackError(
                f"{relative(cfg.dir)} runs with {name}={running.get(name)}, not {asked}: `make stack-down` first")
    cfg.brokers, cfg.proxied = running["brokers"], bool(running["proxied"])


def follow_running_version(cfg):
    """A running Kafka decides the lane, unless another one was asked for: then nothing is touched."""
    marker = cfg.run_dir / "kafka-version"
    if not kafka_runs(cfg) or not marker.exists():
        return
    running = marker.read_text().strip()
    if running != cfg.kafka_version and cfg.kafka_version_asked:
        raise config.StackError(
            f"{relative(cfg.dir)} runs Kafka {running}, not {cfg.kafka_version}: `make stack-down` first"
        )
    cfg.versions["KAFKA_VERSION"] = running


def open_stack(for_start=False):
    """(cfg, servers) with the ports that are known."""
    cfg = config.Config()
    if for_start or not cfg.kafka_version_asked:
        follow_running_version(cfg)
    follow_running_options(cfg)
    stack = servers.all_servers(cfg)
    known = ports.load(cfg.dir / "ports.json")
    for server in stack:
        server.assign(known)
    return cfg, stack


def log_tail(server):
    with contextlib.suppress(OSError):
        lines = server.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join(f"    {line}" for line in lines)
    return "    (no log)"


def bring_up(server, cancelled):
    """Starts one server and waits until it answers. Returns an error text or None."""
    began = time.monotonic()
    try:
        server.prepare()
    except (config.StackError, OSError) as error:
        return f"{server.title}: {error}"
    if cancelled():
        return f"{server.title}: not started"
    child = process.start(server.command(), server.log, server.pid_file, server.data, server.environment)
    while not server.answers():
        if child.poll() is not None:
            return (f"{server.title} ended with exit code {child.returncode} before it answered; "
                    f"the end of {relative(server.log)}:\n{log_tail(server)}")
        if cancelled():
            return f"{server.title}: interrupted"
        if time.monotonic() - began > server.cfg.wait_s:
            return (f"{server.title} did not answer at {server.address} within {server.cfg.wait_s:.0f} s; "
                    f"the end of {relative(server.log)}:\n{log_tail(server)}")
        time.sleep(PROBE_EVERY_S)
    error = server.after_ready()
    if error is not None:
        return f"{server.title}: {error}"
    say(f"  {server.title:<18} {server.version:<8} {server.address:<52} "
        f"answers after {time.monotonic() - began:4.1f} s (pid {child.pid})")
    return None


def write_env(cfg, stack):
    by_name = {server.name: server.address for server in stack}
    brokers = [server for server in stack if isinstance(server, servers.Kafka)]
    proxied = [("KAFKA_PROXIED", ",".join(broker.front for broker in brokers))] if cfg.proxied else []
    config.write_text(cfg.env_file, "".join(f"{name}={value}\n" for name, value in (
        ("KAFKA_BOOTSTRAP", ",".join(broker.address for broker in brokers)),
        ("SCHEMA_REGISTRY_URL", by_name["registry"]),
        ("DOCUMENTDB_URI", by_name["documentdb"]),
        ("REDIS_URL", by_name["redis"]),
        ("REPLICATION", str(cfg.brokers)),
        *proxied,
    )))


def start_missing(missing):
    """Starts servers side by side; on any failure, or an interruption, ends those it started."""
    state = {"cancelled": False}
    errors = []
    with ThreadPoolExecutor(len(missing)) as pool:
        jobs = [pool.submit(bring_up, server, lambda: state["cancelled"]) for server in missing]
        try:
            for job in jobs:
                error = job.result()
                if error is not None:
                    errors.append(error)
                    state["cancelled"] = True
        except BaseException:
            state["cancelled"] = True
            for job in jobs:
                with contextlib.suppress(Exception):
                    job.result()
            stop_all(missing)
            raise
    if errors:
        for error in errors:
            say(error)
        stop_all(missing)
        raise config.StackError("the stack is not up; what this command started was ended again")


def command_up(args):
    cfg = config.Config()
    with locked(cfg):
        cfg, stack = open_stack(for_start=True)
        began = time.monotonic()
        running = [server for server in stack if process.alive(server.pid_file)]
        missing = [server for server in stack if server not in running]
        if missing:
            servers.require_programs()
            fetch.ensure(cfg)
            held = {name for server in running for name in server.port_names}
            # Where a proxy of somebody else's may listen already.
            held |= {server.front_name for server in stack if isinstance(server, servers.Kafka)}
            names = [name for server in stack for name in server.port_names]
            chosen = ports.assign(cfg.dir / "ports.json", names, held)
            for server in stack:
                server.assign(chosen)
            say(f"Starting {', '.join(server.title for server in missing)} in {relative(cfg.dir)}")
            config.write_text(cfg.run_dir / "kafka-version", cfg.kafka_version + "\n")
            config.write_text(cfg.kafka_marker, f"brokers={cfg.brokers}\nproxied={int(cfg.proxied)}\n")
            servers.choose_cluster_id(cfg)
            start_missing(missing)
        silent = [server for server in running if not server.answers()]
        if silent:
            names = ", ".join(f"{server.title} (pid {process.alive(server.pid_file)})" for server in silent)
            raise config.StackError(f"{names} runs but does not answer; `make stack-down` ends it")
        write_env(cfg, stack)
        seconds = time.monotonic() - began
        if missing:
            say(f"The stack is up after {seconds:.1f} s; addresses in {relative(cfg.env_file)}")
        else:
            say(f"The stack is up already; addresses in {relative(cfg.env_file)}")
    if args.json:
        print(json.dumps({
            "started": [server.name for server in missing],
            "running": [server.name for server in running],
            "addresses": config.read_pairs(cfg.env_file),
            "stack_env": str(cfg.env_file),
            "seconds": round(seconds, 2),
        }))
    return 0


def stop_all(stack):
    """Ends the servers in parallel; says which had to be killed. Returns {name: how}."""
    def end(server):
        began = time.monotonic()
        pid = process.alive(server.pid_file)
        how = process.stop(server.pid_file)
        if how:
            say(f"  {server.title:<18} {how} after {time.monotonic() - began:4.1f} s (pid {pid})")
        return server.name, how

    with ThreadPoolExecutor(len(stack)) as pool:
        return dict(pool.map(end, stack))


def stop_and_forget(cfg, stack):
    cfg.env_file.unlink(missing_ok=True)
    return stop_all(stack)


def command_down(args):
    cfg = config.Config()
    if not cfg.dir.exists():
        say(f"Nothing runs: there is no {relative(cfg.dir)}")
        return 0
    with locked(cfg):
        cfg, stack = open_stack()
        ended = stop_and_forget(cfg, stack)
    if not any(ended.values()):
        say(f"Nothing ran in {relative(cfg.dir)}")
    if args.json:
        print(json.dumps({"ended": ended}))
    return 0


def command_reset(args):
    cfg = config.Config()
    if cfg.dir.exists():
        # Only a directory that looks like a stack is emptied, whatever STACK_DIR says.
        if any(cfg.dir.iterdir()) and not (cfg.dir / ".lock").exists():
            raise config.StackError(f"{cfg.dir} is not empty and not a stack's directory: left alone")
        with locked(cfg):
            cfg, stack = open_stack()
            stop_and_forget(cfg, stack)
            for part in (cfg.dir / "data", cfg.log_dir, cfg.conf_dir, cfg.run_dir):
                shutil.rmtree(part, ignore_errors=True)
    say(f"{relative(cfg.dir)} holds no data any more")
    if args.json:
        print(json.dumps({"reset": str(cfg.dir)}))
    return 0


def command_status(args):
    cfg, stack = open_stack()
    rows = []
    for server in stack:
        pid = process.alive(server.pid_file)
        state = "down" if pid is None else "up" if server.answers() else "no answer"
        rows.append({
            "server": server.title, "version": server.version,
            "address": server.address if server.main_port else None,
            "pid": pid, "rss_mb": process.rss_mb(pid) if pid else None, "state": state,
        })
    if args.json:
        print(json.dumps({"dir": str(cfg.dir), "servers": rows}))
    else:
        say(f"{'server':<18} {'version':<8} {'address':<52} {'pid':>7} {'RSS MB':>6}  state")
        for row in rows:
            cells = {name: "-" if value is None else value for name, value in row.items()}
            say("{server:<18} {version:<8} {address:<52} {pid:>7} {rss_mb:>6}  {state}".format(**cells))
    return 0 if all(row["state"] == "up" for row in rows) else 1


def command_fetch(args):
    fetch.ensure(config.Config(), quiet=True)
    return 0


def command_python(args):
    console.to_stderr()
    print(pyenv.ensure(config.Config()))
    return 0


def main():
    parser = argparse.ArgumentParser(
        prog="stack.sh", description="The development stack on this machine.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function, text in (
        ("up", command_up, "start what is missing and wait until everything answers"),
        ("down", command_down, "end what this stack started; data stay"),
        ("status", command_status, "a table; exit 0 only when all are up"),
        ("reset", command_reset, "down, then delete the data"),
        ("fetch", command_fetch, "download the servers into the cache, start nothing"),
        ("python", command_python, "make the integration tests' Python environment, print its interpreter"),
    ):
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--json", action="store_true", help="the result as JSON on standard output")
        sub.set_defaults(function=function)
    args = parser.parse_args()
    if args.json:
        console.to_stderr()
    # As an interruption: what was being started is ended again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return args.function(args)
    except config.StackError as error:
        print(f"stack.sh: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stack.sh: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    os.umask(os.umask(0) | 0o022)
    sys.exit(main())
