"""The Java servers from Maven into the cache: whole or not at all.

Why:  an interrupted download must not leave something that the next run takes for complete, and a
      second clone must not download again.
How:  one generated pom per server. Maven fills a work directory inside the cache (its own partial
      files are resumed or repeated there), the finished result is renamed into place together with
      its pom. Present means: the directory's pom equals the one that the pins generate today.
Not:  no version is chosen here (versions.env) and nothing of the user's own Maven cache is changed.
"""

import fcntl
import os
import shutil
import subprocess
import tarfile
import threading
import time
from dataclasses import dataclass, field

import config
from console import is_terminal, overwrite, say

ATTEMPTS = 4
PAUSE_S = 3.0


@dataclass
class Artifact:
    """One server: its directory name in the cache and the Maven coordinates it consists of."""

    name: str
    coordinates: list  # (group, artifact, version)
    proof: str  # a file that must have arrived
    classifier: str = ""
    kind: str = "jar"
    unpack: bool = False
    parents: list = field(default_factory=list)  # coordinates whose pom is not in the repository


def artifacts(cfg):
    """What this configuration needs, by server name."""
    v = cfg.versions
    kafka, scala = v["KAFKA_VERSION"], v["KAFKA_SCALA_VERSION"]
    logging = (
        ("org.slf4j", "slf4j-reload4j", v["SLF4J_RELOAD4J_VERSION"])
        if cfg.kafka_major < 4
        else ("org.apache.logging.log4j", "log4j-slf4j-impl", v["LOG4J_SLF4J_VERSION"])
    )
    mongo, apicurio = v["MONGO_JAVA_SERVER_VERSION"], v["APICURIO_VERSION"]
    return {
        "kafka": Artifact(
            f"kafka-{kafka}",
            [("org.apache.kafka", f"kafka_{scala}", kafka), ("org.apache.kafka", "kafka-tools", kafka), logging],
            proof=f"kafka_{scala}-{kafka}.jar",
        ),
        "registry": Artifact(
            f"apicurio-registry-{apicurio}",
            [("io.apicurio", "apicurio-registry-app", apicurio)],
            proof=f"apicurio-registry-app-{apicurio}-runner.jar",
            classifier="all",
            kind="tar.gz",
            unpack=True,
            # The archive is published, the parent that its pom names is not (checked: 404).
            parents=[("io.apicurio", "apicurio-registry", apicurio)],
        ),
        "documentdb": Artifact(
            f"mongo-java-server-{mongo}",
            [
                ("de.bwaldvogel", "mongo-java-server", mongo),
                ("de.bwaldvogel", "mongo-java-server-h2-backend", mongo),
                ("org.slf4j", "slf4j-nop", v["SLF4J_NOP_VERSION"]),
            ],
            proof=f"mongo-java-server-{mongo}.jar",
        ),
    }


def pom(artifact):
    rows = []
    for group, name, version in artifact.coordinates:
        row = f"<groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>"
        if artifact.kind != "jar":
            # An archive that carries its own libraries: theirs are not wanted a second time.
            row += (
                f"<type>{artifact.kind}</type><classifier>{artifact.classifier}</classifier>"
                "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
            )
        rows.append(f"<dependency>{row}</dependency>\n")
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>\n'
        f"<groupId>millrace</groupId><artifactId>{artifact.name}</artifactId><version>1</version>\n"
        f"<dependencies>\n{''.join(rows)}</dependencies></project>\n"
    )


def _stub_parents(artifact, repository):
    """An empty pom for each unpublished parent. Maven reads the pom of whatever it copies and gives
    up without the parent, although nothing of it is used: all its dependencies are excluded."""
    for group, name, version in artifact.parents:
        folder = repository.joinpath(*group.split("."), name, version)
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("*.lastUpdated"):
            stale.unlink()
        (folder / f"{name}-{version}.pom").write_text(
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>\n'
            f"<groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>\n"
            "<packaging>pom</packaging></project>\n"
        )


def path_of(cfg, artifact):
    return cfg.cache / artifact.name


def is_present(cfg, artifact):
    try:
        return (path_of(cfg, artifact) / "pom.xml").read_text() == pom(artifact)
    except OSError:
        return False


