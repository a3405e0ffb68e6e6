"""What each server is: its ports, its command line, its configuration, its readiness.

Why:  the commands (up, down, status) know no server by name; a further one, or three brokers instead
      of one, is a further object in the list.
How:  a Server holds its name and ports and can prepare its files, build its command, answer a probe
      and do a last step once it is ready.
"""

import base64
import os
import shutil
import subprocess

import config
import fetch
import ports
import probe

REGISTRY_BASE = "/apis/ccompat/v7"


class Server:
    name = ""
    artifact = ""  # of the download; the name where it is empty
    title = ""
    port_names = ()

    def __init__(self, cfg):
        self.cfg = cfg
        self.artifact = self.artifact or self.name
        self.port = {}
        self.log = cfg.log_dir / f"{self.name}.log"
        self.pid_file = cfg.run_dir / f"{self.name}.pid"
        self.data = cfg.data_dir / self.name

    def assign(self, all_ports):
        self.port = {name: all_ports[name] for name in self.port_names if name in all_ports}

    @property
    def main_port(self):
        return self.port.get(self.port_names[0])

    @property
    def cache(self):
        return fetch.path_of(self.cfg, fetch.artifacts(self.cfg)[self.artifact]) / "lib"

    @property
    def environment(self):
        return {}

    def prepare(self):
        """Files the server needs before it starts. Runs in a thread of its own."""
        self.data.mkdir(parents=True, exist_ok=True)

    def after_ready(self):
        """A last setting once it answers; returns an error text or None."""
        return None


def choose_cluster_id(cfg):
    """One for all brokers, before the first of them is formatted: 16 random bytes in base64. The tool's
    own generator costs another JVM."""
    path = cfg.data_dir / "cluster-id"
    if not path.exists():
        # A first bit of 0: an id that begins with a dash would be an option to Kafka's own tools.
        number = bytes([os.urandom(1)[0] & 0x7F]) + os.urandom(15)
        config.write_text(path, base64.urlsafe_b64encode(number).decode().rstrip("=") + "\n")
    return path.read_text().strip()


