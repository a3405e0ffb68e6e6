"""What was lost, doubled, torn or left stuck: the judgement over committed records.

Why:  `millrace verify` compares what came out with what was sent, and shares no code with the stages; but
      it is of the same house and language, and it knows only the run that it is told of. This is a
      second opinion on every record of every flow: identities, sequences, pairs, and which inputs the
      committed transactions say they took.
How:  lost     a command without outcome; a hole in a sequence; an input that no transaction took
      doubled  an outcome, an identity, a version, a trade number or an input a second time
      torn     a transaction of which outputs are missing: a fill without its journal in the ledger, a
               trade with one leg, a filled order without its settlement
      stuck    input that is not taken although nothing fails any more, a transaction left open
      Records of topics keyed by user are judged partition by partition (UserSide), those keyed by symbol
      whole (SymbolSide); legs of trades cross between both.
Not:  whether amounts are right: `verify` and the oracle recompute them. No I/O: reading.py reads.
"""

import collections

KINDS = ("lost", "doubled", "torn", "stuck")
EXAMPLES_MAX = 20
OUTCOME_TYPES = ("NEW", "REJECTED", "CANCEL_REJECTED", "REPLACED")
DUPLICATE_TYPES = ("DUPLICATE", "DUPLICATE_CONFLICT")
JOURNALED = ("NEW", "TRADE", "CANCELED")


class Findings:
    """Numbers by kind, and the first few in words."""

    def __init__(self):
        self.count = dict.fromkeys(KINDS, 0)
        self.examples = {kind: [] for kind in KINDS}

    def add(self, kind, text, times=1):
        self.count[kind] += times
        if len(self.examples[kind]) < EXAMPLES_MAX:
            self.examples[kind].append(text)

    def merge(self, other):
        for kind in KINDS:
            self.count[kind] += other.count[kind]
            room = EXAMPLES_MAX - len(self.examples[kind])
            self.examples[kind] += other.examples[kind][:room]

    def clean(self):
        return not any(self.count.values())


def is_outcome(report):
    """Of a command: fills, settlement and the end of an IOC's rest follow one and are none."""
    kind = report["execType"]
    return kind in OUTCOME_TYPES or (kind == "CANCELED" and report["cancelReason"] == "USER")


class Once:
    """Things that may be there once: doubled otherwise."""

    def __init__(self, findings, what):
        self.findings = findings
        self.what = what
        self.seen = set()

    def see(self, name, where):
        if name in self.seen:
            self.findings.add("doubled", f"{where}: {self.what} {name} a second time")
            return False
        self.seen.add(name)
        return True


class Sequence:
    """Numbers that go up by one in the order of the log, per name."""

    def __init__(self, findings, what, first=1):
        self.findings = findings
        self.what = what
        self.first = first
        self.last = {}

    def see(self, name, number, where, end=None):
        """end: of a range of numbers."""
        expected = self.last[name] + 1 if name in self.last else self.first
        if expected is not None and number > expected:
            self.findings.add("lost", f"{where}: {self.what} of {name}: {number} where {expected} was due",
                              number - expected)
        elif expected is not None and number < expected:
            self.findings.add("doubled", f"{where}: {self.what} of {name}: {number} again, {expected} was due")
            return
        self.last[name] = number if end is None else end