def _megabytes(path):
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                pass
    return total / 1e6


class _Progress:
    """Shows that something arrives: a line rewritten twice a second, or one every 5 s in a log."""

    def __init__(self, title, folder):
        self.title, self.folder = title, folder
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.began = time.monotonic()
        self.base_mb = _megabytes(self.folder)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        if is_terminal():
            overwrite("")

    def _run(self):
        while not self.done.wait(0.5 if is_terminal() else 5.0):
            seconds = time.monotonic() - self.began
            mb = _megabytes(self.folder) - self.base_mb
            text = f"  {self.title}: {mb:.0f} MB, {seconds:.0f} s"
            overwrite(text) if is_terminal() else say(text)


def _maven(cfg, work, repository):
    """One Maven run over work/pom.xml into work/lib; returns None or the reason it failed."""
    plugin = cfg.versions["MAVEN_DEPENDENCY_PLUGIN_VERSION"]
    command = [
        "mvn", "-B", "-U", "-C", "-ntp", "-q", "-f", str(work / "pom.xml"),
        f"-Dmaven.repo.local={repository}",
        # Bounds for a stalled connection (Maven 3.8 and 3.9 name them differently).
        "-Dmaven.wagon.rto=60000", "-Dmaven.wagon.http.retryHandler.count=3",
        "-Daether.connector.requestTimeout=60000",
        f"org.apache.maven.plugins:maven-dependency-plugin:{plugin}:copy-dependencies",
        f"-DoutputDirectory={work / 'lib'}", "-DincludeScope=runtime",
    ]
    try:
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        raise config.StackError("mvn is missing: run `make deps`") from None
    if run.returncode == 0:
        return None
    lines = [line for line in (run.stdout + run.stderr).splitlines() if "ERROR" in line]
    return lines[0].removeprefix("\033[0m") if lines else f"mvn exit {run.returncode}"


def _finish(cfg, artifact, work):
    """Checks what arrived, unpacks it if need be, and renames it into place."""
    lib = work / "lib"
    if artifact.unpack:
        for archive in list(lib.glob(f"*.{artifact.kind}")):
            with tarfile.open(archive) as tar:
                # The filter exists since Debian's 3.11.4; older ones trust a checksummed archive.
                safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
                tar.extractall(lib, **safe)
            archive.unlink()
    if not (lib / artifact.proof).is_file():
        raise config.StackError(f"{artifact.name}: {artifact.proof} did not arrive")
    target = path_of(cfg, artifact)
    if target.exists():  # of other pins, or half of something
        shutil.rmtree(target)
    os.replace(work, target)


def _fetch(cfg, artifact):
    work = cfg.cache / f".work-{artifact.name}"
    repository = cfg.cache / ".maven"
    began = time.monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        (work / "pom.xml").write_text(pom(artifact))
        _stub_parents(artifact, repository)
        with _Progress(artifact.name, repository):
            reason = _maven(cfg, work, repository)
        if reason is None:
            break
        say(f"  {artifact.name}: attempt {attempt} of {ATTEMPTS} failed: {reason}")
        if attempt == ATTEMPTS:
            raise config.StackError(f"{artifact.name} could not be downloaded through Maven")
        time.sleep(PAUSE_S * attempt)
    _finish(cfg, artifact, work)
    size = _megabytes(path_of(cfg, artifact))
    say(f"  {artifact.name}: {size:.0f} MB in {time.monotonic() - began:.1f} s")


def ensure(cfg, quiet=True):
    """Every artifact of this configuration is in the cache when this returns."""
    missing = [a for a in artifacts(cfg).values() if not is_present(cfg, a)]
    if not missing:
        if not quiet:
            say(f"Servers present in {cfg.cache}")
        return
    cfg.cache.mkdir(parents=True, exist_ok=True)
    with open(cfg.cache / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another process fills {cfg.cache}; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [a for a in missing if not is_present(cfg, a)]
        if not missing:
            return
        names = ", ".join(a.name for a in missing)
        say(f"Downloading through Maven into {cfg.cache}: {names} (190 MB for all three)")
        for artifact in missing:
            _fetch(cfg, artifact)
        # Maven's copies of the same files are of no further use.
        shutil.rmtree(cfg.cache / ".maven", ignore_errors=True)