class Kafka(Server):
    """One node, broker and controller in one (KRaft); alone or one of three."""

    artifact = "kafka"

    def __init__(self, cfg, number=1):
        self.number = number
        self.name = "kafka" if number == 1 else f"kafka-{number}"
        self.title = "Kafka" if number == 1 else f"Kafka {number}"
        self.front_name, self.behind_name = f"{self.name}-front", f"{self.name}-behind"
        proxied = (self.front_name, self.behind_name) if cfg.proxied else ()
        self.port_names = (self.name, f"{self.name}-controller", *proxied)
        super().__init__(cfg)

    def assign(self, all_ports):
        super().assign(all_ports)
        # The quorum is the same list in every node's file.
        self.voters = [(number, all_ports.get("kafka-controller" if number == 1 else f"kafka-{number}-controller"))
                       for number in range(1, self.cfg.brokers + 1)]

    @property
    def front(self):
        """Where clients behind a proxy find this broker."""
        return f"{ports.HOST}:{self.port[self.front_name]}"

    @property
    def version(self):
        return self.cfg.kafka_version

    @property
    def address(self):
        return f"{ports.HOST}:{self.main_port}"

    @property
    def properties(self):
        return self.cfg.conf_dir / f"{self.name}.properties"

    def _java(self, *words):
        return ["java", *words, "-cp", f"{self.cache}/*"]

    def prepare(self):
        super().prepare()
        broker, controller = self.port[self.name], self.port[f"{self.name}-controller"]
        voters = ",".join(f"{number}@{ports.HOST}:{port}" for number, port in self.voters)
        copies, in_sync = (3, 2) if self.cfg.brokers > 1 else (1, 1)
        listener = advertised = ""
        if self.cfg.proxied:
            listener = f",PROXIED://{ports.HOST}:{self.port[self.behind_name]}"
            advertised = f",PROXIED://{self.front}"
        config.write_text(self.properties, f"""\
process.roles=broker,controller
node.id={self.number}
controller.quorum.voters={voters}
listeners=PLAINTEXT://{ports.HOST}:{broker},CONTROLLER://{ports.HOST}:{controller}{listener}
advertised.listeners=PLAINTEXT://{ports.HOST}:{broker}{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={self.data}
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
default.replication.factor={copies}
min.insync.replicas={in_sync}
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
num.network.threads=2
num.io.threads=4
log.segment.bytes=67108864
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=16777216
""")
        self._write_logging()
        if not (self.data / "meta.properties").exists():
            self._format()

    def _write_logging(self):
        config.write_text(self.cfg.conf_dir / "log4j.properties", """\
log4j.rootLogger=WARN, out
log4j.logger.kafka.server.KafkaRaftServer=INFO
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c)%n
""")
        config.write_text(self.cfg.conf_dir / "log4j2.properties", """\
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=INFO
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=[%d] %p %m (%c)%n
""")

    def _format(self):
        cluster = choose_cluster_id(self.cfg)
        run = subprocess.run(
            [*self._java("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
             "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self.properties), "-g"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )
        if run.returncode != 0:
            raise config.StackError(f"Kafka's data could not be formatted: {(run.stdout + run.stderr)[-500:]}")

    def command(self):
        conf = self.cfg.conf_dir
        logging = (
            f"-Dlog4j.configuration=file:{conf}/log4j.properties"
            if self.cfg.kafka_major < 4
            else f"-Dlog4j2.configurationFile=file:{conf}/log4j2.properties"
        )
        return [*self._java("-Xms512m", "-Xmx1g", "-XX:+UseG1GC", logging), "kafka.Kafka", self.properties]

    def answers(self):
        return probe.kafka(self.main_port)


class Registry(Server):
    """Apicurio Registry, spoken to through its Confluent API."""

    name = "registry"
    title = "Apicurio Registry"
    port_names = ("registry",)

    @property
    def version(self):
        return self.cfg.versions["APICURIO_VERSION"]

    @property
    def address(self):
        return f"http://{ports.HOST}:{self.main_port}{REGISTRY_BASE}"

    @property
    def environment(self):
        return {
            "QUARKUS_HTTP_HOST": ports.HOST,
            "QUARKUS_HTTP_PORT": str(self.main_port),
            "QUARKUS_LOG_LEVEL": "WARN",
            "APICURIO_DATASOURCE_JDBC_INITIAL_SIZE": "2",
            "APICURIO_DATASOURCE_JDBC_MIN_SIZE": "2",
            "APICURIO_DATASOURCE_JDBC_MAX_SIZE": "8",
            "APICURIO_REST_ARTIFACT_DELETION_ENABLED": "true",
            "APICURIO_STORAGE_SQL_KIND": "h2",
            "APICURIO_DATASOURCE_URL": f"jdbc:h2:file:{self.data}/registry",
        }

    def command(self):
        return [
            "java", "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
            "-jar", self.cache / f"apicurio-registry-app-{self.version}-runner.jar",
        ]

    def answers(self):
        return probe.registry(self.main_port, REGISTRY_BASE)

    def after_ready(self):
        # Without this every schema change is accepted: the registry's own default is NONE.
        return probe.set_compatibility(self.main_port, REGISTRY_BASE, "BACKWARD")


class DocumentStore(Server):
    """mongo-java-server: in memory, or on H2 with STACK_PERSIST=1."""

    name = "documentdb"
    title = "mongo-java-server"
    port_names = ("documentdb",)

    @property
    def version(self):
        return self.cfg.versions["MONGO_JAVA_SERVER_VERSION"]

    @property
    def address(self):
        return f"mongodb://{ports.HOST}:{self.main_port}/?retryWrites=false"

    def command(self):
        words = [
            "java", f"-Xmx{self.cfg.document_store_heap}", "-XX:+UseG1GC", "-cp", f"{self.cache}/*",
            config.HERE / "DocumentStore.java", self.main_port,
        ]
        return words + ([self.data / "documents.h2"] if self.cfg.persist else [])

    def answers(self):
        return probe.document_store(self.main_port)


class Redis(Server):
    """The distribution's own; nothing on disk unless STACK_PERSIST=1."""

    name = "redis"
    title = "Redis"
    port_names = ("redis",)

    @property
    def version(self):
        try:
            words = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.split()
        except FileNotFoundError:
            return "?"
        return next((word[2:] for word in words if word.startswith("v=")), "?")

    @property
    def address(self):
        return f"redis://{ports.HOST}:{self.main_port}"

    def command(self):
        return [
            "redis-server", "--port", self.main_port, "--bind", ports.HOST, "--daemonize", "no",
            "--save", "", "--appendonly", "yes" if self.cfg.persist else "no",
            "--maxmemory", "1gb", "--dir", self.data,
        ]

    def answers(self):
        return probe.redis(self.main_port)


def all_servers(cfg):
    brokers = [Kafka(cfg, number) for number in range(1, cfg.brokers + 1)]
    return [*brokers, Registry(cfg), DocumentStore(cfg), Redis(cfg)]


def require_programs():
    for program in ("java", "redis-server"):
        if shutil.which(program) is None:
            raise config.StackError(f"{program} is missing: run `make deps`")