class UserSide:
    """One partition of the topics that are keyed by user. Feed the topics in the order of the methods."""

    def __init__(self, partition, letters):
        """letters: {(topic, partition, offset)} that dead letters name as their source, with how often."""
        self.partition = partition
        self.letters = letters
        self.findings = Findings()
        self.outcomes = {}           # eventId -> number of outcomes
        self.times = collections.Counter()  # eventId -> how often it was sent
        self.undecodable = 0
        self.validated = collections.Counter()
        self.unique = collections.Counter()
        self.exec_ids = Once(self.findings, "execution")
        self.versions = Sequence(self.findings, "versions of order")
        self.journaled = {}          # execId of a report of the engine -> its type
        self.journals = Once(self.findings, "journal")
        self.seqs = Sequence(self.findings, "ledger entries")
        self.filled = set()
        self.settled = set()
        self.legs = []               # (symbol, tradeId, orderId)

    def where(self, topic, offset):
        return f"{topic}/{self.partition}@{offset}"

    def on_order(self, offset, command):
        if command is None:
            self.undecodable += 1
            times = self.letters.get(("orders", self.partition, offset), 0)
            if times != 1:
                kind = "lost" if times == 0 else "doubled"
                self.findings.add(kind, f"{self.where('orders', offset)}: {times} dead letters of a record "
                                        "that cannot be decoded")
            return
        self.times[command["eventId"]] += 1
        self.outcomes.setdefault(command["eventId"], 0)

    def on_validated(self, offset, command):
        self.hop(self.validated, self.times, "orders.validated", offset, command)

    def on_unique(self, offset, command):
        self.hop(self.unique, self.validated, "orders.unique", offset, command)

    def hop(self, here, before, topic, offset, command):
        """A command passes each hop as often as the one before at most."""
        name = command["eventId"]
        here[name] += 1
        if here[name] > before[name]:
            kind = "doubled" if before[name] else "torn"
            self.findings.add(kind, f"{self.where(topic, offset)}: {name} {here[name]} times, "
                                    f"{before[name]} times in the hop before")

    def outcome(self, name, where):
        if name not in self.outcomes:
            return  # a probe of the load before the run, or a command of an account
        self.outcomes[name] += 1
        if self.outcomes[name] > self.times[name]:
            self.findings.add("doubled", f"{where}: outcome number {self.outcomes[name]} of {name}")

    def on_execution(self, offset, report):
        where = self.where("executions", offset)
        if not self.exec_ids.see(report["execId"], where):
            return
        kind = report["execType"]
        if is_outcome(report):
            self.outcome(report["commandId"], where)
        if kind in JOURNALED or kind == "SETTLED":
            self.versions.see(report["orderId"], report["version"], where)
        if kind in JOURNALED:
            self.journaled[report["execId"]] = kind
        if kind == "TRADE":
            self.legs.append((report["symbol"], report["tradeId"], report["orderId"]))
            if report["status"] == "FILLED":
                self.filled.add(report["orderId"])
        if kind == "SETTLED" and report["status"] == "SETTLED":
            self.settled.add(report["orderId"])

    def on_risk_event(self, offset, event):
        if event["type"] in DUPLICATE_TYPES:
            self.outcome(event["commandId"], self.where("risk-events", offset))

    def on_ledger(self, offset, entry):
        where = self.where("ledger", offset)
        if not self.journals.see(entry["journalId"], where):
            return
        self.seqs.see(entry["userId"], entry["seq"], where)
        if entry["execId"] is not None and self.journaled.pop(entry["execId"], None) is None:
            self.findings.add("torn", f"{where}: journal of execution {entry['execId']}, which is not there")
        sums = collections.Counter()
        for posting in entry["postings"]:
            amount = int.from_bytes(posting["amount"], "big", signed=True)
            sums[posting["asset"]] += amount if posting["direction"] == "DEBIT" else -amount
        if any(sums.values()):
            self.findings.add("torn", f"{where}: journal {entry['journalId']} does not balance")

    def end(self):
        """To be called when all of it has been seen."""
        for name, outcomes in self.outcomes.items():
            if outcomes < self.times[name]:
                self.findings.add("lost", f"orders/{self.partition}: {name} has {outcomes} outcomes of "
                                          f"{self.times[name]}")
        for name, kind in self.journaled.items():
            self.findings.add("torn", f"executions/{self.partition}: {kind} {name} has no journal in the ledger")
        for name in self.filled - self.settled:
            self.findings.add("torn", f"executions/{self.partition}: order {name} is filled and not settled")
        for name in self.settled - self.filled:
            self.findings.add("torn", f"executions/{self.partition}: order {name} is settled and not filled")
        return self.findings


class SymbolSide:
    """The topics that are keyed by symbol."""

    def __init__(self):
        self.findings = Findings()
        self.approved = Once(self.findings, "approved command")
        self.numbers = Sequence(self.findings, "trades")
        self.book = Sequence(self.findings, "book deltas")
        self.expected = {}  # (symbol, tradeId, orderId) -> legs that must still come

    def on_approved(self, partition, offset, command):
        self.approved.see(command["eventId"], f"orders.approved/{partition}@{offset}")

    def on_trade(self, partition, offset, trade):
        where = f"trades/{partition}@{offset}"
        before = self.findings.count["doubled"]
        self.numbers.see(trade["symbol"], trade["tradeId"], where)
        if self.findings.count["doubled"] > before:
            return
        for order in (trade["makerOrderId"], trade["takerOrderId"]):
            self.expected[(trade["symbol"], trade["tradeId"], order)] = where

    def on_book(self, partition, offset, delta):
        self.book.see(delta["symbol"], delta["firstSeq"], f"book/{partition}@{offset}", delta["lastSeq"])

    def on_legs(self, legs):
        """Of one UserSide."""
        for leg in legs:
            if self.expected.pop(leg, None) is None:
                self.findings.add("torn", f"executions: leg of trade {leg[1]} of {leg[0]} (order {leg[2]}) "
                                          "without the trade, or a second time")

    def end(self):
        for (symbol, number, order), where in self.expected.items():
            self.findings.add("torn", f"{where}: trade {number} of {symbol} has no leg of order {order}")
        return self.findings


class Taken:
    """What the committed transactions of one task say they took, against what there was to take.

    The runtime writes a journal inside each transaction: from which input, from which offset, how many
    records. Laid end to end these runs must cover every committed record of the input once.
    """

    def __init__(self, group, task, offsets):
        """offsets: {topic: ascending offsets of the committed records of this partition}."""
        self.findings = Findings()
        self.group = group
        self.task = task
        self.offsets = offsets
        self.at = dict.fromkeys(offsets, 0)  # index of the next record of an input
        self.sequence = 1
        self.transactions = 0

    def on_entries(self, entries):
        """All journal records of the task, any order."""
        for entry in sorted(entries, key=lambda e: e["sequence"]):
            name = f"journal of {self.group}/{self.task}, transaction {entry['sequence']}"
            if entry["sequence"] != self.sequence:
                kind = "lost" if entry["sequence"] > self.sequence else "doubled"
                self.findings.add(kind, f"{name}: {self.sequence} was due")
            self.sequence = entry["sequence"] + 1
            self.transactions += 1
            counts = collections.Counter()
            for step in entry["steps"]:
                counts[step["source"]] += step["value"]
            for index, source in enumerate(entry["sources"]):
                if source["kind"] == "INPUT" and source["name"] in self.offsets:
                    self.run(name, source["name"], source["offset"], counts[index])

    def run(self, name, topic, offset, count):
        known = self.offsets[topic]
        at = self.at[topic]
        if count and (at >= len(known) or known[at] != offset):
            due = known[at] if at < len(known) else "nothing"
            kind = "lost" if at < len(known) and offset > known[at] else "doubled"
            self.findings.add(kind, f"{name}: took {topic}/{self.task}@{offset}, {due} was due")
            at = next((i for i, have in enumerate(known) if have >= offset), len(known))
        self.at[topic] = at + count

    def end(self):
        for topic, known in self.offsets.items():
            left = len(known) - self.at[topic]
            if left > 0:
                self.findings.add("stuck", f"{self.group}/{self.task}: {left} records of {topic} are not taken, "
                                           f"from {known[self.at[topic]]} on", left)
        return self.findings


def stuck_partitions(places):
    """places: (consumer, topic, partition, committed, records not taken, last stable offset, end)."""
    findings = Findings()
    for consumer, topic, partition, committed, left, stable, end in places:
        if left:
            findings.add("stuck", f"{consumer}: {left} records of {topic}/{partition} are not taken, "
                                  f"committed {committed}", left)
        if stable < end:
            findings.add("stuck", f"{topic}/{partition}: a transaction is open, stable {stable} of {end}")
    return findings
